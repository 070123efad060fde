/** `provision inventory`: what `ansible-inventory` prints, and where a variable's value comes from. */
import { resolve } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { hostsOfGroup } from "../provisioning/inventory/group-order.ts";
import { HostLayers, type Variables } from "../provisioning/inventory/host-layers.ts";
import type { Inventory, InventoryGroup, InventoryHost } from "../provisioning/inventory/inventory.ts";
import { loadInventory } from "../provisioning/inventory/load-inventory.ts";
import { implicitLocalhost, matchPattern } from "../provisioning/inventory/match-pattern.ts";
import type { DecryptText } from "../provisioning/source/decrypt.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import { LayeredScope } from "../provisioning/vars/precedence.ts";
import type { Variable } from "../provisioning/vars/variable.ts";
import { type AnsibleConfig, readAnsibleConfig } from "./ansible-config.ts";
import { explainVariable } from "./explain-variable.ts";
import { readExtraVars } from "./extra-vars.ts";
import { defaultInventory } from "./inventory-source.ts";
import { type CliIo, exitCodes } from "./io.ts";
import {
  badUsage,
  describeOptions,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "./parse-options.ts";
import { type PrintValue, pythonJson, pythonStr } from "./python-text.ts";
import { variableOptions } from "./run-options.ts";
import { openVaults } from "./vault-passwords.ts";

const options: readonly OptionSpec[] = [
  {
    long: "inventory",
    short: "i",
    aliases: ["inventory-file"],
    takes: "SOURCE",
    repeat: true,
    help: "an inventory file, folder, program, or list of hosts with a comma",
  },
  { long: "list", help: "all hosts and groups as JSON" },
  { long: "host", takes: "HOST", help: "the variables of one host as JSON" },
  { long: "graph", help: "the tree of groups and hosts; a further argument names the group to begin with" },
  { long: "vars", help: "with --graph: variables too" },
  { long: "export", help: "with --list: variables where they are defined, not flattened into hosts" },
  {
    long: "explain",
    takes: "VARIABLE",
    help: "with --host: where the variable's value comes from, and what it overrode",
  },
  {
    long: "playbook",
    takes: "FILE",
    help: "with --explain: whose plays and roles count too (default: site.yml)",
  },
  {
    long: "playbook-dir",
    takes: "FOLDER",
    help: "whose group_vars/ and host_vars/ count too (default: this folder)",
  },
  ...variableOptions,
  { long: "help", short: "h", help: "this text" },
];

export async function inventoryCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const given = parseOptions(options, argv);
  if (given.has("help")) {
    io.stdout(
      `provision inventory [INVENTORY] --list | --host HOST [--explain VARIABLE] | --graph [GROUP]\n\n${describeOptions(options, io.columns)}\n`,
    );
    return exitCodes.fine;
  }
  const verb = chosenVerb(given);
  const config = readAnsibleConfig(io);
  const { sources, rest } = sourcesOf(given, io, config);
  const { decrypt } = await openVaults(given, io, config);
  const inventory = await loadInventory(sources, { cwd: io.cwd, ...decrypt });
  const playbookDir = resolve(io.cwd, given.value("playbook-dir") ?? ".");
  const layers = new HostLayers(inventory, { playbookDirs: [playbookDir], ...decrypt });
  const extraVars = readExtraVars(given.all("extra-vars"), io.cwd);
  const view = new InventoryView({ inventory, layers, extraVars, isExport: given.has("export") });
  const text = given.has("explain")
    ? await explanation({ given, io, config, view, decrypt: decrypt.decrypt })
    : textOf(verb, view, given, rest);
  io.stdout(`${text}\n`);
  return exitCodes.fine;
}

interface ExplainRequest {
  readonly given: ParsedOptions;
  readonly io: CliIo;
  readonly config: AnsibleConfig;
  readonly view: InventoryView;
  readonly decrypt: DecryptText | undefined;
}

/** The playbook is loaded for this alone: its plays and roles set variables too. */
async function explanation({ given, io, config, view, decrypt }: ExplainRequest): Promise<string> {
  const name = given.value("host");
  if (name === undefined)
    throw badUsage("--explain stands without --host", "a variable is explained for one host");
  const host = view.host(name);
  const { defaultPlaybook, rolesPathOf } = await import("./prepare-run.ts");
  const { loadPlaybook } = await import("../provisioning/playbook/load-playbook.ts");
  const { catalogue } = await import("../provisioning/modules/index.ts");
  const { playbookLayers } = await import("./playbook-layers.ts");
  const file = given.value("playbook") ?? defaultPlaybook(io);
  const playbook = loadPlaybook(resolve(io.cwd, file), {
    catalogue,
    rolesPath: rolesPathOf(io, config),
    decrypt,
  });
  const scope = new LayeredScope({
    ...playbookLayers({ playbook, inventory: view.inventory, host: host.name, decrypt }),
    extraVars: view.extraVars,
    inventory: view.inventoryLayers(host).toReversed(),
  });
  return explainVariable({ host: host.name, variable: given.value("explain") ?? "", scope, cwd: io.cwd });
}

type Verb = "list" | "host" | "graph";

function chosenVerb(given: ParsedOptions): Verb {
  const verbs = (["list", "host", "graph"] as const).filter((verb) => given.has(verb));
  const [verb, second] = verbs;
  if (verb !== undefined && second === undefined) return verb;
  const state =
    verb === undefined ? "nothing to print was chosen" : `--${verb} and --${second} are both given`;
  throw badUsage(state, "one of --list, --host HOST and --graph says what to print");
}

/** Without -i the first argument is the inventory. */
function sourcesOf(
  given: ParsedOptions,
  io: CliIo,
  config: AnsibleConfig,
): { sources: readonly string[]; rest: readonly string[] } {
  const named = given.all("inventory");
  if (named.length > 0) return { sources: named, rest: given.rest };
  const [first, ...rest] = given.rest;
  if (first !== undefined) return { sources: [first], rest };
  const isNamed = (io.env["PROVISION_INVENTORY"] ?? "") !== "";
  const configured = isNamed ? [] : config.inventory;
  return { sources: configured.length > 0 ? configured : [defaultInventory(io)], rest };
}

function textOf(verb: Verb, view: InventoryView, given: ParsedOptions, rest: readonly string[]): string {
  const [name, surplus] = rest;
  if (surplus !== undefined || (name !== undefined && verb !== "graph")) {
    throw badUsage(`"${surplus ?? name}" is one argument too many`, "further inventories are given by -i");
  }
  if (verb === "graph") return view.graph(name ?? "all", given.has("vars"));
  if (verb === "list") return view.list();
  return view.hostJson(view.host(given.value("host") ?? ""));
}

/** Names that Ansible itself sets for every host: never printed. */
const magic: ReadonlySet<string> = new Set(
  "ansible_diff_mode ansible_config_file ansible_facts ansible_forks ansible_inventory_sources ansible_limit ansible_playbook_python ansible_run_tags ansible_skip_tags ansible_verbosity ansible_version inventory_dir inventory_file inventory_hostname inventory_hostname_short groups group_names omit playbook_dir".split(
    " ",
  ),
);

type Values = ReadonlyMap<string, PrintValue>;

interface ViewFields {
  readonly inventory: Inventory;
  readonly layers: HostLayers;
  readonly extraVars: Variables;
  readonly isExport: boolean;
}

class InventoryView {
  readonly inventory: Inventory;
  readonly extraVars: Variables;
  readonly #layers: HostLayers;
  readonly #isExport: boolean;

  constructor({ inventory, layers, extraVars, isExport }: ViewFields) {
    this.inventory = inventory;
    this.#layers = layers;
    this.extraVars = extraVars;
    this.#isExport = isExport;
  }

  inventoryLayers(host: InventoryHost): readonly Variables[] {
    return this.#layers.ofHost(host);
  }

  host(name: string): InventoryHost {
    const known = this.inventory.hosts.get(name);
    if (known !== undefined) return known;
    const [first, second] = matchPattern(name, this.inventory, { action: "choose the host" });
    if (first === undefined || second !== undefined) {
      throw badUsage(
        `"${name}" names ${first === undefined ? "no host" : "several hosts"}`,
        "--host takes one",
      );
    }
    return this.inventory.hosts.get(first) ?? implicitLocalhost(first);
  }

  hostJson(host: InventoryHost): string {
    return pythonJson(this.#hostVars(host));
  }

  list(): string {
    const printed = new Map<string, PrintValue>();
    this.#addGroup("all", printed, new Set());
    const hostvars = new Map<string, PrintValue>();
    for (const name of hostsOfGroup(this.inventory, "all")) {
      const host = this.inventory.hosts.get(name);
      const vars = host === undefined ? new Map() : this.#hostVars(host);
      if (vars.size > 0) hostvars.set(name, vars);
    }
    printed.set("_meta", new Map([["hostvars", hostvars]]));
    return pythonJson(printed);
  }

  #addGroup(name: string, printed: Map<string, PrintValue>, seen: Set<string>): void {
    if (seen.has(name)) return;
    seen.add(name);
    const group = this.#group(name);
    const parts = new Map<string, PrintValue>();
    if (name !== "all" && group.hosts.length > 0) parts.set("hosts", group.hosts);
    if (group.children.length > 0) parts.set("children", group.children);
    const vars = this.#isExport ? this.#groupVars(group) : new Map();
    if (vars.size > 0) parts.set("vars", vars);
    if (parts.size > 0) printed.set(name, parts);
    for (const child of group.children) this.#addGroup(child, printed, seen);
  }

  graph(start: string, showsVars: boolean): string {
    return this.#graphLines(this.#group(start), 0, showsVars).join("\n");
  }

  #graphLines(group: InventoryGroup, depth: number, showsVars: boolean): string[] {
    const hosts = group.name === "all" ? [] : group.hosts;
    return [
      branch(`@${group.name}:`, depth),
      ...group.children.flatMap((child) => this.#graphLines(this.#group(child), depth + 1, showsVars)),
      ...hosts.flatMap((name) => {
        const host = this.inventory.hosts.get(name);
        const vars = showsVars && host !== undefined ? varLines(this.#hostVars(host), depth + 2) : [];
        return [branch(name, depth + 1), ...vars];
      }),
      ...(showsVars ? varLines(this.#groupVars(group), depth + 1) : []),
    ];
  }

  #group(name: string): InventoryGroup {
    const group = this.inventory.groups.get(name);
    if (group !== undefined) return group;
    const near = nearest(name, this.inventory.groups.keys());
    throw new ProvisionError({
      code: "bad-usage",
      action: "draw the tree",
      state: `there is no group "${name}"`,
      fix: near === undefined ? undefined : `write "${near}" instead of "${name}"`,
    });
  }

  #hostVars(host: InventoryHost): Values {
    return nodesOf(
      this.#isExport ? this.#layers.ofHostAlone(host) : [...this.inventoryLayers(host), this.extraVars],
    );
  }

  #groupVars(group: InventoryGroup): Values {
    const vars = new Map(nodesOf(this.#layers.ofGroup(group)));
    if (group.priority !== 1) vars.set("ansible_group_priority", group.priority);
    return vars;
  }
}

function nodesOf(layers: readonly Variables[]): Values {
  const merged = new Map<string, Variable>(layers.flatMap((layer) => [...layer]));
  const shown = [...merged].filter(([name, variable]) => variable.kind === "template" && !magic.has(name));
  return new Map(
    shown.flatMap(([name, variable]) => (variable.kind === "template" ? [[name, variable.node]] : [])),
  );
}

const branch = (text: string, depth: number): string =>
  depth === 0 ? text : `${"  |".repeat(depth)}--${text}`;

function varLines(vars: Values, depth: number): string[] {
  return [...vars].sort(byName).map(([name, value]) => branch(`{${name} = ${shown(value)}}`, depth));
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

const shown = (value: PrintValue): string =>
  typeof value === "object" && "kind" in value ? pythonStr(value as SourceNode) : String(value);

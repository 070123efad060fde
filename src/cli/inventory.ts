/** `provision inventory`: what `ansible-inventory` prints, and where a variable's value comes from. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import { HostLayers } from "../provisioning/inventory/host-layers.ts";
import type { Inventory } from "../provisioning/inventory/inventory.ts";
import { loadInventory } from "../provisioning/inventory/load-inventory.ts";
import { matchPattern } from "../provisioning/inventory/match-pattern.ts";
import type { DecryptText } from "../provisioning/source/decrypt.ts";
import { LayeredScope } from "../provisioning/vars/precedence.ts";
import { type AnsibleConfig, readAnsibleConfig } from "./ansible-config.ts";
import { explainVariable } from "./explain-variable.ts";
import { readExtraVars } from "./extra-vars.ts";
import { defaultInventory } from "./inventory-source.ts";
import { InventoryView } from "./inventory-view.ts";
import { type CliIo, exitCodes } from "./io.ts";
import {
  badUsage,
  describeOptions,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "./parse-options.ts";
import { type PrintValue, pythonJson } from "./python-text.ts";
import { pythonToml } from "./python-toml.ts";
import { pythonYaml } from "./python-yaml.ts";
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
  { long: "yaml", short: "y", help: "with --list or --host: YAML instead of JSON" },
  { long: "toml", help: "with --list or --host: TOML instead of JSON" },
  { long: "output", takes: "FILE", help: "write into FILE instead" },
  { long: "limit", short: "l", takes: "PATTERN", repeat: true, help: "show only these hosts" },
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
  const extraVars = readExtraVars(given.all("extra-vars"), io.cwd, decrypt.decrypt);
  const view = new InventoryView({
    inventory,
    layers,
    extraVars,
    isExport: given.has("export"),
    limit: limitOf(given, inventory, io),
    countsPlaybooks: given.has("playbook-dir"),
  });
  const text = given.has("explain")
    ? await explanation({ given, io, config, view, decrypt: decrypt.decrypt })
    : textOf(verb, view, given, rest);
  show(text, given, io);
  return exitCodes.fine;
}

function limitOf(given: ParsedOptions, inventory: Inventory, io: CliIo): ReadonlySet<string> | undefined {
  const limit = given.all("limit");
  if (limit.length === 0) return undefined;
  return new Set(matchPattern(limit, inventory, { action: "limit the hosts", cwd: io.cwd }));
}

/** Into a file it goes as it is; on a terminal it ends its line. */
function show(text: string, given: ParsedOptions, io: CliIo): void {
  const file = given.value("output");
  if (file === undefined) {
    io.stdout(text.endsWith("\n") ? text : `${text}\n`);
    return;
  }
  try {
    writeFileSync(resolve(io.cwd, file), text);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    throw new ProvisionError({
      code: "bad-usage",
      action: `write "${file}"`,
      state: `the file cannot be written (${cause.code})`,
      cause,
    });
  }
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
  const { defaultPlaybook, rolePlaces } = await import("./prepare-run.ts");
  const { loadPlaybook } = await import("../provisioning/playbook/load-playbook.ts");
  const { catalogue } = await import("../provisioning/modules/index.ts");
  const { playbookLayers } = await import("./playbook-layers.ts");
  const file = given.value("playbook") ?? defaultPlaybook(io);
  const playbook = loadPlaybook(resolve(io.cwd, file), {
    catalogue,
    ...rolePlaces(io, config),
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
  const source = given.rest[0] ?? given.value("inventory") ?? "INVENTORY";
  const what = given.has("explain")
    ? `--host HOST --explain ${given.value("explain")}`
    : `--${verb ?? "list"}`;
  throw badUsage(
    state,
    "one of --list, --host HOST and --graph says what to print",
    `provision inventory ${source} ${what}`,
  );
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
  const values = (ofList: () => ReadonlyMap<string, PrintValue>): ReadonlyMap<string, PrintValue> =>
    verb === "list" ? ofList() : view.hostVars(view.host(given.value("host") ?? ""));
  if (given.has("yaml")) return pythonYaml(values(() => view.tree()));
  if (given.has("toml")) return pythonToml(values(() => view.tables()));
  return pythonJson(values(() => view.list()));
}

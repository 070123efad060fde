/** What `provision inventory` shows of an inventory: the values and trees of `ansible-inventory`, not yet as text. */
import { ProvisionError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { hostsOfGroup } from "../provisioning/inventory/group-order.ts";
import type { HostLayers, Variables } from "../provisioning/inventory/host-layers.ts";
import type { Inventory, InventoryGroup, InventoryHost } from "../provisioning/inventory/inventory.ts";
import { implicitLocalhost, matchPattern } from "../provisioning/inventory/match-pattern.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import type { Variable } from "../provisioning/vars/variable.ts";
import { badUsage } from "./parse-options.ts";
import { type PrintValue, pythonStr } from "./python-text.ts";

/** Names that Ansible itself sets for every host: never printed. */
const magic: ReadonlySet<string> = new Set(
  "ansible_diff_mode ansible_config_file ansible_facts ansible_forks ansible_inventory_sources ansible_limit ansible_playbook_python ansible_run_tags ansible_skip_tags ansible_verbosity ansible_version inventory_dir inventory_file inventory_hostname inventory_hostname_short groups group_names omit playbook_dir".split(
    " ",
  ),
);

type Values = ReadonlyMap<string, PrintValue>;

export interface InventoryViewFields {
  readonly inventory: Inventory;
  readonly layers: HostLayers;
  readonly extraVars: Variables;
  /** Variables where they are defined, not flattened into hosts. */
  readonly isExport: boolean;
  /** Hosts that are shown; undefined: all. */
  readonly limit: ReadonlySet<string> | undefined;
  /** A folder of playbooks was named: what stands beside them is a group's own too. */
  readonly countsPlaybooks: boolean;
}

export class InventoryView {
  readonly inventory: Inventory;
  readonly extraVars: Variables;
  readonly #layers: HostLayers;
  readonly #isExport: boolean;
  readonly #limit: ReadonlySet<string> | undefined;
  readonly #countsPlaybooks: boolean;

  constructor({ inventory, layers, extraVars, isExport, limit, countsPlaybooks }: InventoryViewFields) {
    this.inventory = inventory;
    this.#layers = layers;
    this.extraVars = extraVars;
    this.#isExport = isExport;
    this.#limit = limit;
    this.#countsPlaybooks = countsPlaybooks;
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

  /** Without `--export` what counts for it, of all sources. */
  hostVars(host: InventoryHost): Values {
    return nodesOf(
      this.#isExport
        ? this.#layers.ofHostAlone(host, this.#countsPlaybooks)
        : [...this.inventoryLayers(host), this.extraVars],
    );
  }

  /** As a dynamic inventory prints it: groups beside each other, and _meta. */
  list(): Values {
    const printed = new Map<string, PrintValue>();
    this.#addGroup("all", printed, new Set());
    const hostvars = new Map<string, PrintValue>();
    for (const name of this.#shownHosts(hostsOfGroup(this.inventory, "all"))) {
      const vars = this.#varsOf(name);
      if (vars.size > 0) hostvars.set(name, vars);
    }
    printed.set("_meta", new Map([["hostvars", hostvars]]));
    return printed;
  }

  #addGroup(name: string, printed: Map<string, PrintValue>, seen: Set<string>): void {
    if (seen.has(name)) return;
    seen.add(name);
    const group = this.#group(name);
    const parts = new Map<string, PrintValue>();
    const hosts = this.#hostsOf(group);
    if (hosts.length > 0) parts.set("hosts", hosts);
    if (group.children.length > 0) parts.set("children", group.children);
    const vars = this.#isExport ? this.#groupVars(group) : noValues;
    if (vars.size > 0) parts.set("vars", vars);
    if (parts.size > 0) printed.set(name, parts);
    for (const child of group.children) this.#addGroup(child, printed, seen);
  }

  /** As a YAML inventory is written: groups inside each other. A host's variables stand where it is named first. */
  tree(): Values {
    return new Map([["all", this.#branchOf(this.#group("all"), new Set())]]);
  }

  #branchOf(group: InventoryGroup, seen: Set<string>): Values {
    const children = new Map(
      group.children.map((name): [string, PrintValue] => [name, this.#branchOf(this.#group(name), seen)]),
    );
    const hosts = this.#hostEntries(group, seen);
    const vars = this.#isExport ? this.#groupVars(group) : noValues;
    return new Map(Object.entries({ children, hosts, vars }).filter(([, values]) => values.size > 0));
  }

  /** As a TOML inventory is written: a table a group. */
  tables(): Values {
    const printed = new Map<string, PrintValue>();
    this.#addTable(this.#group("all"), printed, { groups: new Set(), hosts: new Set() });
    return printed;
  }

  /** A group below two others is written once: Ansible writes it again, and loses its hosts' variables. */
  #addTable(
    group: InventoryGroup,
    printed: Map<string, PrintValue>,
    seen: { readonly groups: Set<string>; readonly hosts: Set<string> },
  ): void {
    if (seen.groups.has(group.name)) return;
    seen.groups.add(group.name);
    const table = new Map<string, PrintValue>();
    printed.set(group.name, table);
    const hasUngrouped = this.#group("ungrouped").hosts.length > 0;
    const children = group.children.filter((name) => name !== "ungrouped" || hasUngrouped);
    for (const name of children) this.#addTable(this.#group(name), printed, seen);
    if (group.name !== "all" && children.length > 0) table.set("children", children);
    const hosts = this.#hostEntries(group, seen.hosts);
    if (hosts.size > 0) table.set("hosts", hosts);
    const vars = this.#isExport ? this.#groupVars(group) : noValues;
    if (vars.size > 0) table.set("vars", vars);
    if (table.size === 0) printed.delete(group.name);
  }

  #hostEntries(group: InventoryGroup, seen: Set<string>): Values {
    return new Map(
      this.#hostsOf(group).map((name): [string, PrintValue] => {
        const isFirst = !seen.has(name);
        seen.add(name);
        return [name, isFirst ? this.#varsOf(name) : new Map()];
      }),
    );
  }

  graph(start: string, showsVars: boolean): string {
    return this.#graphLines(this.#group(start), 0, showsVars).join("\n");
  }

  #graphLines(group: InventoryGroup, depth: number, showsVars: boolean): string[] {
    return [
      branch(`@${group.name}:`, depth),
      ...group.children.flatMap((child) => this.#graphLines(this.#group(child), depth + 1, showsVars)),
      ...this.#hostsOf(group).flatMap((name) => {
        const vars = showsVars ? varLines(this.#varsOf(name), depth + 2) : [];
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

  /** Its own. Those of "all" stand under "ungrouped". */
  #hostsOf(group: InventoryGroup): readonly string[] {
    return group.name === "all" ? [] : this.#shownHosts(group.hosts);
  }

  #shownHosts(names: readonly string[]): readonly string[] {
    const limit = this.#limit;
    return limit === undefined ? names : names.filter((name) => limit.has(name));
  }

  #varsOf(name: string): Values {
    const host = this.inventory.hosts.get(name);
    return host === undefined ? noValues : this.hostVars(host);
  }

  #groupVars(group: InventoryGroup): Values {
    const vars = new Map(nodesOf(this.#layers.ofGroup(group, this.#countsPlaybooks)));
    if (group.priority !== 1) vars.set("ansible_group_priority", group.priority);
    return vars;
  }
}

const noValues: Values = new Map();

function nodesOf(layers: readonly Variables[]): Values {
  const merged = new Map<string, Variable>(layers.flatMap((layer) => [...layer]));
  return new Map(
    [...merged].flatMap(([name, variable]): [string, SourceNode][] =>
      variable.kind === "template" && !magic.has(name) ? [[name, variable.node]] : [],
    ),
  );
}

const branch = (text: string, depth: number): string =>
  depth === 0 ? text : `${"  |".repeat(depth)}--${text}`;

function varLines(vars: Values, depth: number): string[] {
  return [...vars].sort(byName).map(([name, value]) => branch(`{${name} = ${shown(value)}}`, depth));
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number =>
  a < b ? -1 : a > b ? 1 : 0;

/** Ansible shows a vault value in clear, or fails without its password. */
function shown(value: PrintValue): string {
  if (typeof value !== "object" || !("kind" in value)) return String(value);
  return value.kind === "scalar" && value.tag === "!vault" ? "a vault value" : pythonStr(value);
}

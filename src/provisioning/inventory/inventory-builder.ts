import type { Span } from "../../base/errors.ts";
import type { SourceNode } from "../source/node.ts";
import type { Variable } from "../vars/variable.ts";
import type { Inventory, InventoryGroup, InventoryHost } from "./inventory.ts";
import { inventoryError } from "./inventory-errors.ts";
import { limits } from "./limits.ts";

interface GroupDraft {
  readonly name: string;
  readonly vars: Map<string, Variable>;
  readonly children: Set<string>;
  readonly parents: Set<string>;
  readonly hosts: Set<string>;
  priority: number;
  declaredAt: Span | undefined;
}
interface HostDraft {
  readonly name: string;
  readonly vars: Map<string, Variable>;
  readonly groups: Set<string>;
  readonly file: string;
  readonly declaredAt: Span | undefined;
  readonly port: number | undefined;
}
/** What one line or entry says of hosts. */
export interface NamedHosts {
  readonly names: readonly string[];
  readonly port?: number | undefined;
  readonly group: string;
  readonly file: string;
  readonly span?: Span;
}

/** Collects what the sources say, in the order in which they say it: that order is Ansible's order of hosts and groups. */
export class InventoryBuilder {
  readonly #groups = new Map<string, GroupDraft>();
  readonly #hosts = new Map<string, HostDraft>();

  constructor() {
    this.addGroup("all");
    this.addGroup("ungrouped");
    this.addChild("all", "ungrouped", undefined);
  }

  hasGroup(name: string): boolean {
    return this.#groups.has(name);
  }

  addGroup(name: string, declaredAt?: Span): void {
    const known = this.#groups.get(name);
    if (known !== undefined) {
      known.declaredAt ??= declaredAt;
      return;
    }
    this.#groups.set(name, {
      name,
      vars: new Map(),
      children: new Set(),
      parents: new Set(),
      hosts: new Set(),
      priority: 1,
      declaredAt,
    });
  }

  addHosts({ names, port, group, file, span }: NamedHosts): void {
    for (const name of names) {
      const known = this.#hosts.get(name);
      if (known === undefined) this.#hosts.set(name, newHost(name, file, span, port));
      else if (port !== undefined && port !== known.port) throw otherPort(known, port, file, span);
      this.#group(group).hosts.add(name);
      this.#hosts.get(name)?.groups.add(group);
    }
    if (this.#hosts.size > limits.hosts) {
      throw inventoryError(file, span, `it names more than ${limits.hosts} hosts`);
    }
  }

  addChild(parent: string, child: string, span: Span | undefined): void {
    if (parent === child || child === "all" || this.#isAncestor(child, parent)) {
      throw inventoryError(span?.file ?? "inventory", span, `group "${child}" would hold itself`, {
        why: whyLoop(parent, child),
        fix: `take "${child}" out of [${parent}:children]`,
      });
    }
    this.#group(parent).children.add(child);
    this.#group(child).parents.add(parent);
  }

  setGroupVar(group: string, name: string, node: SourceNode): void {
    const draft = this.#group(group);
    if (name === "ansible_group_priority") draft.priority = priorityOf(node);
    else draft.vars.set(name, variable(node, `inventory vars of group ${group}`));
  }

  setHostVar(host: string, name: string, node: SourceNode): void {
    this.#hosts.get(host)?.vars.set(name, variable(node, `inventory line of host ${host}`));
  }

  build(sources: readonly string[]): Inventory {
    this.#attachToAll();
    this.#settleUngrouped();
    this.#refuseSharedNames();
    const depths = this.#depths();
    const hosts = [...this.#hosts.values()].map((draft): [string, InventoryHost] => [
      draft.name,
      {
        name: draft.name,
        vars: draft.vars,
        groups: [...draft.groups],
        file: draft.file,
        span: draft.declaredAt,
      },
    ]);
    const groups = [...this.#groups.values()].map((draft): [string, InventoryGroup] => [
      draft.name,
      {
        name: draft.name,
        vars: draft.vars,
        children: [...draft.children],
        hosts: [...draft.hosts],
        priority: draft.priority,
        depth: depths.get(draft.name) ?? 0,
      },
    ]);
    return { hosts: new Map(hosts), groups: new Map(groups), sources };
  }

  #group(name: string): GroupDraft {
    const group = this.#groups.get(name);
    if (group === undefined) throw new Error(`group "${name}" was never added`);
    return group;
  }

  #isAncestor(candidate: string, of: string): boolean {
    const open = [of];
    const seen = new Set<string>();
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (name === candidate) return true;
      if (seen.has(name)) continue;
      seen.add(name);
      open.push(...this.#group(name).parents);
    }
    return false;
  }

  #attachToAll(): void {
    for (const group of this.#groups.values()) {
      if (group.name !== "all" && group.parents.size === 0) this.addChild("all", group.name, undefined);
    }
  }

  #settleUngrouped(): void {
    const ungrouped = this.#group("ungrouped");
    for (const host of this.#hosts.values()) {
      const isGrouped = [...host.groups].some((name) => name !== "all" && name !== "ungrouped");
      if (isGrouped) {
        host.groups.delete("ungrouped");
        ungrouped.hosts.delete(host.name);
      } else {
        host.groups.add("ungrouped");
        ungrouped.hosts.add(host.name);
      }
    }
  }

  #refuseSharedNames(): void {
    for (const host of this.#hosts.values()) {
      const group = this.#groups.get(host.name);
      if (group === undefined) continue;
      const { declaredAt } = group;
      const isGiven = host.name === "all" || host.name === "ungrouped";
      if (!isGiven && (declaredAt === undefined || host.declaredAt === undefined)) continue;
      const place =
        declaredAt === undefined ? "in every inventory" : `in ${declaredAt.file}:${declaredAt.line}`;
      throw inventoryError(host.file, host.declaredAt, `"${host.name}" is a host and a group`, {
        why: `the group is ${place}; patterns and variables could mean either`,
        fix: "rename the group or the host",
      });
    }
  }

  /** The longest way down from "all". */
  #depths(): ReadonlyMap<string, number> {
    const depths = new Map<string, number>();
    const depthOf = (name: string): number => {
      const known = depths.get(name);
      if (known !== undefined) return known;
      const depth = Math.max(-1, ...[...this.#group(name).parents].map(depthOf)) + 1;
      depths.set(name, depth);
      return depth;
    };
    for (const name of this.#groups.keys()) depthOf(name);
    return depths;
  }
}

function whyLoop(parent: string, child: string): string {
  if (child === "all") return '"all" is above every group';
  if (parent === child) return "a group cannot be its own child";
  return `"${parent}" is already below "${child}", so "${child}" cannot be below "${parent}"`;
}

function newHost(name: string, file: string, span: Span | undefined, port: number | undefined): HostDraft {
  const vars = new Map<string, Variable>();
  if (port !== undefined && span !== undefined) {
    vars.set(
      "ansible_port",
      variable({ kind: "scalar", value: port, span }, `inventory line of host ${name}`),
    );
  }
  return { name, vars, groups: new Set(), file, declaredAt: span, port };
}

function otherPort(known: HostDraft, port: number, file: string, span: Span | undefined): Error {
  const { name, declaredAt } = known;
  const place = declaredAt === undefined ? known.file : `${declaredAt.file}:${declaredAt.line}`;
  const before = known.port === undefined ? "without one" : `with port ${known.port}`;
  return inventoryError(file, span, `host "${name}" is given port ${port}, and was named ${before}`, {
    why: `it was first named in ${place}; Ansible passes over ports that come later`,
    fix: `ansible_port=${port}`,
  });
}

const variable = (node: SourceNode, layer: string): Variable => ({
  kind: "template",
  node,
  origin: { layer, span: node.span },
});

function priorityOf(node: SourceNode): number {
  const value = node.kind === "scalar" ? Number(node.value) : Number.NaN;
  if (Number.isInteger(value)) return value;
  throw inventoryError(node.span.file, node.span, "ansible_group_priority is no whole number", {
    fix: "write a number such as 10",
  });
}

/** add_host and group_by: an inventory with one more host, or a host in more groups. */
import type { Inventory, InventoryGroup, InventoryHost } from "../inventory/inventory.ts";
import type { Variable } from "../vars/variable.ts";

export interface HostGrowth {
  readonly name: string;
  readonly groups: readonly string[];
  readonly vars: ReadonlyMap<string, Variable>;
}

/** The same object when nothing is new. */
export function growInventory(inventory: Inventory, { name, groups, vars }: HostGrowth): Inventory {
  const old = inventory.hosts.get(name);
  const joins = groups.filter((group) => !(old?.groups ?? []).includes(group));
  if (old !== undefined && joins.length === 0 && vars.size === 0) return inventory;
  const hosts = new Map(inventory.hosts);
  const allGroups = new Map(inventory.groups);
  hosts.set(name, grownHost(name, old, joins, vars));
  for (const group of joins) join(allGroups, group, name);
  if (old === undefined && joins.length === 0) join(allGroups, "ungrouped", name);
  if (joins.length > 0) leaveUngrouped(allGroups, name);
  return { ...inventory, hosts, groups: allGroups };
}

const grownHost = (
  name: string,
  old: InventoryHost | undefined,
  joins: readonly string[],
  vars: ReadonlyMap<string, Variable>,
): InventoryHost => ({
  ...old,
  name,
  vars: new Map([...(old?.vars ?? []), ...vars]),
  groups: [...(old?.groups ?? []).filter((group) => group !== "ungrouped" || joins.length === 0), ...joins],
});

function join(groups: Map<string, InventoryGroup>, name: string, host: string): void {
  const known = groups.get(name);
  if (known !== undefined) {
    groups.set(name, { ...known, hosts: [...new Set([...known.hosts, host])] });
    return;
  }
  groups.set(name, { name, vars: new Map(), children: [], hosts: [host], priority: 1, depth: 1 });
  const all = groups.get("all");
  if (all !== undefined) groups.set("all", { ...all, children: [...all.children, name] });
}

function leaveUngrouped(groups: Map<string, InventoryGroup>, host: string): void {
  const ungrouped = groups.get("ungrouped");
  if (ungrouped === undefined || !ungrouped.hosts.includes(host)) return;
  groups.set("ungrouped", { ...ungrouped, hosts: ungrouped.hosts.filter((each) => each !== host) });
}

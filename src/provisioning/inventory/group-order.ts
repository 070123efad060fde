import type { Inventory, InventoryGroup, InventoryHost } from "./inventory.ts";

/** A group's hosts and those of all groups below, in Ansible's order: level by level. The magic variable `groups`. */
export function hostsOfGroup(inventory: Inventory, name: string): readonly string[] {
  const hosts = new Set<string>();
  let level: readonly string[] = [name];
  const seen = new Set<string>(level);
  while (level.length > 0) {
    const groups = level.flatMap((each) => inventory.groups.get(each) ?? []);
    for (const group of groups) for (const host of group.hosts) hosts.add(host);
    level = groups.flatMap((group) => group.children).filter((child) => !seen.has(child) && seen.add(child));
  }
  return [...hosts];
}

/** Every group above a host, direct or not, from the weakest to the strongest: depth, priority, name. */
export function groupsOfHost(inventory: Inventory, host: InventoryHost): readonly InventoryGroup[] {
  const parents = parentsOf(inventory);
  const found = new Set<string>(["all"]);
  const open = [...host.groups];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name !== "all" && found.has(name)) continue;
    found.add(name);
    open.push(...(parents.get(name) ?? []));
  }
  return [...found].flatMap((name) => inventory.groups.get(name) ?? []).sort(weakestFirst);
}

/** The magic variable `group_names`: all of a host's groups but "all", by name. */
export function groupNamesOf(inventory: Inventory, host: InventoryHost): readonly string[] {
  const names = groupsOfHost(inventory, host).map((group) => group.name);
  return names.filter((name) => name !== "all").sort(byCode);
}

const byCode = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const weakestFirst = (a: InventoryGroup, b: InventoryGroup): number =>
  a.depth - b.depth || a.priority - b.priority || byCode(a.name, b.name);

type Parents = ReadonlyMap<string, readonly string[]>;
const parentsCache = new WeakMap<Inventory, Parents>();

function parentsOf(inventory: Inventory): Parents {
  const known = parentsCache.get(inventory);
  if (known !== undefined) return known;
  const parents = new Map<string, string[]>();
  for (const group of inventory.groups.values()) {
    for (const child of group.children) parents.set(child, [...(parents.get(child) ?? []), group.name]);
  }
  parentsCache.set(inventory, parents);
  return parents;
}

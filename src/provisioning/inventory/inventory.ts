/** Hosts and groups as loaded from all sources, in Ansible's order. Filled in by inventory/load-inventory.ts. */
import type { SourceNode } from "../source/node.ts";
import type { Variable } from "../vars/variable.ts";

export interface Inventory {
  /** By name, in inventory order. Implicit localhost is not in here. */
  readonly hosts: ReadonlyMap<string, InventoryHost>;
  /** Always holds "all" and "ungrouped". */
  readonly groups: ReadonlyMap<string, InventoryGroup>;
  /** Files and folders given by -i, for group_vars/ and host_vars/ beside them. */
  readonly sources: readonly string[];
}
export interface InventoryHost {
  readonly name: string;
  /** From host lines; host_vars files come through vars/precedence. */
  readonly vars: ReadonlyMap<string, Variable>;
  /** Direct groups, in order. */
  readonly groups: readonly string[];
}
export interface InventoryGroup {
  readonly name: string;
  readonly vars: ReadonlyMap<string, Variable>;
  readonly children: readonly string[];
  /** Direct hosts. */
  readonly hosts: readonly string[];
  readonly priority: number;
  /** Distance from "all". */
  readonly depth: number;
}
export type VarsFile = { readonly path: string; readonly vars: ReadonlyMap<string, SourceNode> };

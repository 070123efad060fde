/**
 * Hosts and groups as loaded from all sources, in Ansible's order. Filled in by inventory/load-inventory.ts.
 *
 * load-inventory.ts finds out what a source is and gives its text to parse-ini, parse-yaml-inventory or run-script;
 * these tell an InventoryBuilder, which settles order, "ungrouped" and depths. match-pattern.ts answers patterns,
 * group-order.ts walks the group tree, vars-files.ts finds and reads group_vars/ and host_vars/. host-layers.ts puts both in
 * Ansible's order for a host. What plays, roles and facts lay over them is vars/precedence.ts's business.
 */
import type { Span } from "../../base/errors.ts";
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
  /** From host lines; host_vars files come through host-layers.ts. */
  readonly vars: ReadonlyMap<string, Variable>;
  /** Direct groups, in order. */
  readonly groups: readonly string[];
  /** The source that named it first: `inventory_file`. */
  readonly file?: string;
  /** Where it was named first; unknown of what a program printed. */
  readonly span?: Span | undefined;
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

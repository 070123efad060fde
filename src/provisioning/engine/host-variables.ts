/** What inventory and vars files say of a host: merged once for each inventory and playbook folder. */
import { HostLayers } from "../inventory/host-layers.ts";
import type { Inventory } from "../inventory/inventory.ts";
import { implicitLocalhost, isImplicitLocalhost } from "../inventory/match-pattern.ts";
import type { Variable } from "../vars/variable.ts";
import type { RunState } from "./run-state.ts";

interface Kept {
  readonly layers: HostLayers;
  readonly merged: Map<string, ReadonlyMap<string, Variable>>;
}
const keptOf = new WeakMap<Inventory, Map<string, Kept>>();

export function hostVariables(
  run: RunState,
  name: string,
  playbookDir: string,
): ReadonlyMap<string, Variable> {
  const { inventory } = run;
  const byDir = keptOf.get(inventory) ?? new Map<string, Kept>();
  keptOf.set(inventory, byDir);
  const kept = byDir.get(playbookDir) ?? {
    layers: new HostLayers(inventory, { playbookDirs: [playbookDir], decrypt: run.request.openVault }),
    merged: new Map<string, ReadonlyMap<string, Variable>>(),
  };
  byDir.set(playbookDir, kept);
  const known = kept.merged.get(name);
  if (known !== undefined) return known;
  const merged = mergedOf(inventory, kept.layers, name);
  kept.merged.set(name, merged);
  return merged;
}

function mergedOf(inventory: Inventory, layers: HostLayers, name: string): ReadonlyMap<string, Variable> {
  const listed = inventory.hosts.get(name);
  if (listed !== undefined) return layers.merged(listed);
  return isImplicitLocalhost(name, inventory) ? layers.merged(implicitLocalhost(name)) : new Map();
}

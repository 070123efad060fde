/** Masters of an inventory, checked before any host is touched, when a play gives them a ZooKeeper ensemble. */
import { dirname } from "node:path";
import type { ProvisionError } from "../base/errors.ts";
import { checkMasters, type FoundVariable } from "../cluster/operations/check-masters.ts";
import type { RunRequest } from "../provisioning/engine/run-request.ts";
import { HostLayers } from "../provisioning/inventory/host-layers.ts";
import { matchPattern } from "../provisioning/inventory/match-pattern.ts";
import { toPlain } from "../provisioning/source/to-plain.ts";
import type { Variable } from "../provisioning/vars/variable.ts";

const mastersGroup = "mesos_masters";

export function checkClusterMasters({
  inventory,
  playbooks,
  extraVars,
  openVault,
}: RunRequest): ProvisionError[] {
  if (!inventory.groups.has(mastersGroup)) return [];
  const playbookDirs = playbooks.map(({ file }) => dirname(file));
  const layers = new HostLayers(inventory, { playbookDirs, decrypt: openVault });
  const varsOf = (name: string): ReadonlyMap<string, Variable> => {
    const host = inventory.hosts.get(name);
    return host === undefined ? new Map() : layers.merged(host);
  };
  return checkMasters({
    masters: matchPattern(mastersGroup, inventory),
    variable: (host, name) => plainVariable(extraVars.get(name) ?? varsOf(host).get(name)),
    placeOf: (host) => inventory.hosts.get(host)?.span,
  });
}

function plainVariable(variable: Variable | undefined): FoundVariable | undefined {
  if (variable === undefined) return undefined;
  const value = variable.kind === "data" ? variable.value : toPlain(variable.node);
  return { value, span: variable.origin.span };
}

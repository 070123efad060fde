/**
 * What must be right of an inventory before any host of a cluster is touched: each master has its own zoo_id, and their
 * number is odd. Pure: the caller says how a host's variable is found.
 */
import { ProvisionError, type Span } from "../../base/errors.ts";
import type { JsonValue } from "../../base/json.ts";

export interface MastersToCheck {
  readonly masters: readonly string[];
  variable(host: string, name: string): FoundVariable | undefined;
  /** Where the inventory names the host, or the group. */
  placeOf(host: string): Span | undefined;
}
export interface FoundVariable {
  readonly value: JsonValue;
  readonly span?: Span | undefined;
}

const maxZooId = 255;
const rule = `each master needs a zoo_id of its own, an integer from 1 to ${maxZooId}: ZooKeeper's name for it in the ensemble`;

export function checkMasters({ masters, variable, placeOf }: MastersToCheck): ProvisionError[] {
  const owners = new Map<number, string>();
  const faults = masters.flatMap((host) => {
    const found = variable(host, "zoo_id");
    const state = zooIdFault(host, found?.value, owners);
    return state === undefined ? [] : [{ host, state, span: found?.span ?? placeOf(host) }];
  });
  const errors = faults.map((fault) => zooIdError({ ...fault, free: takeFreeId(fault.host, owners) }));
  const [first] = masters;
  if (
    first !== undefined &&
    masters.length % 2 === 0 &&
    !isAllowed(variable(first, "allow_even_masters")?.value)
  ) {
    errors.push(evenError(masters, placeOf(masters.at(-1) ?? first)));
  }
  return errors;
}

const isAllowed = (value: JsonValue | undefined): boolean =>
  value === true || ["true", "yes", "on", "1"].includes(String(value).toLowerCase());

function zooIdFault(
  host: string,
  value: JsonValue | undefined,
  owners: Map<number, string>,
): string | undefined {
  if (value === undefined) return `host "${host}" has no zoo_id`;
  const id = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof id !== "number" || !Number.isInteger(id) || id < 1 || id > maxZooId) {
    return `host "${host}" has zoo_id ${JSON.stringify(value)}`;
  }
  const owner = owners.get(id);
  if (owner !== undefined) return `hosts "${owner}" and "${host}" both have zoo_id ${id}`;
  owners.set(id, host);
  return undefined;
}

/** One that no other host has, nor was told to take. */
function takeFreeId(host: string, owners: Map<number, string>): number {
  let id = 1;
  while (owners.has(id)) id += 1;
  owners.set(id, host);
  return id;
}

interface ZooIdFault {
  readonly host: string;
  readonly state: string;
  readonly span: Span | undefined;
  readonly free: number;
}

const zooIdError = ({ host, state, span, free }: ZooIdFault): ProvisionError =>
  new ProvisionError({
    code: "bad-zoo-id",
    action: "form a ZooKeeper ensemble",
    state,
    span,
    why: rule,
    fix: `write "${host} zoo_id=${free}" under [mesos_masters]`,
  });

const evenError = (masters: readonly string[], span: Span | undefined): ProvisionError =>
  new ProvisionError({
    code: "even-masters",
    action: "form a ZooKeeper ensemble",
    state: `group "mesos_masters" has ${masters.length} hosts`,
    span,
    why: `a quorum is more than half: ${masters.length} masters survive no more failures than ${masters.length - 1}`,
    fix: "add or remove a master, or write allow_even_masters=true under [mesos_masters:vars]",
  });

/** `meta:` actions: they concern the walk itself, so they are carried out here, once all hosts have come to them. */
import { ProvisionError } from "../../base/errors.ts";
import type { Ahead, Frame } from "./frame.ts";
import type { RunHost } from "./run-host.ts";
import type { Walker } from "./walker.ts";

export interface MetaRequest {
  readonly host: RunHost;
  readonly action: string;
}
export interface MetaPlace {
  readonly hosts: readonly RunHost[];
  readonly frame: Frame;
  readonly ahead: Ahead;
}

export async function applyMeta(
  walker: Walker,
  requests: readonly MetaRequest[],
  place: MetaPlace,
): Promise<void> {
  const byAction = new Map<string, RunHost[]>();
  for (const { host, action } of requests) byAction.set(action, [...(byAction.get(action) ?? []), host]);
  for (const [action, hosts] of byAction) await applyOne(walker, action, hosts, place);
}

async function applyOne(
  walker: Walker,
  action: string,
  hosts: readonly RunHost[],
  place: MetaPlace,
): Promise<void> {
  const { play } = walker;
  switch (action) {
    case "noop":
      return;
    case "flush_handlers":
      return walker.flush(hosts, place.ahead);
    case "end_host":
      for (const host of hosts) host.stop ??= { why: "ended", isGone: true };
      return;
    case "end_play":
      play.isEnded = true;
      for (const host of play.batch) host.stop ??= { why: "ended" };
      return;
    case "end_batch":
      for (const host of play.batch) host.stop ??= { why: "ended" };
      return;
    case "end_role":
      play.endedRoles.push({ role: place.frame.roles.at(-1)?.role, hosts: new Set(hosts) });
      return;
    case "clear_facts":
      for (const host of hosts) {
        host.facts = undefined;
        host.factKinds = undefined;
      }
      return;
    case "clear_host_errors":
      for (const host of play.run.hosts()) host.isLost = false;
      // They take part again from the next play on, not in the rest of this one.
      for (const host of play.batch) if (host.stop !== undefined) host.stop = { why: "ended", isGone: true };
      return;
    case "refresh_inventory":
      await play.run.refreshInventory();
      return;
    case "reset_connection":
      await Promise.all(hosts.map((host) => play.run.machines.reset(host)));
      return;
    default:
      throw new ProvisionError({
        code: "bad-argument",
        action: `carry out "meta: ${action}"`,
        state: `there is no meta action "${action}"`,
        why: "meta takes flush_handlers, end_host, end_play, end_batch, clear_facts, clear_host_errors, refresh_inventory, reset_connection, noop",
      });
  }
}

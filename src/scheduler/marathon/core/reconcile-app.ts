/**
 * Brings one app's instances nearer to its target: stops what is too much, queues what is missing. Counts only what is
 * there, so it can be called after every event and any number of times.
 */
import type { AppDefinition, AppId } from "../model/app.ts";
import { type Instance, isToLive } from "../model/instance.ts";
import type { Draft } from "./draft.ts";
import { chooseVictims, retireInstance, stopInstance } from "./kill.ts";
import { isHealthy, isReady } from "./readiness.ts";
import { rollingMove } from "./rolling.ts";
import { instancesOf, type MarathonState } from "./state.ts";
import { type Target, targetOf } from "./target.ts";

export function reconcileApp(draft: Draft, appId: AppId): void {
  const target = targetOf(draft.state, appId);
  const living = livingOf(draft.state, appId, target.definition, draft.now);
  const missing = target.mode === "upgrade" ? upgrade(draft, target, living) : keep(draft, target, living);
  queue(draft, appId, target.definition, missing);
}

/** To live, and not given up: an unreachable instance counts until its strategy calls it inactive. */
export function livingOf(
  state: MarathonState,
  appId: AppId,
  definition: AppDefinition | undefined,
  now: number,
): readonly Instance[] {
  return [...instancesOf(state, appId).values()].filter(
    (instance) => isToLive(instance) && !isInactive(instance, definition, now),
  );
}

export function isInactive(instance: Instance, definition: AppDefinition | undefined, now: number): boolean {
  if (instance.condition !== "unreachable") return false;
  const strategy = definition?.unreachableStrategy ?? { inactiveAfterSeconds: 0 };
  if (strategy === "disabled") return false;
  return now >= (instance.unreachableSince ?? now) + strategy.inactiveAfterSeconds * 1000;
}

function keep(draft: Draft, target: Target, living: readonly Instance[]): number {
  const surplus = living.length - target.instances;
  if (surplus > 0) {
    for (const victim of chooseVictims(draft.state, target.definition, living, surplus)) {
      // Of an app that goes as a whole, nobody can take over.
      if (target.instances > 0) retireInstance(draft, victim);
      else stopInstance(draft, victim);
    }
  }
  return Math.max(0, -surplus);
}

function upgrade(draft: Draft, target: Target, living: readonly Instance[]): number {
  const { definition } = target;
  if (definition === undefined) return keep(draft, target, living);
  const fresh = living.filter((instance) => isFresh(instance, definition));
  const old = living.filter((instance) => !isFresh(instance, definition));
  if (old.length === 0) return keep(draft, target, living);
  const move = rollingMove(
    {
      wanted: target.instances,
      old: old.length,
      oldHealthy: old.filter((instance) => isHealthy(draft.state, instance)).length,
      fresh: fresh.length,
      freshReady: fresh.filter((instance) => isReady(draft.state, instance)).length,
    },
    definition.upgradeStrategy,
  );
  for (const victim of chooseVictims(draft.state, definition, old, move.kill)) retireInstance(draft, victim);
  return move.start;
}

export const isFresh = (instance: Instance, definition: AppDefinition): boolean =>
  instance.configVersion === definition.lastConfigChangeAt;

function queue(draft: Draft, appId: AppId, definition: AppDefinition | undefined, count: number): void {
  const entry = draft.state.queue.get(appId);
  if (count === 0 || definition === undefined) {
    if (entry !== undefined) draft.set("queue", appId, undefined);
    return;
  }
  if (entry?.version === definition.version) {
    const raisedAt = count > entry.count ? raisedNow(draft) : entry.raisedAt;
    if (entry.count !== count) draft.set("queue", appId, { ...entry, count, raisedAt });
    return;
  }
  draft.set("queue", appId, {
    count,
    since: draft.now,
    raisedAt: raisedNow(draft),
    version: definition.version,
    processedOffers: 0,
    unusedOffers: 0,
    rejections: {},
    lastOffers: { processed: 0, rejections: {} },
  });
}

/** Later than the last REVIVE, even within its millisecond. */
const raisedNow = (draft: Draft): number => Math.max(draft.now, draft.state.link.revivedAt + 1);

/** Launches of an app that keeps failing wait longer and longer; a quiet while or a new configuration forgets it. */
import type { AppDefinition, AppId } from "../model/app.ts";
import type { Draft } from "./draft.ts";
import type { Backoff, MarathonState } from "./state.ts";

export function increaseBackoff(draft: Draft, definition: AppDefinition): void {
  const before = draft.state.backoffs.get(definition.id);
  const same =
    before?.configVersion === definition.lastConfigChangeAt && !isForgotten(before, definition, draft.now);
  const delayMs = same
    ? Math.min(definition.maxLaunchDelaySeconds * 1000, before.delayMs * definition.backoffFactor)
    : definition.backoffSeconds * 1000;
  draft.set("backoffs", definition.id, {
    configVersion: definition.lastConfigChangeAt,
    delayMs,
    until: draft.now + delayMs,
  });
}

/** A backoff that saw no failure for maxLaunchDelay after its end. */
const isForgotten = (backoff: Backoff, definition: AppDefinition, now: number): boolean =>
  now > backoff.until + definition.maxLaunchDelaySeconds * 1000;

export function launchableAt(state: MarathonState, definition: AppDefinition): number {
  const backoff = state.backoffs.get(definition.id);
  return backoff?.configVersion === definition.lastConfigChangeAt ? backoff.until : 0;
}

export const resetBackoff = (draft: Draft, appId: AppId): void => draft.set("backoffs", appId, undefined);

/** Asks Mesos for offers when something waits to be launched, and for none when nothing does. */
import { launchableAt } from "./backoff.ts";
import type { Draft } from "./draft.ts";
import { definitionOf } from "./state.ts";

/** At most one REVIVE in this time; what comes in between is asked for at the next tick. */
const minReviveIntervalMs = 200;

export function adjustDemand(draft: Draft): void {
  const { link } = draft.state;
  if (!link.connected) return;
  const wanted = wantedSince(draft);
  if (wanted === undefined) {
    // The first offers tell which agents there are; spreading needs to know.
    if (!link.suppressed && draft.state.agents.size > 0) {
      draft.call({ type: "SUPPRESS" });
      draft.patch({ link: { ...link, suppressed: true } });
    }
    return;
  }
  if (!link.suppressed && wanted <= link.revivedAt) return;
  if (draft.now - link.revivedAt < minReviveIntervalMs) return;
  draft.call({ type: "REVIVE" });
  draft.patch({ link: { ...link, suppressed: false, revivedAt: draft.now } });
}

/** When the newest of the present wants arose; undefined: nothing can be launched now. */
function wantedSince(draft: Draft): number | undefined {
  let newest: number | undefined;
  if (draft.state.link.draining) return undefined;
  for (const [appId, entry] of draft.state.queue) {
    const definition = definitionOf(draft.state, appId, entry.version);
    if (definition === undefined) continue;
    const readyAt = launchableAt(draft.state, definition);
    if (readyAt > draft.now) continue;
    newest = Math.max(newest ?? 0, entry.raisedAt, readyAt);
  }
  return newest;
}

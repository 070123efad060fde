/** What a play's start asks of its hosts' facts, and by whom. */
import { ProvisionError } from "../../base/errors.ts";
import type { JsonObject, JsonValue } from "../../base/json.ts";
import { becomeOf } from "./become.ts";
import { FactsNeeded } from "./facts-needed.ts";
import { covers, type PlayFacts, refuseUnknown } from "./gather.ts";
import { type Identity, identityOf, loginIdentity } from "./identity.ts";
import type { PlayState } from "./play-state.ts";
import { environmentOf } from "./prepare-task.ts";
import type { RunHost } from "./run-host.ts";
import type { View } from "./view.ts";

/** gather_subset, gather_timeout and fact_path of the play, for what is gathered without being told to. */
export function requestFacts(state: PlayState): void {
  const { run, play, batch } = state;
  const { gatherSubset, gatherTimeout, factPath } = play;
  for (const host of batch) {
    const view = state.hostView(host);
    const subset = gatherSubset === undefined ? [] : namesIn(view.value(gatherSubset));
    refuseUnknown(subset, gatherSubset?.span);
    const seconds = gatherTimeout === undefined ? undefined : Number(view.value(gatherTimeout));
    const request: PlayFacts = {
      subset,
      identity: gathererOf(state, host, view),
      ...(seconds === undefined || !(seconds > 0) ? {} : { timeoutMs: seconds * 1000 }),
      ...(factPath === undefined ? {} : { factPath: view.text(factPath) }),
    };
    run.factRequests.set(host.name, request);
    const isByAnother = host.factsBy !== request.identity.key;
    if (isByAnother) host.facts = withoutUser(host.facts);
    // What an earlier play did not ask for, or asked as another user, comes when it is touched.
    if (isByAnother || !covers(host.factKinds, subset)) host.factKinds = undefined;
  }
}

const ofUser = /^(user_\w+|(real|effective)_(user|group)_id|env)$/;

const withoutUser = (facts: JsonObject | undefined): JsonObject | undefined =>
  facts && Object.fromEntries(Object.entries(facts).filter(([name]) => !ofUser.test(name)));

function gathererOf(state: PlayState, host: RunHost, view: View): Identity {
  const { play, frame } = state;
  try {
    const become = becomeOf(state, { task: play, frame, view, target: host, isDelegated: false });
    const { user } = state.connectionOf({ host, frame, task: play }, host, view);
    return identityOf(become?.user === user ? null : become, environmentOf(frame, play, view));
  } catch (error) {
    // What is wrong with it is told by the first task that becomes somebody.
    if (error instanceof ProvisionError || error instanceof FactsNeeded) return loginIdentity;
    throw error;
  }
}

const namesIn = (value: JsonValue): readonly string[] =>
  (Array.isArray(value) ? value.map(String) : String(value ?? "").split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");

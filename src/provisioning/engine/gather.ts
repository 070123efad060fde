/** Facts of a host: with the first message, when an expression touches one, or by the module setup. */
import { ProvisionError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { gatherFactsScript, readGatheredFacts } from "../host/gather-facts.ts";
import type { Effect } from "../modules/module.ts";
import type { Frame, FrameResult } from "../transport/session.ts";
import { limits } from "./limits.ts";
import { identityOf, loginIdentity, type Machine } from "./machine.ts";
import type { PlayState } from "./play-state.ts";
import { prepareTask, type TaskWhere } from "./prepare-task.ts";
import type { RunHost } from "./run-host.ts";
import type { View } from "./view.ts";

export function factsFrames(subset: readonly string[]): readonly Frame[] {
  const { script } = gatherFactsScript(subset);
  return [{ kind: "ask", script, timeoutMs: limits.questionTimeoutMs }];
}

export function readFactsFrames(results: readonly (FrameResult | undefined)[], nowMs: number): JsonObject {
  const [result] = results;
  if (result === undefined || result.timedOut) {
    throw new ProvisionError({
      code: "host-timeout",
      action: "gather facts",
      state: "the host did not answer in time",
    });
  }
  return readGatheredFacts(result, nowMs);
}

/** An expression touched a fact of this host, and its play did not refuse to gather. */
export async function gatherOnDemand(play: PlayState, host: RunHost): Promise<void> {
  const { run } = play;
  run.factsAtFirst.add(host.name);
  const machine = await run.machines.connected(host, play.planOf(host, play.hostView(host), {}));
  if (host.facts !== undefined) return;
  const results = await machine.run(loginIdentity, factsFrames([]));
  host.facts = readFactsFrames(results, run.clock.now());
}

export interface GatherRequest {
  readonly where: TaskWhere;
  readonly view: View;
  readonly effect: Extract<Effect, { effect: "gather-facts" }>;
}

/** The module setup: what is asked for, by the user that the task becomes. */
export async function gatherFacts(
  play: PlayState,
  host: RunHost,
  request: GatherRequest,
): Promise<JsonObject> {
  const { where, view, effect } = request;
  const machine: Machine = await play.run.machines.connected(host, play.connectionOf(where, host, view));
  const { become, environment } = prepareTask(where, view);
  const results = await machine.run(identityOf(become, environment), factsFrames(effect.subset));
  return filtered(readFactsFrames(results, play.run.clock.now()), effect.filter);
}

/** Patterns are of the names with their prefix, as Ansible's are. */
function filtered(facts: JsonObject, patterns: readonly string[]): JsonObject {
  const wanted = patterns.filter((pattern) => pattern !== "" && pattern !== "*");
  if (wanted.length === 0) return facts;
  const tests = wanted.map((pattern) => globTest(pattern));
  const kept = Object.entries(facts).filter(([name]) =>
    tests.some((test) => test(name) || test(`ansible_${name}`)),
  );
  return Object.fromEntries(kept);
}

function globTest(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name);
}

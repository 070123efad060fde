/** Facts of a host: with the first message, when an expression touches one, or by the module setup. */
import { ProvisionError, type Span } from "../../base/errors.ts";
import { isJsonObject, type JsonObject } from "../../base/json.ts";
import { nearest } from "../../base/nearest.ts";
import { type FactKind, factSubsets, kindsWanted, unknownSubsets } from "../host/fact-subsets.ts";
import { type FactRequest, gatherFactsScript, readGatheredFacts } from "../host/gather-facts.ts";
import type { Env } from "../host/step.ts";
import type { Effect } from "../modules/module.ts";
import type { Frame, FrameResult } from "../transport/session.ts";
import { type Identity, identityOf, loginIdentity } from "./identity.ts";
import { limits } from "./limits.ts";
import type { Machine } from "./machine.ts";
import type { PlayState } from "./play-state.ts";
import { prepareTask, type TaskWhere } from "./prepare-task.ts";
import type { RunHost } from "./run-host.ts";
import type { View } from "./view.ts";

/** Gathered without being told to: as Ansible's own task does it, by whom the play becomes, in its environment. */
export interface PlayFacts extends FactRequest {
  readonly identity: Identity;
}

export function factsFrames({ subset, factPath, timeoutMs }: FactRequest): readonly Frame[] {
  const { script } = gatherFactsScript(subset, factPath);
  return [{ kind: "ask", script, timeoutMs: timeoutMs ?? limits.questionTimeoutMs }];
}

export const covers = (known: ReadonlySet<FactKind> | undefined, subset: readonly string[]): boolean =>
  known !== undefined && [...kindsWanted(subset)].every((kind) => known.has(kind));

/** Less than the play wants leaves the rest to be gathered when it is touched. */
export function noteGathered({ run }: PlayState, host: RunHost, subset: readonly string[]): void {
  const kinds = new Set([...(host.factKinds ?? []), ...kindsWanted(subset)]);
  host.factsBy = undefined;
  const { subset: wanted } = run.factRequests.get(host.name) ?? wholeRequest;
  if (!run.factsWanted.has(host.name) || covers(kinds, wanted)) host.factKinds = kinds;
}

export function refuseUnknown(subset: readonly string[], span: Span | undefined): void {
  const [unknown] = unknownSubsets(subset);
  if (unknown === undefined) return;
  const near = nearest(unknown.replace(/^!/, ""), factSubsets);
  throw new ProvisionError({
    code: "bad-argument",
    action: 'read "gather_subset"',
    state: `there are no facts called "${unknown}"`,
    span,
    why: "all, min, hardware, network, virtual and local are, each with ! for all but these, and the names of single facts",
    fix: near === undefined ? undefined : `write "${near}"`,
  });
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
  if (host.factKinds !== undefined) return;
  const request = run.factRequests.get(host.name) ?? wholeRequest;
  const results = await machine.run(request.identity, factsFrames(request));
  learnFacts(host, request, readFactsFrames(results, run.clock.now()));
}

export const wholeRequest: PlayFacts = { subset: [], identity: loginIdentity };

export function learnFacts(host: RunHost, { subset, identity }: PlayFacts, facts: JsonObject): void {
  host.facts = { ...(host.facts ?? {}), ...withEnvironment(facts, identity.env) };
  host.factsBy = identity.key;
  host.factKinds = new Set([...(host.factKinds ?? []), ...kindsWanted(subset)]);
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
  refuseUnknown(effect.subset, where.task.span);
  const results = await machine.run(identityOf(become, environment), factsFrames(effect));
  const facts = readFactsFrames(results, play.run.clock.now());
  return filtered(withEnvironment(facts, environment), effect.filter);
}

/** The shell's own environment is what a process of the task would have inherited; the task's comes on top. */
const withEnvironment = (facts: JsonObject, env: Env): JsonObject =>
  isJsonObject(facts["env"]) ? { ...facts, env: { ...facts["env"], ...env } } : facts;

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

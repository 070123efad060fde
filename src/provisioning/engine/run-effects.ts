/** What a controller's module wants done to the run's own state: variables, hosts, groups, facts, a pause, a line shown. */
import { isJsonObject, type JsonObject } from "../../base/json.ts";
import type { Effect } from "../modules/module.ts";
import { keyword } from "./frame.ts";
import { gatherFacts, noteGathered } from "./gather.ts";
import { loadVarsFiles } from "./load-vars.ts";
import type { RunHost } from "./run-host.ts";
import type { HostTask } from "./run-on-host.ts";
import { skippedOutcome, type TaskOutcome } from "./task-outcome.ts";
import type { View } from "./view.ts";

/** `view` is the task's own, with the item of its loop. */
export async function applyEffects(work: HostTask, outcome: TaskOutcome, view: View): Promise<TaskOutcome> {
  let current = outcome;
  for (const effect of outcome.effects) current = await applyEffect(work, view, effect, current);
  return current;
}

async function applyEffect(
  work: HostTask,
  view: View,
  effect: Effect,
  outcome: TaskOutcome,
): Promise<TaskOutcome> {
  const { play, host } = work;
  const targets = targetsOf(work, outcome);
  switch (effect.effect) {
    case "set-facts":
      for (const target of targets) setFacts(target, effect.facts, effect.cacheable);
      return outcome;
    case "add-facts":
      for (const target of targets) {
        const learnt = Object.entries(effect.facts).map(([name, value]) => [
          name.replace(/^ansible_/, ""),
          value,
        ]);
        target.moduleFacts = { ...target.moduleFacts, ...Object.fromEntries(learnt) };
      }
      return outcome;
    case "include-vars":
      for (const target of targets) {
        for (const [name, value] of Object.entries(effect.vars))
          target.includeVars.set(name, play.run.dataOf(value));
      }
      return outcome;
    case "load-vars":
      return loadVarsFiles(work, targets, effect, outcome);
    case "add-host": {
      const changed = play.run.addHost(effect.name, effect.groups, effect.vars);
      return { ...outcome, changed, result: { ...outcome.result, changed } };
    }
    case "group-by": {
      const changed = play.run.groupBy(host, effect.key, effect.parents);
      return { ...outcome, changed: outcome.changed || changed, result: { ...outcome.result, changed } };
    }
    case "gather-facts":
      return gather(work, view, effect, outcome);
    case "pause":
      return pause(work, effect, outcome);
    case "show":
      if (effect.verbosity <= play.run.request.verbosity) {
        play.run.emit({ type: "show", host: host.name, text: effect.text });
        return outcome;
      }
      return skippedOutcome("Verbosity threshold not met.");
    case "meta":
      return outcome;
  }
}

/** delegate_facts gives what is set to the delegate; run_once to everybody. */
function targetsOf(work: HostTask, outcome: TaskOutcome): readonly RunHost[] {
  const { play, task, host, place, sharers } = work;
  if (
    outcome.delegatedTo !== undefined &&
    play.flag(keyword(place.frame, task, "delegateFacts"), host, place.frame)
  ) {
    return [play.run.hostNamed(outcome.delegatedTo)];
  }
  return sharers;
}

function setFacts(host: RunHost, facts: JsonObject, cacheable: boolean): void {
  for (const [name, value] of Object.entries(facts)) host.setVars.set(name, value);
  if (cacheable) host.facts = { ...(host.facts ?? {}), ...facts };
}

/** As a task registers them; what tells of the gathering itself has no prefix. */
const prefixed = (facts: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [
      name === "gather_subset" || name === "module_setup" ? name : `ansible_${name}`,
      value,
    ]),
  );

async function gather(
  work: HostTask,
  view: View,
  effect: Extract<Effect, { effect: "gather-facts" }>,
  outcome: TaskOutcome,
): Promise<TaskOutcome> {
  const { play, host, task, place } = work;
  const asked = outcome.delegatedTo === undefined ? host : play.run.hostNamed(outcome.delegatedTo);
  const facts = await gatherFacts(play, asked, {
    where: { play, task, host, frame: place.frame },
    view,
    effect,
  });
  for (const target of targetsOf(work, outcome)) {
    target.facts = { ...(target.facts ?? {}), ...facts };
    if (effect.filter.length === 0) noteGathered(play, target, effect.subset);
  }
  const known = outcome.result["ansible_facts"];
  return {
    ...outcome,
    result: {
      ...outcome.result,
      ansible_facts: { ...(isJsonObject(known) ? known : {}), ...prefixed(facts) },
    },
  };
}

async function pause(
  work: HostTask,
  effect: Extract<Effect, { effect: "pause" }>,
  outcome: TaskOutcome,
): Promise<TaskOutcome> {
  const { run } = work.play;
  const startedAtMs = run.clock.now();
  const shared = await run.sharedPause(work.task, async () => {
    if (effect.seconds !== null && effect.prompt === "") {
      await run.pause(effect.seconds * 1000);
      return "";
    }
    if (effect.seconds !== null) {
      run.emit({ type: "show", host: work.host.name, text: effect.prompt });
      await run.pause(effect.seconds * 1000);
      return "";
    }
    return run.ask(effect.prompt === "" ? "Press Enter to go on: " : `${effect.prompt}: `, !effect.echo);
  });
  run.expire();
  const told = pauseResult(startedAtMs, run.clock.now(), effect.unit);
  return { ...outcome, result: { ...outcome.result, ...told, user_input: shared } };
}

function pauseResult(startedAtMs: number, endedAtMs: number, unit: "seconds" | "minutes"): JsonObject {
  const seconds = (endedAtMs - startedAtMs) / 1000;
  const length = (unit === "minutes" ? seconds / 60 : seconds).toFixed(2).replace(/(\.\d)0$/, "$1");
  const start = pythonTime(startedAtMs);
  const stop = pythonTime(endedAtMs);
  const stdout = `Paused for ${length} ${unit}`;
  return { start, stop, delta: Math.trunc(seconds), rc: 0, stdout, stderr: "" };
}

/** The controller's own time, as Python writes it: 2026-01-31 09:05:00.250000. */
function pythonTime(ms: number): string {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return `${at.toISOString().slice(0, -1).replace("T", " ")}000`;
}

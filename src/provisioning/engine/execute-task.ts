/** One attempt of one task (one item) on one host: prepared, then acted on the host or on the controller. */
import type { JsonObject } from "../../base/json.ts";
import type { ControllerModule, Module } from "../modules/module.ts";
import { lookAhead } from "./look-ahead.ts";
import { notifiedBy } from "./notify.ts";
import { owedFrames } from "./owed-handlers.ts";
import { type Performance, perform } from "./perform.ts";
import { contextOf, identityOfTask, type PreparedTask, prepareTask, type TaskWhere } from "./prepare-task.ts";
import type { HostTask, LoopPlace } from "./run-on-host.ts";
import { readSources } from "./sources.ts";
import { emptyOutcome, type TaskOutcome } from "./task-outcome.ts";
import type { View } from "./view.ts";

export async function executeTask(work: HostTask, view: View, loop?: LoopPlace): Promise<TaskOutcome> {
  const { play, task, host, place } = work;
  const where: TaskWhere = { play, task, host, frame: place.frame };
  const prepared = prepareTask(where, view);
  const outcome =
    prepared.module.kind === "controller"
      ? runOnController(where, prepared, prepared.module, view)
      : await runOnMachine(work, where, prepared, view, loop);
  return prepared.delegatedTo === undefined ? outcome : { ...outcome, delegatedTo: prepared.delegatedTo };
}

function runOnController(
  where: TaskWhere,
  prepared: PreparedTask,
  // biome-ignore lint/suspicious/noExplicitAny: as in AnyModule, arguments have passed the module's own schema.
  module: ControllerModule<any>,
  view: View,
): TaskOutcome {
  const { play, task, host, frame } = where;
  const { args } = prepared;
  const requests = module.sources?.(args, { host: host.name }) ?? [];
  const ended = module.run(args, {
    host: host.name,
    check: prepared.check,
    sources: readSources(requests, play.filesOf(task, host, frame), view),
    evaluate: (expression) => view.evaluate(expression, task.span),
  });
  const changed = ended.changed ?? false;
  const failed = ended.failed ?? false;
  const message = messageOf(ended.result);
  return {
    ...emptyOutcome,
    changed,
    failed,
    result: { changed, failed, ...ended.result },
    effects: ended.effects ?? [],
    ...(failed ? { failure: { message: message ?? `"${task.module}" failed` } } : {}),
    ...(message === undefined || failed ? {} : { message }),
  };
}

async function runOnMachine(
  work: HostTask,
  where: TaskWhere,
  prepared: PreparedTask,
  view: View,
  loop: LoopPlace | undefined,
): Promise<TaskOutcome> {
  const { play, task, place } = work;
  const machine = await play.run.machines.connected(
    prepared.target,
    play.connectionOf(where, prepared.target, view),
  );
  const context = contextOf(where, prepared, machine, view);
  const module = prepared.module as Module<unknown, unknown>;
  const identity = identityOfTask(prepared);
  const notified = notifiedBy(play, task, place.frame, view);
  const performance = await perform({
    module,
    args: prepared.args,
    machine,
    identity,
    context,
    check: prepared.check,
    stepTimeoutMs: prepared.stepTimeoutMs,
    before: () => owedFrames(play, where.host, machine, identity, notified),
    ahead: (acts) => lookAhead({ work, machine, identity, acts, loop }),
    onStep: work.onStep,
  });
  return outcomeOf(where, prepared, performance);
}

function outcomeOf(where: TaskWhere, prepared: PreparedTask, performance: Performance): TaskOutcome {
  const { changed, failed, skipped, wouldAct, failure, result, steps, diffs, networkMs, hostMs } =
    performance;
  const { host } = where;
  const isSkipped = skipped !== undefined;
  const isDoubtful = prepared.check && host.isUnsure;
  // What a package would have brought is missing: in truth the task would find it.
  if (isDoubtful && failed && !performance.acted) return doubtfulOutcome(performance);
  const unsure = isDoubtful && !wouldAct;
  if (wouldAct) prepared.target.isUnsure = true;
  const base: JsonObject = {
    changed,
    failed,
    ...result,
    ...(isSkipped ? { skipped: true, msg: skipped } : {}),
  };
  const diff = diffs.map(({ path, before, after }) => ({
    before_header: path,
    after_header: path,
    before,
    after,
  }));
  const message = skipped ?? (failed ? undefined : messageOf(result));
  return {
    ...emptyOutcome,
    changed,
    failed,
    skipped: isSkipped,
    wouldAct,
    unsure,
    result: prepared.diff && diff.length > 0 ? { ...base, diff } : base,
    steps,
    diffs: prepared.diff ? diffs : [],
    ...(message === undefined ? {} : { message }),
    ...(failure === undefined ? {} : { failure }),
    networkMs,
    hostMs,
  };
}

/** R12: the failure may come of a change that was not made. */
function doubtfulOutcome({ failure, result }: Performance): TaskOutcome {
  const message = `cannot be told without the changes before it: ${failure?.message ?? "it would fail now"}`;
  return {
    ...emptyOutcome,
    unsure: true,
    message,
    result: { ...result, changed: false, failed: false, msg: message },
  };
}

function messageOf(result: JsonObject): string | undefined {
  const { msg } = result;
  return typeof msg === "string" && msg !== "" ? msg : undefined;
}

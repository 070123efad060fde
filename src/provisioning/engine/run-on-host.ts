/** One task on one host: its loop, its conditions, its retries, and what it leaves behind for later tasks. */
import type { ErrorCode } from "../../base/error-codes.ts";
import { ProvisionError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import type { Condition, Task } from "../playbook/model.ts";
import type { Variable } from "../vars/variable.ts";
import type { Lost } from "./after-loss.ts";
import type { DoneAlong } from "./along.ts";
import { executeTask } from "./execute-task.ts";
import { FactsNeeded, withFacts } from "./facts-needed.ts";
import { conditionsOf } from "./frame.ts";
import { limits } from "./limits.ts";
import type { PlayState } from "./play-state.ts";
import { applyEffects } from "./run-effects.ts";
import type { RunHost } from "./run-host.ts";
import type { TaskPlace } from "./run-task.ts";
import {
  emptyOutcome,
  failedOutcome,
  type ItemOutcome,
  loopOutcome,
  skippedOutcome,
  type TaskOutcome,
} from "./task-outcome.ts";
import type { View } from "./view.ts";

export interface HostTask {
  readonly play: PlayState;
  readonly task: Task;
  readonly host: RunHost;
  /** Under run_once all hosts of the task: they get what this one learnt (R14). */
  readonly sharers: readonly RunHost[];
  readonly place: TaskPlace;
  /** An item of a loop has ended. */
  readonly onItem: (item: ItemOutcome) => void;
  readonly onStep: (why: string) => void;
}

export async function runOnHost(work: HostTask): Promise<TaskOutcome> {
  try {
    const outcome = await (work.task.loop === undefined ? runOnce(work) : runLoop(work));
    return work.play.run.isInterrupted && outcome.failed
      ? { ...outcome, failure: { message: "interrupted: it was ended on the host" } }
      : outcome;
  } catch (error) {
    // Whatever a shell says that was closed under it: the run is over.
    if (work.play.run.isInterrupted) return { ...skippedOutcome("interrupted"), message: "interrupted" };
    return doubtOf(work, error) ?? outcomeOfError(error);
  }
}

/** Check mode: what depends on a result that was never made is neither failed nor skipped, but open (R12). */
function doubtOf(
  { play, host }: HostTask,
  error: unknown,
  seen: ReadonlySet<string> = new Set(),
): TaskOutcome | undefined {
  if (!play.run.request.check || host.notRun.size === 0) return undefined;
  if (!(error instanceof ProvisionError) || !/^(undefined-variable|bad-expression)$/.test(error.code))
    return undefined;
  return doubtfulOutcome(seen.size === 0 ? host.notRun : seen);
}

function doubtfulOutcome(names: ReadonlySet<string>): TaskOutcome {
  const message = `would depend on the result of ${[...names].join(", ")}, which check mode did not make`;
  const result = { changed: false, failed: false, skipped: true, msg: message };
  return { ...emptyOutcome, unsure: true, message, result };
}

/** A user's mistake and a lost host are this task's failure; anything else is a defect and goes on. */
export function outcomeOfError(error: unknown): TaskOutcome {
  if (!(error instanceof ProvisionError)) throw error;
  const failure = { message: error.message, error };
  const isGone = isOutOfReach(error.code);
  const outcome = failedOutcome(failure);
  return isGone
    ? { ...outcome, failed: false, unreachable: true, result: unreachableResult(outcome.result) }
    : outcome;
}

const unreachableResult = ({ failed: _failed, ...result }: JsonObject): JsonObject => ({
  ...result,
  unreachable: true,
});

/** The host was not reached, or not let us in: nothing is wrong with the task. */
const isOutOfReach = (code: ErrorCode): boolean =>
  code.startsWith("connection-") ||
  code.startsWith("host-key-") ||
  code === "auth-failed" ||
  code === "unsupported-shell";

/** A view is made anew whenever facts have come: a scope is a snapshot. */
type MakeView = () => View;

function runOnce(work: HostTask): Promise<TaskOutcome> {
  return runItem(work, () => work.play.view(work.host, work.place.frame, work.task));
}

async function runLoop(work: HostTask): Promise<TaskOutcome> {
  const { play, task, host, place } = work;
  const { loop } = task;
  if (loop === undefined) return runOnce(work);
  const outer: MakeView = () => play.view(host, place.frame, task);
  const items = await withFacts(play, async () => loopItems(work, outer()));
  if (items === undefined) return skippedOutcome("Conditional result was False");
  const outcomes: ItemOutcome[] = [];
  const done = new Map<number, DoneAlong>();
  const mayBeDone = new Map<number, Lost>();
  const batches = { areOff: false };
  for (const [index, item] of items.entries()) {
    // What was done along is told, even so.
    if (play.run.isInterrupted && !done.has(index)) break;
    if (index > 0 && loop.pause !== undefined) await play.run.pause(Number(outer().value(loop.pause)) * 1000);
    const vars = play.loopVars(loop, items, index);
    const makeView: MakeView = () => play.view(host, place.frame, task, vars);
    const outcome = await runItem(work, makeView, { items, index, done, mayBeDone, batches }).catch(
      (error: unknown) => {
        if (play.run.isInterrupted) return skippedOutcome("interrupted");
        return doubtOf(work, error) ?? outcomeOfError(error);
      },
    );
    const ended = { item, label: itemLabel(work, item, makeView()), vars: valuesOf(vars), outcome };
    outcomes.push(ended);
    work.onItem(ended);
    if (outcome.unreachable || endsLoop(work, makeView, outcome)) break;
  }
  return loopOutcome(outcomes);
}

/** loop_control's break_when sees the item's result under the name that the task registers. */
function endsLoop(work: HostTask, makeView: MakeView, { result }: TaskOutcome): boolean {
  const { breakWhen = [] } = work.task.loop ?? {};
  return breakWhen.length > 0 && viewOfResult(work, makeView(), result).firstUnmet(breakWhen) === undefined;
}

const valuesOf = (vars: ReadonlyMap<string, Variable>): JsonObject =>
  Object.fromEntries([...vars].map(([name, made]) => [name, made.kind === "data" ? made.value : null]));

function itemLabel({ task }: HostTask, item: JsonValue, view: View): string {
  if (task.loop?.label === undefined) return labelOf(item);
  try {
    return String(view.value(task.loop.label));
  } catch (error) {
    // A label is only for show: the item itself does as well.
    if (error instanceof ProvisionError || error instanceof FactsNeeded) return labelOf(item);
    throw error;
  }
}

/** Undefined: the loop cannot be expanded, and the conditions say that it need not be. */
function loopItems({ task, place }: HostTask, view: View): readonly JsonValue[] | undefined {
  if (task.loop === undefined) return [];
  try {
    return view.loopItems(task.loop);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    if (isSkippedRegardless(view, conditionsOf(place.frame, task))) return undefined;
    throw error;
  }
}

function isSkippedRegardless(view: View, conditions: readonly Condition[]): boolean {
  try {
    return view.firstUnmet(conditions) !== undefined;
  } catch (error) {
    // The conditions speak of the items too: the error of the loop is the one to tell.
    if (error instanceof ProvisionError) return false;
    throw error;
  }
}

export interface LoopPlace {
  readonly items: readonly JsonValue[];
  readonly index: number;
  /** Items whose steps an earlier one's message took along. */
  readonly done: Map<number, DoneAlong>;
  /** Items that went along in a message whose answer was lost. */
  readonly mayBeDone: Map<number, Lost>;
  /** Off once a batch was not done whole: the rest goes one by one. */
  readonly batches: { areOff: boolean };
}

async function runItem(work: HostTask, makeView: MakeView, loop?: LoopPlace): Promise<TaskOutcome> {
  const { task, place, play, host } = work;
  const seen = new Set<string>();
  const makeNoting: MakeView = () =>
    host.notRun.size === 0 ? makeView() : makeView().noting(host.notRun, seen);
  const conditions = conditionsOf(place.frame, task);
  try {
    const unmet = await withFacts(play, async () => makeNoting().firstUnmet(conditions));
    // R12: a result that was not made cannot say that there is nothing to do.
    if (unmet !== undefined && seen.size > 0) return doubtfulOutcome(seen);
    if (unmet !== undefined) return skippedOutcome("Conditional result was False", String(unmet.expression));
    if (task.until !== undefined || task.retries !== undefined) return await retried(work, makeNoting, loop);
    return await attempted(work, makeNoting, loop);
  } catch (error) {
    const doubt = doubtOf(work, error, seen);
    if (doubt === undefined) throw error;
    return doubt;
  }
}

/** One attempt. Facts that its judgement needs come without it being done twice. */
async function attempted(
  work: HostTask,
  makeView: MakeView,
  loop: LoopPlace | undefined,
): Promise<TaskOutcome> {
  const { play } = work;
  const outcome = await withFacts(play, () => executeTask(work, makeView(), loop));
  return settled(work, makeView, await withFacts(play, async () => judged(work, makeView(), outcome)));
}

/** What a controller's task sets is seen by the next item already. */
async function settled(work: HostTask, view: MakeView, outcome: TaskOutcome): Promise<TaskOutcome> {
  if (outcome.failed || outcome.skipped || outcome.effects.length === 0) return outcome;
  return applyEffects(work, outcome, view());
}

async function retried(
  work: HostTask,
  makeView: MakeView,
  loop: LoopPlace | undefined,
): Promise<TaskOutcome> {
  const { task, play } = work;
  const view = makeView();
  const retries = task.retries === undefined ? limits.untilRetries : Number(view.value(task.retries));
  const delayMs = task.delay === undefined ? limits.untilDelayMs : Number(view.value(task.delay)) * 1000;
  // As with Ansible: without a second attempt nothing is waited for.
  if (!(retries > 0)) return attempted(work, makeView, loop);
  for (let attempt = 1; ; attempt++) {
    const outcome = await attempted(work, makeView, loop);
    const counted = { ...outcome, attempts: attempt, result: { ...outcome.result, attempts: attempt } };
    if (outcome.unreachable || outcome.wouldAct || play.run.isInterrupted) return counted;
    const seen = viewOfResult(work, makeView(), counted.result);
    const isDone = task.until === undefined ? !outcome.failed : seen.firstUnmet(task.until) === undefined;
    if (isDone) return counted;
    if (play.run.request.check && (work.host.isUnsure || outcome.unsure)) return openInCheckMode(counted);
    if (attempt > retries) return giveUp(counted, attempt, task);
    work.onStep(`attempt ${attempt} of ${retries + 1} was not enough, waiting ${delayMs / 1000} s`);
    await play.run.pause(delayMs);
  }
}

/** R12: waiting for what check mode did not bring about would be in vain. */
function openInCheckMode({ failure: _failure, ...outcome }: TaskOutcome): TaskOutcome {
  const message = "would wait here for what the changes before it bring about";
  return {
    ...outcome,
    failed: false,
    unsure: true,
    message,
    result: { ...outcome.result, failed: false, msg: message },
  };
}

function giveUp(outcome: TaskOutcome, attempts: number, task: Task): TaskOutcome {
  if (outcome.failed) return outcome;
  const until = (task.until ?? []).map(({ expression }) => String(expression)).join(" and ");
  const message = `"${until}" did not come true in ${attempts} attempts`;
  const result = { ...outcome.result, failed: true, msg: message };
  // As with Ansible: failed_when decides about the task, and the result still says that the wait was in vain.
  if (task.failedWhen !== undefined) return { ...outcome, message, result };
  return {
    ...outcome,
    failed: true,
    failure: { message },
    result,
  };
}

/** changed_when and failed_when see the result under the name that the task registers. */
function judged(work: HostTask, view: View, outcome: TaskOutcome): TaskOutcome {
  const { task } = work;
  if (outcome.unreachable || outcome.skipped) return outcome;
  if (outcome.wouldAct && task.register !== undefined && Object.keys(outcome.result).length <= 2)
    return outcome;
  const seen = viewOfResult(work, view, outcome.result);
  let { changed, failed } = outcome;
  let { failure } = outcome;
  if (task.failedWhen !== undefined) {
    failed = seen.firstUnmet(task.failedWhen) === undefined;
    if (failed && failure === undefined) {
      failure = {
        message: `failed_when: ${task.failedWhen.map(({ expression }) => expression).join(" and ")}`,
      };
    }
  }
  if (task.changedWhen !== undefined) changed = seen.firstUnmet(task.changedWhen) === undefined;
  const { failure: _old, ...rest } = outcome;
  return {
    ...rest,
    changed,
    failed,
    ...(failed && failure !== undefined ? { failure } : {}),
    result: {
      ...outcome.result,
      changed,
      failed,
      ...(task.failedWhen === undefined ? {} : { failed_when_result: failed }),
    },
  };
}

const viewOfResult = ({ task }: HostTask, view: View, result: JsonObject): View =>
  task.register === undefined ? view : view.withData({ [task.register]: result });

/** How an item is shown: text as it is, an object by its name-like member or in short. */
function labelOf(item: JsonValue): string {
  if (typeof item === "string") return item;
  if (!isJsonObject(item)) return JSON.stringify(item);
  const named = ["name", "key", "path", "dest", "src"]
    .map((key) => item[key])
    .find((each) => typeof each === "string");
  return typeof named === "string" ? named : JSON.stringify(item).slice(0, 60);
}

/** One attempt of one task (one item) on one host: prepared, then acted on the host or on the controller. */
import { ProvisionError } from "../../base/errors.ts";
import { isJsonObject, type JsonObject } from "../../base/json.ts";
import type { ControllerModule, Module } from "../modules/module.ts";
import type { Identity } from "./identity.ts";
import { limits } from "./limits.ts";
import { lookAhead } from "./look-ahead.ts";
import { type Batch, batchBehind } from "./loop-batch.ts";
import type { Machine } from "./machine.ts";
import { isNeverChanged, notifiedBy } from "./notify.ts";
import { owedFrames } from "./owed-handlers.ts";
import { type Performance, perform } from "./perform.ts";
import type { Handler, PlayState } from "./play-state.ts";
import { contextOf, identityOfTask, type PreparedTask, prepareTask, type TaskWhere } from "./prepare-task.ts";
import type { HostTask, LoopPlace } from "./run-on-host.ts";
import { readSources } from "./sources.ts";
import { endOfTime } from "./step-frames.ts";
import { emptyOutcome, type TaskOutcome } from "./task-outcome.ts";
import type { View } from "./view.ts";

export async function executeTask(work: HostTask, view: View, loop?: LoopPlace): Promise<TaskOutcome> {
  const { play, task, host, place } = work;
  const where: TaskWhere = { play, task, host, frame: place.frame };
  const prepared = prepareTask(where, view);
  // An unknown name is told before anything is done.
  const notified = isNeverChanged(task) ? [] : notifiedBy(where, view);
  const outcome =
    prepared.module.kind === "controller"
      ? runOnController(where, prepared, prepared.module, view)
      : await runOnMachine(work, where, prepared, { view, loop, notified });
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
    sources: readSources(requests, play.filesOf(task, frame), view),
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

interface Attempt {
  readonly view: View;
  readonly loop: LoopPlace | undefined;
  readonly notified: readonly Handler[];
}

async function runOnMachine(
  work: HostTask,
  where: TaskWhere,
  prepared: PreparedTask,
  { view, loop, notified }: Attempt,
): Promise<TaskOutcome> {
  const { play } = work;
  const idle = idleJobOf(play, prepared);
  if (idle !== undefined) return idle;
  const machine = await machineOf(where, prepared, view);
  const context = contextOf(where, prepared, machine, view);
  const module = prepared.module as Module<unknown, unknown>;
  const identity = identityOfTask(prepared);
  const markers = new Markers(where, machine, identity);
  const job = asyncOf(where, view);
  // R11, from the message on that starts it: nothing is asked along with it either.
  if (job?.isDetached === true) machine.jobStarts();
  const performance = await perform({
    module,
    args: prepared.args,
    machine,
    identity,
    context,
    check: prepared.check,
    registers: where.task.register !== undefined,
    stepTimeoutMs: job === undefined ? prepared.stepTimeoutMs : job.seconds * 1000,
    ...(job?.isDetached === true ? { detach: { jobId: job.jobId, timeoutSeconds: job.seconds } } : {}),
    before: (batch) => markers.framesFor([...notified, ...(batch?.notified ?? [])]),
    onLoss: (batch) => {
      markers.doubt();
      const items = batch?.items ?? [];
      for (const [at, item] of items.entries()) {
        const later = items.slice(at + 1).flatMap(({ steps }) => steps);
        // What was right before is not of our doing.
        if (item.steps.length > 0) loop?.mayBeDone.set(item.index, { ...item, later });
      }
    },
    onWait: () => play.run.expire(),
    ahead: (acts, batch) => {
      const inBatches = batch !== undefined && batch.items.length > 0;
      return lookAhead({ work, machine, identity, acts, loop: placeAfter(loop, batch), inBatches });
    },
    ...(loop === undefined || job !== undefined
      ? {}
      : {
          done: loop.done.get(loop.index),
          mayBeDone: loop.mayBeDone.get(loop.index),
          batch: (item) => batchBehind({ work, machine, identity, loop, ...item }),
          onDone: (done) => loop.done.set(done.index, done),
          onUndone: () => {
            loop.batches.areOff = true;
          },
        }),
    onStep: work.onStep,
    onWaitFor: (what) => {
      work.onStep(`waits for ${what}`);
      play.run.warn(
        `${where.host.name} waits for ${what}`,
        `${where.task.span.file}:${where.task.span.line}`,
      );
    },
  });
  if (job?.isDetached === true && !performance.acted && !performance.failed) {
    machine.jobEnds();
    if (!prepared.check) play.run.idleJobs.add(job.jobId);
  }
  if (module.name === "async_status" && performance.result["finished"] === 1) machine.jobEnds();
  return outcomeOf(where, prepared, machine, job === undefined ? performance : withJob(performance, job));
}

/** What async_status says of a job whose task found nothing to do (`creates:` is there): it has ended, and well. */
function idleJobOf(play: PlayState, { module, args }: PreparedTask): TaskOutcome | undefined {
  if (module.name !== "async_status") return undefined;
  const { jid } = args as { readonly jid: string };
  if (!play.run.idleJobs.has(jid)) return undefined;
  const said = { rc: 0, stdout: "", stdout_lines: [], stderr: "", stderr_lines: [] };
  const result = { changed: false, failed: false, ansible_job_id: jid, started: 1, finished: 1, ...said };
  return { ...emptyOutcome, result };
}

/** What Ansible registers of a job that it polled. */
function withJob(performance: Performance, { jobId, isDetached }: AsyncRun): Performance {
  if (isDetached || !performance.acted) return performance;
  const ranOut = performance.failure?.stderr?.endsWith(endOfTime) === true;
  const job = { ansible_job_id: jobId, started: 1, finished: ranOut ? 0 : 1 };
  return { ...performance, result: { ...performance.result, ...job } };
}

/** Markers of owed handlers that this task puts on the host's disk. */
class Markers {
  readonly #where: TaskWhere;
  readonly #machine: Machine;
  readonly #identity: Identity;
  #written: readonly string[] = [];

  constructor(where: TaskWhere, machine: Machine, identity: Identity) {
    this.#where = where;
    this.#machine = machine;
    this.#identity = identity;
  }

  framesFor(handlers: readonly Handler[]): ReturnType<typeof owedFrames> {
    const { play, host } = this.#where;
    const sure = (): string[] => [...host.owed.values()].flatMap(({ key, isSure }) => (isSure ? [key] : []));
    const before = new Set(sure());
    const frames = owedFrames(play, host, this.#machine, this.#identity, handlers);
    this.#written = sure().filter((key) => !before.has(key));
    return frames;
  }

  /** It is not known whether they are there. */
  doubt(): void {
    const { owed } = this.#where.host;
    for (const key of this.#written) {
      const marker = owed.get(key);
      if (marker !== undefined) owed.set(key, { ...marker, isSure: false });
    }
  }
}

/** What is asked ahead begins behind the items that are done along. */
const placeAfter = (loop: LoopPlace | undefined, batch: Batch | undefined): LoopPlace | undefined =>
  loop === undefined ? undefined : { ...loop, index: batch?.items.at(-1)?.index ?? loop.index };

interface AsyncRun {
  readonly seconds: number;
  /** poll: 0 — nobody waits for it. */
  readonly isDetached: boolean;
  readonly jobId: string;
}

/** With a poll the task simply may take that long: the connection waits as well as Ansible's polling does. */
function asyncOf({ task, play }: TaskWhere, view: View): AsyncRun | undefined {
  const seconds = task.async === undefined ? 0 : Number(view.value(task.async));
  if (!(seconds > 0)) return undefined;
  const poll = task.poll === undefined ? 1 : Number(view.value(task.poll));
  const { random } = play.run.request.environment;
  const jobId = `j${play.run.clock.now()}.${Math.floor(random() * 1e9)}`;
  return { seconds, isDetached: poll === 0, jobId };
}

/** wait_for_connection waits for the first connection too. */
async function machineOf(where: TaskWhere, prepared: PreparedTask, view: View): Promise<Machine> {
  const { play } = where;
  const plan = play.connectionOf(where, prepared.target, view);
  const connect = (): Promise<Machine> => play.run.machines.connected(prepared.target, plan);
  if (prepared.module.name !== "wait_for_connection") return connect();
  const { timeout } = prepared.args as { readonly timeout: number };
  const deadline = play.run.clock.monotonic() + timeout * 1000;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!(error instanceof ProvisionError) || play.run.isInterrupted) throw error;
      if (play.run.clock.monotonic() > deadline) throw error;
    }
    await play.run.pause(limits.reconnectPauseMs);
  }
}

function outcomeOf(
  where: TaskWhere,
  prepared: PreparedTask,
  machine: Machine,
  performance: Performance,
): TaskOutcome {
  const { failed, skipped, wouldAct, failure, result, steps, diffs, networkMs, hostMs } = performance;
  // async_status tells what its job has changed.
  const changed = performance.changed || result["changed"] === true;
  const { host } = where;
  const isSkipped = skipped !== undefined;
  const shared = machine.answers.machine;
  const isDoubtful = prepared.check && (host.isUnsure || shared.isUnsure);
  // What a package would have brought is missing: in truth the task would find it.
  if (isDoubtful && failed && !performance.acted) return doubtfulOutcome(performance);
  const unsure = isDoubtful && !wouldAct;
  if (wouldAct) {
    prepared.target.isUnsure = true;
    shared.isUnsure = true;
  }
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
    effects: learntFacts(result),
    diffs: prepared.diff ? diffs : [],
    ...(message === undefined ? {} : { message }),
    ...(failure === undefined ? {} : { failure }),
    networkMs,
    hostMs,
  };
}

const learntFacts = ({ ansible_facts: facts }: JsonObject): TaskOutcome["effects"] =>
  isJsonObject(facts) ? [{ effect: "add-facts", facts }] : [];

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

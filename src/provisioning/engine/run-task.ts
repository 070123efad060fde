/** One task on all of its hosts: at once as far as forks and throttle allow, and ended on all before it returns (R7). */
import { ProvisionError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import type { Task } from "../playbook/model.ts";
import { forEachAtMost } from "./concurrency.ts";
import type { TaskStatus } from "./events.ts";
import { withFacts } from "./facts-needed.ts";
import { type Ahead, type Frame, keyword } from "./frame.ts";
import { isNeverChanged, notifiedBy } from "./notify.ts";
import type { PlayState } from "./play-state.ts";
import { taskTitle } from "./prepare-task.ts";
import type { RunHost } from "./run-host.ts";
import type { MetaRequest } from "./run-meta.ts";
import { runOnHost } from "./run-on-host.ts";
import type { ItemOutcome, TaskOutcome } from "./task-outcome.ts";

export interface TaskPlace {
  readonly hosts: readonly RunHost[];
  readonly frame: Frame;
  readonly ahead: Ahead;
}

/** The meta actions that hosts came to: the walker carries them out. */
export async function runTask(
  play: PlayState,
  task: Task,
  place: TaskPlace,
): Promise<readonly MetaRequest[]> {
  const [first] = place.hosts;
  if (first === undefined) return [];
  const { frame } = place;
  if (!play.isChosen(frame, task)) return [];
  const title = await withFacts(play, async () => taskTitle(task, play.view(first, frame, task)));
  if (task.module !== "meta" && !(await play.run.admits(title, task.role?.name))) return [];
  await play.run.loadModules([task.module]);
  play.run.forgetPause(task);
  return new TaskRun(play, task, place, title).run(first);
}

class TaskRun {
  readonly #play: PlayState;
  readonly #task: Task;
  readonly #place: TaskPlace;
  readonly #title: string;
  readonly #id: number;
  readonly #metas: MetaRequest[] = [];
  readonly #isQuiet: boolean;

  constructor(play: PlayState, task: Task, place: TaskPlace, title: string) {
    this.#play = play;
    this.#task = task;
    this.#place = place;
    this.#title = title;
    this.#id = play.run.nextTaskId();
    this.#isQuiet = task.module === "meta";
  }

  async run(first: RunHost): Promise<readonly MetaRequest[]> {
    const { run } = this.#play;
    const { hosts, frame } = this.#place;
    const startedAt = run.clock.monotonic();
    const once = await this.#asked("runOnce", first);
    const group = once ? [first] : hosts;
    this.#emitStart(group);
    const throttle = keyword(frame, this.#task, "throttle");
    const most =
      throttle === undefined
        ? 0
        : await withFacts(this.#play, async () =>
            this.#play.wholeNumber(throttle, first, frame, "throttle", 0),
          );
    const limit = most > 0 ? Math.min(most, run.request.forks) : run.request.forks;
    await forEachAtMost(limit, group, (host) => this.#host(host, once));
    if (!this.#isQuiet)
      run.emit({ type: "task-end", id: this.#id, elapsedMs: run.clock.monotonic() - startedAt });
    return this.#metas;
  }

  #emitStart(hosts: readonly RunHost[]): void {
    if (this.#isQuiet) return;
    const task = this.#task;
    this.#play.run.emit({
      type: "task-start",
      id: this.#id,
      task: this.#title,
      ...(task.role === undefined ? {} : { role: task.role.name }),
      module: task.module,
      handler: this.#place.frame.handlers,
      hosts: hosts.map(({ name }) => name),
      place: `${task.span.file}:${task.span.line}`,
    });
  }

  async #host(host: RunHost, once: boolean): Promise<void> {
    const play = this.#play;
    const { run } = play;
    const startedAt = run.clock.monotonic();
    const noLog = await this.#hides(host);
    const sharers = once ? this.#place.hosts : [host];
    const items: ItemOutcome[] = [];
    const outcome = await runOnHost({
      play,
      task: this.#task,
      host,
      sharers,
      place: this.#place,
      onItem: (item) => {
        items.push(item);
        this.#emitItem(host, item, noLog);
      },
      onStep: (what) => {
        if (!noLog) run.emit({ type: "task-progress", id: this.#id, host: host.name, what });
      },
    });
    const elapsedMs = run.clock.monotonic() - startedAt;
    host.elapsedMs += elapsedMs;
    const pardoned = await this.#pardons(host, outcome);
    const status = this.#settle(host, outcome, pardoned);
    this.#collectMetas(host, outcome);
    // R14: what run_once learnt is everybody's before anybody depends on it.
    for (const each of sharers) this.#register(each, outcome);
    // Only the host that did it has changed.
    await withFacts(play, async () => this.#notify(host, outcome, pardoned, items));
    if (once && (status === "failed" || status === "rescued")) this.#failSharers(host, outcome);
    this.#emitHost({ host, outcome, status, elapsedMs, noLog });
  }

  #asked(name: "runOnce" | "noLog" | "ignoreErrors" | "ignoreUnreachable", host: RunHost): Promise<boolean> {
    const { frame } = this.#place;
    const node = keyword(frame, this.#task, name);
    return withFacts(this.#play, async () => this.#play.flag(node, host, frame));
  }

  async #hides(host: RunHost): Promise<boolean> {
    try {
      return await this.#asked("noLog", host);
    } catch (error) {
      // It cannot be told: then nothing is shown.
      if (error instanceof ProvisionError) return true;
      throw error;
    }
  }

  /** Counts the outcome, and stops the host when it failed for good. */
  #settle(host: RunHost, outcome: TaskOutcome, pardoned: boolean): TaskStatus {
    const { frame } = this.#place;
    const status = this.#statusOf(outcome, pardoned);
    if (!this.#isQuiet) host.count(status, outcome.changed);
    if (status !== "skipped") this.#play.noteRole(frame, host);
    if (status === "unreachable") {
      host.stop = { why: "unreachable" };
      this.#play.run.noteFailed(host, "unreachable");
    }
    if (status === "failed" || status === "rescued") {
      host.stop = { why: "failed", task: this.#task, result: outcome.result };
      if (!frame.rescuable) this.#play.run.noteFailed(host, "failed");
    }
    return status;
  }

  /** ignore_errors, ignore_unreachable */
  async #pardons(host: RunHost, outcome: TaskOutcome): Promise<boolean> {
    if (outcome.unreachable) return this.#asked("ignoreUnreachable", host);
    return outcome.failed && (await this.#asked("ignoreErrors", host));
  }

  #statusOf(outcome: TaskOutcome, pardoned: boolean): TaskStatus {
    if (outcome.unreachable) return pardoned ? "ignored" : "unreachable";
    if (outcome.failed) return pardoned ? "ignored" : this.#place.frame.rescuable ? "rescued" : "failed";
    if (outcome.skipped) return "skipped";
    if (outcome.wouldAct) return "would-change";
    return outcome.changed ? "changed" : outcome.unsure ? "unsure" : "ok";
  }

  #register(host: RunHost, outcome: TaskOutcome): void {
    const { register } = this.#task;
    if (register === undefined) return;
    host.setVars.set(register, outcome.result);
    if (outcome.wouldAct || outcome.unsure) host.notRun.add(register);
    else host.notRun.delete(register);
  }

  /** The handlers that are due: of a loop, what its changed items name. */
  #notify(host: RunHost, outcome: TaskOutcome, pardoned: boolean, items: readonly ItemOutcome[]): void {
    const task = this.#task;
    const isDue = outcome.changed && !outcome.failed;
    // A failure that nobody pardons may have changed something: what was marked before it stays owed.
    if (!isDue && (host.owed.size === 0 || outcome.unreachable || (outcome.failed && !pardoned))) return;
    if (isNeverChanged(task) || (task.notify.length === 0 && this.#place.frame.notify.length === 0)) return;
    const where = { play: this.#play, task, host, frame: this.#place.frame };
    const view = this.#play.view(host, this.#place.frame, task);
    const parts =
      task.loop === undefined
        ? [{ seen: view, changed: isDue }]
        : items.map((item) => ({ seen: view.withData(item.vars), changed: isDue && item.outcome.changed }));
    for (const { seen, changed } of parts) {
      for (const handler of notifiedBy(where, seen)) {
        if (changed) host.notified.add(handler);
        else host.owedInVain.add(handler);
      }
    }
  }

  #failSharers(failed: RunHost, outcome: TaskOutcome): void {
    for (const host of this.#place.hosts) {
      if (host !== failed) host.stop ??= { why: "failed", task: this.#task, result: outcome.result };
    }
  }

  #collectMetas(host: RunHost, outcome: TaskOutcome): void {
    for (const effect of outcome.effects) {
      if (effect.effect === "meta") this.#metas.push({ host, action: effect.action });
    }
  }

  #emitItem(host: RunHost, { label, outcome }: ItemOutcome, noLog: boolean): void {
    if (this.#isQuiet) return;
    const status = this.#statusOf(outcome, false);
    const event = this.#hostEvent({ host, outcome, status, elapsedMs: 0, noLog });
    this.#play.run.emit({ ...event, item: noLog ? "(hidden)" : label });
  }

  #emitHost(ended: Ended): void {
    if (this.#isQuiet) return;
    const event = this.#hostEvent(ended);
    const isLoop = this.#task.loop !== undefined;
    // What the items said is not said again.
    this.#play.run.emit(isLoop ? { ...event, steps: [], diffs: [] } : event);
  }

  #hostEvent({ host, outcome, status, elapsedMs, noLog }: Ended) {
    const { networkMs, hostMs } = outcome;
    const shown: JsonObject = noLog
      ? {
          censored: "hidden by no_log",
          changed: outcome.changed,
          ...(outcome.failed ? { failed: true } : {}),
        }
      : outcome.result;
    const failure =
      noLog && outcome.failure !== undefined
        ? { message: "failed; the reason is hidden by no_log" }
        : outcome.failure;
    return {
      type: "task-host" as const,
      id: this.#id,
      host: host.name,
      status,
      elapsedMs,
      timing: { networkMs, hostMs, controllerMs: Math.max(0, elapsedMs - networkMs - hostMs) },
      steps: noLog ? [] : outcome.steps,
      diffs: noLog ? [] : outcome.diffs,
      ...(outcome.message === undefined || noLog ? {} : { message: outcome.message }),
      ...(failure === undefined ? {} : { failure }),
      result: shown,
      ...(outcome.delegatedTo === undefined ? {} : { delegatedTo: outcome.delegatedTo }),
      ...(outcome.attempts === undefined ? {} : { attempts: outcome.attempts }),
    };
  }
}

interface Ended {
  readonly host: RunHost;
  readonly outcome: TaskOutcome;
  readonly status: TaskStatus;
  readonly elapsedMs: number;
  readonly noLog: boolean;
}

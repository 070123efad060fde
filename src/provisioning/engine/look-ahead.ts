/**
 * What may be asked along with the message that leaves now: the questions of what follows on this host, as far as its
 * names are known. All of this is a hint (R0): every task is rendered again at its turn, so a wrong guess costs a
 * question that nobody uses, never a wrong result.
 */
import { ProvisionError } from "../../base/errors.ts";
import type { AnyModule, Module } from "../modules/module.ts";
import type { Task } from "../playbook/model.ts";
import { FactsNeeded } from "./facts-needed.ts";
import {
  type Ahead,
  type Coming,
  coming,
  conditionsOf,
  type Frame,
  keyword,
  type SingleStatement,
} from "./frame.ts";
import type { Identity } from "./identity.ts";
import { limits } from "./limits.ts";
import { type Machine, NotGreeted } from "./machine.ts";
import type { Asked } from "./message.ts";
import type { PlayState } from "./play-state.ts";
import { contextOf, identityOfTask, prepareTask, taskTitle } from "./prepare-task.ts";
import type { RunHost } from "./run-host.ts";
import type { HostTask, LoopPlace } from "./run-on-host.ts";
import { isUnknownAhead, type View } from "./view.ts";

export interface LookAhead {
  readonly work: HostTask;
  readonly machine: Machine;
  readonly identity: Identity;
  /** The message carries steps: the next one will be due soon, so a short look is enough. */
  readonly acts: boolean;
  readonly loop: LoopPlace | undefined;
  /** Items of this loop go in batches: so many of the next ones are due at once. */
  readonly inBatches: boolean;
}

export function lookAhead(request: LookAhead): readonly Asked[] {
  const { work, machine } = request;
  const { run } = work.play;
  if (!run.request.askAhead || machine.hasJobs) return [];
  return new Look({ play: work.play, host: work.host, machine, acts: request.acts }).behind(request);
}

/** From a play's start, while its host is being greeted: what needs to know what the host is comes later. */
export function lookFromStart(
  play: PlayState,
  host: RunHost,
  machine: Machine,
  ahead: Ahead,
): readonly Asked[] {
  if (!play.run.request.askAhead || machine.hasJobs) return [];
  return new Look({ play, host, machine, acts: false }).from(ahead);
}

interface Viewpoint {
  readonly play: PlayState;
  readonly host: RunHost;
  readonly machine: Machine;
  readonly acts: boolean;
}

type Verdict = "go on" | "stop";

class Look {
  readonly #request: Viewpoint;
  readonly #asked: Asked[] = [];
  readonly #seen = new Set<string>();
  /** Names that a task in between registers or sets. */
  readonly #unknown = new Set<string>();
  #left: number;

  constructor(request: Viewpoint) {
    this.#request = request;
    this.#left = request.machine.nextWindow(request.acts);
  }

  behind({ work, loop, inBatches }: LookAhead): readonly Asked[] {
    const { task, place } = work;
    const window = this.#left;
    if (inBatches) this.#left = Math.max(window, limits.batchItems);
    if (loop !== undefined && this.#itemsBehind(work, loop) === "stop") return this.#asked;
    this.#left = window;
    if (task.register !== undefined) this.#unknown.add(task.register);
    return this.from(place.ahead);
  }

  from(ahead: Ahead): readonly Asked[] {
    for (const next of coming(ahead)) {
      if (this.#left-- <= 0 || this.#asked.length >= limits.aheadQuestions) break;
      if (this.#statement(next) === "stop") break;
    }
    return this.#asked;
  }

  /** R5: an item that cannot be rendered is heard at its turn, not at this one's. */
  #itemsBehind({ task, place }: HostTask, { items, index }: LoopPlace): Verdict {
    try {
      return this.#items(task, place.frame, items, index + 1);
    } catch (error) {
      if (isUnknownAhead(error) || error instanceof ProvisionError || error instanceof FactsNeeded)
        return "stop";
      throw error;
    }
  }

  #statement({ statement, frame }: Coming): Verdict {
    if (!this.#request.play.isChosen(frame, statement)) return "go on";
    try {
      if (statement.kind === "task") return this.#task(statement, frame);
      return this.#include(statement, frame);
    } catch (error) {
      if (isUnknownAhead(error)) this.#note(statement, frame, notYet(error.name));
      else if (!isForItsTurn(error)) throw error;
      // R5: what cannot be rendered now is heard at its turn. It may act, or not: what follows is still worth asking.
      if (statement.kind !== "task") return "stop";
      return this.#pass(statement, frame);
    }
  }

  /** R4: what an include brings is not known before its turn, unless it will bring nothing. */
  #include(statement: Exclude<SingleStatement, Task>, frame: Frame): Verdict {
    const { host, play } = this.#request;
    if (statement.loop === undefined) {
      const view = play.viewAhead(host, frame, statement, this.#unknown);
      if (this.#isPassedOver(statement, frame, view)) return "go on";
    }
    return this.#barrier(statement, frame, "what it brings is not known before its turn");
  }

  #task(task: Task, frame: Frame): Verdict {
    const { host, play } = this.#request;
    const view = play.viewAhead(host, frame, task, this.#unknown);
    const isCalm = task.until === undefined && task.async === undefined;
    const isHere =
      keyword(frame, task, "delegateTo") === undefined && keyword(frame, task, "runOnce") === undefined;
    const module = play.run.module(task.module);
    const isOwn = module.kind !== "controller" && isCalm && isHere;
    if (isOwn && task.loop !== undefined) return this.#items(task, frame, view.loopItems(task.loop), 0);
    if (task.loop === undefined && this.#isPassedOver(task, frame, view)) return "go on";
    if (task.module === "meta") return this.#meta(task, frame);
    if (module.kind === "controller") return this.#controller(task, frame, module);
    return isOwn ? this.#one(task, frame, view) : this.#pass(task, frame);
  }

  /**
   * By its conditions. One that is not known yet is taken for false: a host that is right skips what follows changes
   * only, and where it turns out true, what was asked behind it is simply not used.
   */
  #isPassedOver(statement: SingleStatement, frame: Frame, view: View): boolean {
    try {
      if (view.firstUnmet(conditionsOf(frame, statement)) === undefined) return false;
    } catch (error) {
      if (!isUnknownAhead(error)) throw error;
      this.#note(statement, frame, notYet(error.name));
    }
    if (statement.register !== undefined) this.#unknown.add(statement.register);
    return true;
  }

  #items(task: Task, frame: Frame, items: readonly unknown[], from: number): Verdict {
    const { host, play } = this.#request;
    const { loop } = task;
    if (loop === undefined) return "go on";
    const last = Math.min(items.length, from + Math.min(this.#left, limits.aheadLoopItems));
    for (let index = from; index < last; index++) {
      const vars = play.loopVars(loop, items as never, index);
      const view = play.viewAhead(host, frame, task, this.#unknown, vars);
      if (this.#one(task, frame, view) === "stop") return "stop";
    }
    return last < items.length ? "stop" : "go on";
  }

  #one(task: Task, frame: Frame, view: View): Verdict {
    const { play, host } = this.#request;
    if (task.register !== undefined) this.#unknown.add(task.register);
    if (task.loop !== undefined && this.#isPassedOver(task, frame, view)) return "go on";
    const where = { play, task, host, frame };
    const prepared = prepareTask(where, view);
    if (prepared.target !== host || prepared.module.kind === "controller") return "go on";
    const module = prepared.module as Module<unknown, unknown>;
    if (module.reads === "world") return "go on";
    const context = { ...contextOf(where, prepared, this.#request.machine, view), round: 0, elapsedMs: 0 };
    const questions = module.ask(prepared.args, context);
    const identity = identityOfTask(prepared);
    for (const question of questions) this.#add({ identity, question });
    // A command without creates or removes will act for sure: what is asked behind it would be stale (R3).
    const acts = module.alwaysActs === true && questions.length === 0;
    return acts ? this.#barrier(task, frame, alwaysActs) : "go on";
  }

  #add(asked: Asked): void {
    const { machine } = this.#request;
    const key = `${asked.identity.key} ${JSON.stringify(asked.question)}`;
    if (this.#seen.has(key) || machine.isWorldly(asked.question)) return;
    this.#seen.add(key);
    // With steps in the message all that is known is stale by the time that they have run.
    if (!this.#request.acts && machine.known(asked) !== undefined) return;
    this.#asked.push(asked);
  }

  #controller(task: Task, frame: Frame, module: AnyModule): Verdict {
    if (task.register !== undefined) this.#unknown.add(task.register);
    switch (module.name) {
      case "debug":
      case "assert":
      case "fail":
        return "go on";
      case "set_fact":
        for (const { key } of task.args.map.entries) this.#unknown.add(String(key.value));
        return setsKnownNames(task)
          ? "go on"
          : this.#barrier(task, frame, "which names it sets is not known before its turn");
      default:
        return this.#barrier(task, frame, `what follows waits for "${module.name}"`);
    }
  }

  #meta(task: Task, frame: Frame): Verdict {
    const action = task.args.freeForm;
    const name = action?.kind === "scalar" ? String(action.value).trim() : "";
    if (name === "noop") return "go on";
    if (name === "flush_handlers" && this.#request.host.notified.size === 0) return "go on";
    return this.#barrier(task, frame, `what follows waits for "meta: ${name}"`);
  }

  #pass(task: Task, frame: Frame): Verdict {
    if (task.register !== undefined) this.#unknown.add(task.register);
    const module = this.#request.play.run.moduleIfLoaded(task.module);
    const acts = module?.kind === "host" && module.alwaysActs === true;
    return acts ? this.#barrier(task, frame, alwaysActs) : "go on";
  }

  /** --profile tells it, once. */
  #note(statement: SingleStatement, frame: Frame, reason: string): void {
    const { play, host } = this.#request;
    play.run.noteBarrier({
      task: () => taskTitle(statement, play.view(host, frame, statement)),
      place: `${statement.span.file}:${statement.span.line}`,
      reason,
    });
  }

  #barrier(statement: SingleStatement, frame: Frame, reason: string): Verdict {
    this.#note(statement, frame, reason);
    return "stop";
  }
}

const notYet = (name: string): string => `"${name}" is not known before its turn`;
const alwaysActs = "it is executed every time, so what follows is asked after it";

const isForItsTurn = (error: unknown): boolean =>
  error instanceof ProvisionError || error instanceof FactsNeeded || error instanceof NotGreeted;

const setsKnownNames = ({ args: { map, variable, freeForm } }: Task): boolean =>
  variable === undefined &&
  freeForm === undefined &&
  !map.entries.some(({ key }) => String(key.value).includes("{{"));

/**
 * One module on one machine, once: ask, read, plan, apply, and once more if the module says so. Check mode stops before
 * the steps; what was learnt ahead is used only if it still holds (answer-store.ts).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { ProvisionError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { compileStep } from "../host/compile-step.ts";
import type { Answers, Question } from "../host/question.ts";
import type { Step, StepResult } from "../host/step.ts";
import { startJob } from "../modules/async-job.ts";
import type { Diff, Module, ModuleContext, Outcome, Plan } from "../modules/module.ts";
import type { Frame } from "../transport/session.ts";
import { asWritten, type Done, isLostConnection, isWritten, type Lost, nobodyKnows } from "./after-loss.ts";
import type { DoneAlong } from "./along.ts";
import type { ShownDiff, ShownFailure } from "./events.ts";
import type { Identity } from "./identity.ts";
import { limits } from "./limits.ts";
import { type Batch, foundAt } from "./loop-batch.ts";
import type { Machine } from "./machine.ts";
import type { Asked } from "./message.ts";
import { failureResult, messageOf, stepFailure, type Taken } from "./step-failure.ts";

export interface PerformRequest {
  readonly module: Module<unknown, unknown>;
  readonly args: unknown;
  readonly machine: Machine;
  readonly identity: Identity;
  readonly context: Omit<ModuleContext, "round" | "elapsedMs" | "earlier">;
  /** Later tasks see the result. */
  readonly registers?: boolean;
  /** Check mode for this task: plan, do not apply. */
  readonly check: boolean;
  readonly stepTimeoutMs: number;
  /** Sent ahead of the first step, in the same message: owed handlers, those of the batch's items too. */
  readonly before: (batch?: Batch) => readonly Frame[];
  /** Nobody knows what became of a message with steps, nor of what was sent ahead of them. */
  readonly onLoss: (batch?: Batch) => void;
  /** This took time, or changed the world through another door: what is known of hosts may be old (R6). */
  readonly onWait: () => void;
  /** What may be asked along with this task's message. `acts`: the message carries steps. */
  readonly ahead: (acts: boolean, batch?: Batch) => readonly Asked[];
  readonly onStep: (why: string) => void;
  /** Somebody else is waited for. */
  readonly onWaitFor?: (what: string) => void;
  /** An earlier item of the loop took this one's steps along. */
  readonly done?: Done | undefined;
  /** It took them along and its answer was lost: what is right now may have been made right by us. */
  readonly mayBeDone?: Lost | undefined;
  /** The items behind this one that may be done in the same message as these steps. */
  readonly batch?: (item: AskedItem & { readonly steps: readonly Step[] }) => Batch;
  readonly onDone?: (done: DoneAlong) => void;
  /** Not all of a batch was done. */
  readonly onUndone?: () => void;
  /** async with poll: 0: the steps go on as a job of the host when the task is done. */
  readonly detach?: { readonly jobId: string; readonly timeoutSeconds: number };
}

/** What the last plan was made from. */
interface AskedItem {
  readonly questions: readonly Question[];
  readonly answers: Answers;
}

export interface Performance {
  readonly changed: boolean;
  readonly failed: boolean;
  readonly skipped: string | undefined;
  /** Steps were planned and, in check mode, not taken. */
  readonly wouldAct: boolean;
  readonly acted: boolean;
  readonly result: JsonObject;
  readonly steps: readonly string[];
  readonly diffs: readonly ShownDiff[];
  readonly failure?: ShownFailure;
  readonly networkMs: number;
  readonly hostMs: number;
}

export async function perform(request: PerformRequest): Promise<Performance> {
  const run = new PerformRun(request);
  return run.result();
}

class PerformRun {
  readonly #request: PerformRequest;
  readonly #taken: Taken[] = [];
  readonly #diffs: Diff[] = [];
  readonly #planned: Step[] = [];
  /** Answers to the next round's questions, which came with this round's steps. */
  #early: Answers | undefined;
  /** What is known after the last steps. */
  #after: Answers | undefined;
  #done: Done | undefined;
  #asked: AskedItem = { questions: [], answers: [] };
  /** What the last plan was made from. */
  #state: unknown;
  #hasState = false;
  #changed: boolean;
  #failed = false;
  #wasLost = false;
  /** What may have been done by a message whose answer never came. */
  #lost: Lost | undefined;
  readonly #told = new Set<string>();
  #networkMs = 0;
  #hostMs = 0;

  constructor(request: PerformRequest) {
    this.#request = request;
    this.#done = request.done;
    this.#lost = request.mayBeDone;
    this.#changed = request.mayBeDone !== undefined;
  }

  async result(): Promise<Performance> {
    const startedAt = performance.now();
    let lost: Plan | undefined;
    for (let round = 0, rounds = 0; rounds < limits.planRounds; round++, rounds++) {
      const elapsedMs = performance.now() - startedAt;
      const context = { ...this.#context(), round, elapsedMs, earlier: this.#asked.answers };
      const plan = await this.#plan(context);
      if (plan.steps.length === 0 && lost !== undefined) this.#show(lost);
      lost = undefined;
      this.#show(plan);
      if (plan.fail !== undefined) return this.#end(context, plan, { message: plan.fail });
      if (plan.skip !== undefined) return this.#end(context, plan);
      if (plan.steps.length === 0) {
        if (plan.again !== true) return this.#end(context, plan);
        if (plan.waitMs !== undefined) {
          rounds--;
          if (plan.waitsFor !== undefined) round--;
          this.#tellWait(plan.waitsFor);
          await sleep(plan.waitMs);
          this.#request.onWait();
        }
        continue;
      }
      const looksOnly = plan.unchanged === true || this.#request.module.readOnly === true;
      if (!looksOnly) this.#changed = true;
      if (this.#request.check && !looksOnly) return this.#end(context, plan);
      const failure = await this.#apply(plan, context);
      if (failure === "again") {
        lost = this.#unshow(plan);
        // From the beginning: what an earlier round did may be undone as well.
        round = -1;
        continue;
      }
      if (failure !== undefined || plan.again !== true) return this.#end(context, plan, failure);
    }
    const elapsedMs = performance.now() - startedAt;
    const context = { ...this.#context(), round: limits.planRounds, elapsedMs };
    const message = `the host is still not as wanted after ${limits.planRounds} rounds of steps`;
    return this.#end(context, { steps: [], diffs: [] }, { message });
  }

  #show({ steps, diffs }: Plan): void {
    this.#planned.push(...steps);
    this.#diffs.push(...diffs);
  }

  /** Its answer was lost. It is shown if nothing of it is left to do. */
  #unshow(plan: Plan): Plan {
    this.#planned.length -= plan.steps.length;
    this.#diffs.length -= plan.diffs.length;
    return plan;
  }

  #context(): Omit<ModuleContext, "round" | "elapsedMs"> {
    // What a job prints is its own.
    const registers = this.#request.registers === true && this.#request.detach === undefined;
    return { ...this.#request.context, registers };
  }

  #tellWait(what: string | undefined): void {
    if (what === undefined || this.#told.has(what)) return;
    this.#told.add(what);
    this.#request.onWaitFor?.(what);
  }

  async #plan(context: ModuleContext): Promise<Plan> {
    const { module, args } = this.#request;
    const along = this.#planAlong(context);
    if (along !== undefined) return along;
    const questions = module.ask(args, context);
    const answers = this.#early ?? (await this.#answers(questions));
    this.#early = undefined;
    this.#asked = { questions, answers };
    const lost = this.#lost;
    this.#lost = undefined;
    if (lost !== undefined && isWritten(lost, answers)) {
      this.#done = asWritten(lost);
      const written = this.#planAlong(context);
      if (written !== undefined) return written;
    }
    const state = module.read(answers, args, context);
    this.#state = state;
    this.#hasState = true;
    return module.plan(args, state, context);
  }

  /** R0: what was done along counts only if at its turn the item still asks, knows and plans what it did then. */
  #planAlong(context: ModuleContext): Plan | undefined {
    const { module, args } = this.#request;
    const done = this.#done;
    if (done === undefined || context.round > 0) return undefined;
    if (isDeepStrictEqual(module.ask(args, context), done.questions)) {
      const state = module.read(done.answers, args, context);
      const plan = module.plan(args, state, context);
      if (isDeepStrictEqual(plan.steps, done.steps)) {
        this.#state = state;
        this.#hasState = true;
        return plan;
      }
    }
    this.#done = undefined;
    return undefined;
  }

  /** From what is known, as far as it holds; else in one message, with what follows. */
  async #answers(questions: readonly Question[]): Promise<Answers> {
    const { machine, identity, module } = this.#request;
    if (questions.length === 0) return [];
    if (module.reads === "host") {
      const known = questions.map((question) => machine.known({ identity, question }));
      if (known.every((answer) => answer !== undefined)) return known;
    }
    return this.#resending(questions.every(mayBeAskedTwice), async () => {
      const reply = await machine.send({
        identity,
        steps: [],
        own: questions,
        ahead: this.#request.ahead(false),
        stepTimeoutMs: this.#request.stepTimeoutMs,
      });
      this.#addTiming(reply.timing);
      // A POST may change any host.
      if (!questions.every(mayBeAskedTwice)) this.#request.onWait();
      return reply.own;
    });
  }

  /** R13: questions may simply be asked again over a new connection; a POST may not. */
  async #resending<T>(isSafe: boolean, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (!isLostConnection(error) || !isSafe) throw error;
      return ask();
    }
  }

  async #apply(plan: Plan, context: ModuleContext): Promise<ShownFailure | "again" | undefined> {
    const { machine, identity, module, args } = this.#request;
    for (const { why } of plan.steps) this.#request.onStep(why);
    if (this.#done !== undefined) {
      this.#took(this.#done.steps, this.#done.results);
      this.#done = undefined;
      // Asked with the message that did it.
      const after = this.#afterQuestions(context);
      if (after.length > 0) this.#after = await this.#answers(after);
      return undefined;
    }
    const steps = this.#detached(plan.steps);
    const next = { ...context, round: context.round + 1, earlier: this.#asked.answers };
    const own = plan.again === true ? module.ask(args, next) : this.#afterQuestions(context);
    const isLast = plan.again !== true && this.#request.detach === undefined;
    const batch = isLast ? this.#request.batch?.({ ...this.#asked, steps }) : undefined;
    try {
      const reply = await machine.send({
        identity,
        ...(batch === undefined ? {} : { batch }),
        before: this.#request.before(batch),
        steps,
        found: (path) => foundAt(path, this.#asked),
        own: [...own, ...(batch?.items ?? []).flatMap(({ after }) => after)],
        ahead: this.#request.ahead(true, batch),
        stepTimeoutMs: this.#request.stepTimeoutMs,
      });
      this.#addTiming(reply.timing);
      const isDone = reply.steps.every(({ ok }) => ok);
      if (plan.again === true && isDone) this.#early = reply.own;
      if (plan.again !== true && isDone && own.length > 0) this.#after = reply.own.slice(0, own.length);
      this.#took(steps, reply.steps);
      for (const done of reply.along) this.#request.onDone?.(done);
      if (batch !== undefined && batch.items.length > reply.along.length) this.#request.onUndone?.();
    } catch (error) {
      this.#request.onLoss(batch);
      if (!isLostConnection(error)) throw error;
      return this.#afterLoss(error, plan, batch);
    }
    const last = this.#taken.at(-1);
    return last === undefined || last.result.ok ? undefined : stepFailure(last);
  }

  #afterQuestions(context: ModuleContext): readonly Question[] {
    const { module, args, registers, detach } = this.#request;
    return registers === true && detach === undefined
      ? (module.after?.(args, this.#state, context) ?? [])
      : [];
  }

  #took(steps: readonly Step[], results: readonly StepResult[]): void {
    results.forEach((result, index) => {
      const step = steps[index];
      if (step !== undefined) this.#taken.push({ step, result });
    });
  }

  #detached(steps: readonly Step[]): readonly Step[] {
    const { detach } = this.#request;
    if (detach === undefined) return steps;
    const script = steps.map((step) => {
      if (step.do !== "run" || step.stdin !== undefined) {
        throw new ProvisionError({
          code: "bad-argument",
          action: `run "${this.#request.module.name}" as a job`,
          state: "it does more than run a command",
          why: "async with poll: 0 takes modules that only run something, without stdin",
          fix: "poll: 10",
        });
      }
      return `( ${compileStep(step).script}\n) || exit`;
    });
    return [startJob({ ...detach, script: script.join("\n") })];
  }

  /**
   * R13: nobody knows whether the step ended. What can be asked is asked again; a command is not run twice, and a host
   * that went away in its middle is unreachable.
   */
  #afterLoss(error: ProvisionError, plan: Plan, batch: Batch | undefined): "again" {
    const { module, detach } = this.#request;
    const isSecond = this.#wasLost;
    this.#wasLost = true;
    const leavesTraces = module.alwaysActs !== true && detach === undefined && plan.leavesNoTrace !== true;
    if (!leavesTraces || isSecond)
      throw nobodyKnows(this.#planned.at(-1)?.why ?? module.name, isSecond, error);
    const later = (batch?.items ?? []).flatMap(({ steps }) => steps);
    this.#lost = plan.again === true ? undefined : { ...this.#asked, steps: plan.steps, later };
    return "again";
  }

  #addTiming({ networkMs, hostMs }: { readonly networkMs: number; readonly hostMs: number }): void {
    this.#networkMs += networkMs;
    this.#hostMs += hostMs;
  }

  /** A task whose first step failed has changed nothing; a command may have. */
  #hasChanged(): boolean {
    if (!this.#failed || this.#request.module.alwaysActs === true) return this.#changed;
    return this.#changed && this.#taken.some(({ result }) => result.ok);
  }

  #end(context: ModuleContext, plan: Plan, failure?: ShownFailure): Performance {
    const { module, args, check } = this.#request;
    this.#failed = failure !== undefined;
    const wouldAct = check && this.#changed && !this.#failed;
    const after = this.#after === undefined ? {} : { after: this.#after };
    const outcome: Outcome = { changed: this.#changed, failed: this.#failed, steps: this.#taken, ...after };
    const { detach } = this.#request;
    const job = detach === undefined || failure !== undefined ? {} : jobResult(detach.jobId);
    const isReadable = this.#hasState && (!wouldAct || module.alwaysActs !== true);
    const result =
      detach !== undefined
        ? job
        : isReadable
          ? (module.result?.(this.#state, outcome, args, context) ?? {})
          : {};
    return {
      changed: this.#hasChanged(),
      failed: this.#failed,
      skipped: plan.skip,
      wouldAct,
      acted: this.#taken.length > 0,
      result:
        failure === undefined
          ? result
          : { ...failureResult(failure), ...result, msg: messageOf(failure, result) },
      steps: this.#planned.map(({ why }) => why),
      diffs: this.#diffs.filter(({ secret }) => secret !== true),
      ...(failure === undefined ? {} : { failure }),
      networkMs: this.#networkMs,
      hostMs: this.#hostMs,
    };
  }
}

const jobResult = (jobId: string): JsonObject => ({
  ansible_job_id: jobId,
  started: 1,
  finished: 0,
  results_file: "",
});

const mayBeAskedTwice = (question: Question): boolean =>
  question.of !== "http" || /^(GET|HEAD|OPTIONS)$/i.test(question.request.method);

/**
 * Which items of a loop may be done in one message (R8): the item at hand, and those right behind it whose answers are
 * known and speak of no path that an item before them changes. Anything else waits for its turn.
 */
import { ProvisionError } from "../../base/errors.ts";
import type { Answer, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import type { Module } from "../modules/module.ts";
import type { Along } from "./along.ts";
import { FactsNeeded } from "./facts-needed.ts";
import { conditionsOf } from "./frame.ts";
import { limits } from "./limits.ts";
import type { Identity, Machine } from "./machine.ts";
import { isNeverChanged, notifiedBy } from "./notify.ts";
import type { Handler } from "./play-state.ts";
import { contextOf, identityOfTask, prepareTask } from "./prepare-task.ts";
import { isFramed } from "./question-frames.ts";
import type { HostTask, LoopPlace } from "./run-on-host.ts";
import { credentialChange } from "./step-frames.ts";
import { isUnknownAhead, pure } from "./view.ts";

export interface BatchRequest {
  readonly work: HostTask;
  readonly machine: Machine;
  readonly identity: Identity;
  readonly loop: LoopPlace;
  /** Of the item at hand. */
  readonly steps: readonly Step[];
}

export interface Batch {
  readonly items: readonly Along[];
  readonly folders: readonly string[];
  /** What the items notify when they change something. */
  readonly notified: readonly Handler[];
}

const none: Batch = { items: [], folders: [], notified: [] };

export function batchBehind(request: BatchRequest): Batch {
  const { task, play } = request.work;
  const isPlain =
    task.until === undefined &&
    task.retries === undefined &&
    task.async === undefined &&
    task.loop?.breakWhen.length === 0 &&
    task.loop.pause === undefined;
  if (!isPlain || request.loop.batches.areOff || !play.run.request.askAhead || request.machine.hasJobs)
    return none;
  const touched = new Touched();
  if (!touched.add(request.steps)) return none;
  const items: Along[] = [];
  const notified: Handler[] = [];
  let bytes = 0;
  const last = Math.min(request.loop.items.length, request.loop.index + 1 + limits.batchItems);
  for (let index = request.loop.index + 1; index < last; index++) {
    const item = itemAt(request, index, touched);
    if (item === undefined || !touched.add(item.steps)) break;
    notified.push(...item.notified);
    bytes += bytesOf(item.steps);
    if (bytes > limits.batchBytes) break;
    touched.note(item.questions);
    items.push(item);
  }
  return items.length === 0 ? none : { items, folders: touched.folders(), notified };
}

function itemAt({ work, machine, identity, loop }: BatchRequest, index: number, touched: Touched) {
  const { play, task, host, place } = work;
  if (task.loop === undefined) return undefined;
  try {
    const vars = play.loopVars(task.loop, loop.items, index);
    // R3, R4: what would be another value at the item's turn is left to it.
    const view = pure(play.view(host, place.frame, task, vars));
    if (view.firstUnmet(conditionsOf(place.frame, task)) !== undefined) return undefined;
    const where = { play, task, host, frame: place.frame };
    const prepared = prepareTask(where, view);
    if (prepared.module.kind !== "host" || prepared.target !== host || prepared.check) return undefined;
    if (identityOfTask(prepared).key !== identity.key) return undefined;
    const module = prepared.module as Module<unknown, unknown>;
    if (module.reads !== "host" || module.alwaysActs === true || module.readOnly === true) return undefined;
    const context = { ...contextOf(where, prepared, machine, view), round: 0, elapsedMs: 0 };
    const questions = module.ask(prepared.args, context);
    const answers = questions.map((question) => machine.known({ identity, question }));
    if (!answers.every((answer) => answer !== undefined)) return undefined;
    if (!questions.every((question, at) => isApart(question, answers[at], touched))) return undefined;
    const plan = module.plan(prepared.args, module.read(answers, prepared.args, context), context);
    if (plan.fail !== undefined || plan.skip !== undefined || plan.again === true || plan.unchanged === true)
      return undefined;
    if (!plan.steps.every(isFramedStep)) return undefined;
    const [step] = plan.steps;
    const isNewFile =
      plan.steps.length === 1 && step?.do === "write" && isAbsent(step.path, questions, answers);
    const notified = isNeverChanged(task) ? [] : notifiedBy(play, task, place.frame, view);
    const along = { index, args: prepared.args, questions, answers, steps: plan.steps, isNewFile };
    return { ...along, notified } satisfies Along & { readonly notified: readonly Handler[] };
  } catch (error) {
    // Heard at its turn.
    if (error instanceof ProvisionError || error instanceof FactsNeeded || isUnknownAhead(error))
      return undefined;
    throw error;
  }
}

const isFramedStep = (step: Step): step is Along["steps"][number] =>
  (step.do === "run" && step.touches !== undefined) || (step.do === "write" && "bytes" in step.from);

/** A path of its own, no link, and nothing that an earlier item's steps can change. */
function isApart(question: Question, answer: Answer | undefined, touched: Touched): boolean {
  if (!isFramed(question) || question.of !== "path" || answer?.of !== "path") return false;
  const { stat } = answer.value;
  // A second name of the same file may be another item's.
  if (stat.exists && (stat.type === "link" || (stat.type === "file" && stat.nlink > 1))) return false;
  return question.path.startsWith("/") && touched.isApart(question.path);
}

const isAbsent = (
  path: string,
  questions: readonly Question[],
  answers: readonly (Answer | undefined)[],
): boolean =>
  questions.some((question, at) => {
    const answer = answers[at];
    return (
      question.of === "path" && question.path === path && answer?.of === "path" && !answer.value.stat.exists
    );
  });

const bytesOf = (steps: readonly Step[]): number =>
  steps.reduce(
    (sum, step) => sum + (step.do === "write" && "bytes" in step.from ? step.from.bytes.length : 0),
    0,
  );

/** Paths that the batch changes so far, and all folders above them. */
class Touched {
  readonly #paths = new Set<string>();
  readonly #above = new Set<string>();
  readonly #folders = new Set<string>();

  /** False: it cannot be told what these steps change, or it is more than files. */
  add(steps: readonly Step[]): boolean {
    if (credentialChange(steps) === "certain") return false;
    for (const step of steps) {
      const paths =
        step.do === "write" ? [step.path] : step.do === "run" ? (step.touches ?? [undefined]) : [undefined];
      for (const path of paths) {
        if (path === undefined || !/^\/[^\n]*[^/\n]$/.test(path) || /\/\.{0,2}(\/|$)/.test(path))
          return false;
        this.#paths.add(path);
        this.#folders.add(above(path)[0] ?? "/");
        for (const folder of above(path)) this.#above.add(folder);
      }
    }
    return true;
  }

  isApart(path: string): boolean {
    if (this.#paths.has(path) || this.#above.has(path)) return false;
    return !above(path).some((folder) => this.#paths.has(folder));
  }

  /** What was asked about has a folder too, which must not be another name of a changed one. */
  note(questions: readonly Question[]): void {
    for (const question of questions)
      if (question.of === "path") this.#folders.add(above(question.path)[0] ?? "/");
  }

  folders(): readonly string[] {
    return [...this.#folders];
  }
}

/** The folders above a path, the nearest first. */
function above(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.lastIndexOf("/"); at >= 0; at = at === 0 ? -1 : path.lastIndexOf("/", at - 1))
    folders.push(path.slice(0, at) || "/");
  return folders;
}

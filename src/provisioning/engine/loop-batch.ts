/**
 * Which items of a loop may be done in one message (R8): the item at hand, and those right behind it whose answers are
 * known and speak of no path that an item before them changes, unless what it changes is known too: a file's content.
 * Anything else waits for its turn.
 */
import { ProvisionError } from "../../base/errors.ts";
import { fileKind } from "../host/compile-files.ts";
import { isRepeatable } from "../host/compile-runs.ts";
import type { Answers, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import type { Module } from "../modules/module.ts";
import type { Along, Manner } from "./along.ts";
import { FactsNeeded } from "./facts-needed.ts";
import { conditionsOf } from "./frame.ts";
import type { Identity } from "./identity.ts";
import { limits } from "./limits.ts";
import type { Machine } from "./machine.ts";
import { isNeverChanged, notifiedBy } from "./notify.ts";
import type { Handler } from "./play-state.ts";
import { contextOf, identityOfTask, prepareTask } from "./prepare-task.ts";
import type { HostTask, LoopPlace } from "./run-on-host.ts";
import { credentialChange } from "./step-frames.ts";
import { changesContentOnly, type Places, Touched } from "./touched.ts";
import { isUnknownAhead, pure } from "./view.ts";

export interface BatchRequest {
  readonly work: HostTask;
  readonly machine: Machine;
  readonly identity: Identity;
  readonly loop: LoopPlace;
  /** Of the item at hand. */
  readonly steps: readonly Step[];
  readonly questions: readonly Question[];
  readonly answers: Answers;
}

export interface Batch {
  readonly items: readonly Along[];
  readonly places: Places;
  /** What the items notify when they change something. */
  readonly notified: readonly Handler[];
}

const none: Batch = { items: [], places: { folders: [], followed: [] }, notified: [] };

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
  if (!isSeenThrough(request) || !take(touched, request)) return none;
  touched.note(request.questions);
  const items: Along[] = [];
  const notified: Handler[] = [];
  const bytes = new Bytes();
  const last = Math.min(request.loop.items.length, request.loop.index + 1 + limits.batchItems);
  for (let index = request.loop.index + 1; index < last; index++) {
    const item = itemAt(request, index, touched);
    if (item === undefined || !take(touched, item)) break;
    notified.push(...item.notified);
    if (!bytes.add(item.steps)) break;
    touched.note(item.questions);
    items.push(item);
  }
  return items.length === 0 ? none : { items, places: touched.places(), notified };
}

/** Where the item at hand leads through a link, another item may be about what it leads to. */
const isSeenThrough = ({ steps, answers }: BatchRequest): boolean =>
  steps.every((step) => step.do === "run" && /^(rm|ln)$/.test(step.argv[0] ?? "")) ||
  !answers.some(({ of, value }) => of === "path" && value.stat.exists && value.stat.type === "link");

type Taken = Pick<BatchRequest, "steps" | "questions" | "answers">;

/** False: it cannot be told what the item changes, or it is more than files. */
function take(touched: Touched, { steps, questions, answers }: Taken): boolean {
  if (credentialChange(steps) === "certain" || !touched.add(steps)) return false;
  const [step] = steps;
  if (steps.length !== 1 || step?.do !== "write" || !("bytes" in step.from)) return true;
  const before = foundAt(step.path, { questions, answers });
  if (before !== undefined && before !== "nothing" && changesContentOnly(step, before))
    touched.addContent(step.path, step.from.bytes);
  return true;
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
    const answers = questions.map((question) => {
      const answer = machine.known({ identity, question });
      if (answer === undefined || question.of !== "path") return undefined;
      return touched.foresee(question, answer, questions);
    });
    if (!answers.every((answer) => answer !== undefined)) return undefined;
    const state = module.read(answers, prepared.args, context);
    const plan = module.plan(prepared.args, state, context);
    if (plan.fail !== undefined || plan.skip !== undefined || plan.again === true || plan.unchanged === true)
      return undefined;
    const { steps } = plan;
    if (!steps.every(isFramedStep)) return undefined;
    const manner = mannerOf({ steps, questions, answers }, touched);
    if (manner === undefined) return undefined;
    const after = task.register === undefined ? [] : (module.after?.(prepared.args, state, context) ?? []);
    if (after.some((question) => question.of === "path" && touched.knowsContentOf(question.path)))
      return undefined;
    const notified = isNeverChanged(task)
      ? []
      : notifiedBy({ play, task, host: work.host, frame: place.frame }, view);
    const along: Along = { index, questions, answers, steps, manner, after };
    return { ...along, notified };
  } catch (error) {
    // Heard at its turn.
    if (error instanceof ProvisionError || error instanceof FactsNeeded || isUnknownAhead(error))
      return undefined;
    throw error;
  }
}

const isFramedStep = (step: Step): step is Along["steps"][number] =>
  (step.do === "run" && step.touches !== undefined) || step.do === "write";

function mannerOf(
  { steps, questions, answers }: Pick<Along, "steps" | "questions" | "answers">,
  touched: Touched,
): Manner | undefined {
  const foreseen = questions.find(
    (question) => question.of === "path" && touched.knowsContentOf(question.path),
  );
  if (steps.length === 0) {
    return foreseen?.of === "path" ? { by: "others", path: foreseen.path } : { by: "nothing" };
  }
  const [step] = steps;
  if (steps.length === 1 && step?.do === "write" && "bytes" in step.from) {
    const before = foundAt(step.path, { questions, answers });
    const kind = before === undefined ? undefined : fileKind(step, before);
    const isKept = before !== undefined && before !== "nothing" && changesContentOnly(step, before);
    if (foreseen !== undefined && !isKept) return undefined;
    if (before !== undefined && kind !== undefined)
      return { by: "file", kind, content: { step, bytes: step.from.bytes, before } };
  }
  if (foreseen !== undefined) return undefined;
  return steps.every(isRepeatable) ? { by: "runs", steps } : { by: "itself" };
}

/** What was found at a path. Undefined: it was not asked. */
export function foundAt(path: string, { questions, answers }: Pick<Along, "questions" | "answers">) {
  const at = questions.findIndex((question) => question.of === "path" && question.path === path);
  const answer = answers[at];
  if (answer?.of !== "path" || answer.value.denied === true) return undefined;
  return answer.value.stat.exists ? answer.value.stat : ("nothing" as const);
}

/** Of a file that many items write only the last content is sent, but all of them are held. Large files are sent alone. */
class Bytes {
  readonly #sent = new Map<string, number>();
  #sum = 0;
  #held = 0;
  #streamed = 0;

  /** False: the message is full. */
  add(steps: readonly Step[]): boolean {
    for (const step of steps) {
      if (step.do !== "write") continue;
      if (!("bytes" in step.from)) {
        this.#streamed += step.from.sizeBytes;
        continue;
      }
      const { length } = step.from.bytes;
      this.#sum += length - (this.#sent.get(step.path) ?? 0);
      this.#sent.set(step.path, length);
      this.#held += length;
    }
    return (
      this.#sum <= limits.batchBytes &&
      this.#held <= limits.batchHeldBytes &&
      this.#streamed <= limits.batchStreamedBytes
    );
  }
}

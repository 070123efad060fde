/** The steps of one message: frames where a script does, the session itself for transfers and reconnecting. */

import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ProvisionError } from "../../base/errors.ts";
import { shellWords } from "../../base/shell-quote.ts";
import type { CompiledStep } from "../host/compile-step.ts";
import type { Answers, Question } from "../host/question.ts";
import type { Step, StepResult } from "../host/step.ts";
import type { Frame, FrameResult, Session, Shell } from "../transport/session.ts";
import { alongFrames, type DoneAlong } from "./along.ts";
import { limits } from "./limits.ts";
import type { Machine } from "./machine.ts";
import type { Message, Timing } from "./message.ts";
import { answersOf, questionFrame, withEnvironment } from "./question-frames.ts";
import {
  type CompiledUnit,
  compileUnit,
  type FramedSegment,
  type FramedStep,
  segmentsOf,
  type Unit,
} from "./step-segments.ts";

export interface StepsRequest {
  readonly machine: Machine;
  readonly session: Session;
  readonly shell: Shell;
  readonly message: Message;
  readonly questions: readonly Question[];
  readonly timing: Timing;
}
export interface StepsRan {
  readonly results: readonly StepResult[];
  /** Undefined: the questions stay open. */
  readonly answers: Answers | undefined;
  /** Every step ended well. */
  readonly isWhole: boolean;
  readonly exchanges: number;
  readonly along: readonly DoneAlong[];
}

/** Steps in order, in as few messages as their kinds allow; nothing after a failed one. */
export async function runSteps(request: StepsRequest): Promise<StepsRan> {
  const { message, session } = request;
  const results: StepResult[] = [];
  let along: readonly DoneAlong[] = [];
  let exchanges = 0;
  let before = message.before ?? [];
  const segments = segmentsOf(message.steps, message.found ?? (() => undefined));
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment.kind === "special") {
      results.push(await special(request, session, segment.step));
      if (results.at(-1)?.ok !== true)
        return { results, answers: undefined, isWhole: false, exchanges, along };
      if (isLast) return { results, answers: undefined, isWhole: true, exchanges, along };
      continue;
    }
    const ran = await runSegment(request, segment, before, isLast);
    before = [];
    along = ran.along;
    exchanges++;
    results.push(...ran.results);
    const isWhole = ran.results.length === segment.count && ran.results.every(({ ok }) => ok);
    if (!isWhole || isLast) return { results, answers: ran.answers, isWhole, exchanges, along };
  }
  return { results, answers: undefined, isWhole: true, exchanges, along };
}

async function runSegment(
  { machine, shell, message, questions, timing }: StepsRequest,
  { units, count }: FramedSegment,
  before: readonly Frame[],
  isLast: boolean,
): Promise<Pick<StepsRan, "answers" | "along"> & { results: StepResult[] }> {
  const { env } = message.identity;
  const compiled = await Promise.all(units.map(compileUnit));
  const asks = isLast && questions.length > 0;
  const { items, places } = (isLast ? message.batch : undefined) ?? noBatch;
  const { stepTimeoutMs } = message;
  const along = alongFrames(items, {
    places,
    stepTimeoutMs,
    withEnvironment: (script) => withEnvironment(script, env),
  });
  const frames: Frame[] = [
    ...before,
    ...compiled.map((each, index) => stepFrame(each, message, index > 0 || before.length > 0)),
    ...along.frames,
  ];
  if (asks)
    frames.push(
      questionFrame(questions, { env, timeoutMs: limits.aheadQuestionTimeoutMs, afterSteps: true }),
    );
  const outcomes = await machine.exchange(shell, frames, timing);
  throwOfMarker(outcomes.slice(0, before.length));
  const own = outcomes.slice(before.length, before.length + units.length);
  const results = resultsOf(units, compiled, own, count);
  const done = along.read(outcomes.slice(before.length + units.length));
  return { results, answers: asks ? answersOf(questions, outcomes.at(-1), true) : [], along: done };
}

const noBatch = { items: [], places: { folders: [], followed: [] } };

/** In the order of the steps, up to the first that failed or did not run. */
function resultsOf(
  units: readonly Unit[],
  compiled: readonly CompiledUnit[],
  outcomes: readonly FrameResult[],
  count: number,
): StepResult[] {
  const byPlace: (StepResult | undefined)[] = Array.from({ length: count });
  for (const [index, { places }] of units.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined || outcome.skipped) continue;
    const read = compiled[index]?.read(outcome) ?? [];
    for (const [at, place] of places.entries()) {
      const result = read[at];
      if (result !== undefined) byPlace[place] = withTimeNote(result, outcome);
    }
  }
  const end = byPlace.findIndex((result) => result?.ok !== true);
  const results = end === -1 ? byPlace : byPlace.slice(0, end + 1);
  return results.flatMap((result) => result ?? []);
}

function stepFrame(compiled: CompiledStep, message: Message, onlyAfterSuccess: boolean): Frame {
  return {
    kind: compiled.runsForeignCode ? "step" : "ask",
    script: withEnvironment(compiled.script, message.identity.env),
    timeoutMs: message.stepTimeoutMs,
    okCodes: compiled.okCodes,
    ...(compiled.stdin === undefined ? {} : { stdin: compiled.stdin }),
    ...(compiled.stream === undefined ? {} : { stream: compiled.stream }),
    ...(onlyAfterSuccess ? { onlyAfterSuccess: true } : {}),
  };
}

/** The last words of what took too long. */
export const endOfTime = "s, which is its time limit";

function withTimeNote(result: StepResult, outcome: FrameResult): StepResult {
  if (!outcome.timedOut) return result;
  const note = Buffer.from(`\nprovision: ended after ${Math.round(outcome.elapsedMs / 1000)} ${endOfTime}\n`);
  return { ...result, stderr: Buffer.concat([result.stderr, note]) };
}

/** The marker of an owed handler must be on disk before the step that notifies it: without it the step did not run. */
function throwOfMarker(outcomes: readonly FrameResult[]): void {
  const failed = outcomes.find(({ code, skipped }) => skipped || code !== 0);
  if (failed === undefined) return;
  throw new ProvisionError({
    code: "marker-unwritable",
    action: "note on the host that a handler is owed",
    state: new TextDecoder().decode(failed.stderr).trim() || `the shell ended with ${failed.code}`,
    why: "the note is written before the step that notifies the handler, so that a lost run cannot lose it; nothing was changed",
  });
}

async function special(
  request: StepsRequest,
  session: Session,
  step: Exclude<Step, FramedStep>,
): Promise<StepResult> {
  const startedAt = performance.now();
  const done = (ok: boolean, stderr = ""): StepResult => ({
    ok,
    code: ok ? 0 : 1,
    stdout: new Uint8Array(),
    stderr: Buffer.from(stderr),
    elapsedMs: performance.now() - startedAt,
  });
  if (step.do === "reconnect") return reconnect(request, step, done);
  try {
    await mkdir(dirname(step.to), { recursive: true });
    const { become } = request.message.identity;
    await session.download(step.path, step.to, { become, maxBytes: limits.fetchBytes });
    return done(true);
  } catch (error) {
    if (error instanceof ProvisionError && error.code !== "connection-lost")
      return done(false, error.message);
    // The controller's own disk: full, closed, a file where a folder must be.
    if (error instanceof Error && "syscall" in error) return done(false, error.message);
    throw error;
  }
}

type Done = (ok: boolean, stderr?: string) => StepResult;

async function reconnect(
  { machine, message }: StepsRequest,
  step: Extract<Step, { do: "reconnect" }>,
  done: Done,
): Promise<StepResult> {
  await machine.dropSession();
  await sleep(step.delayMs);
  const deadline = performance.now() + step.timeoutMs;
  let last = "";
  do {
    try {
      const session = await machine.session();
      const shell = await session.shell(message.identity.become);
      const script = step.test === undefined ? "exit 0" : shellWords(step.test);
      const [result] = await shell.exchange([{ kind: "step", script, timeoutMs: limits.questionTimeoutMs }]);
      if (result?.code === 0) return done(true);
      last = new TextDecoder().decode(result?.stderr);
    } catch (error) {
      if (!(error instanceof ProvisionError)) throw error;
      last = error.message;
    }
    await machine.dropSession();
    await sleep(limits.reconnectPauseMs);
  } while (performance.now() < deadline);
  return done(false, `the host did not come back in ${step.timeoutMs / 1000} s: ${last}`);
}

const credentialPaths =
  /^\/etc\/(passwd|group|shadow|gshadow|sudoers|pam\.|environment|security\/|login\.defs|profile|nsswitch)/;
/** R10: shells of other users must be opened anew after these. A command may have done anything. */
export type CredentialChange = "none" | "possible" | "certain";

export function credentialChange(steps: readonly Step[]): CredentialChange {
  if (steps.some((step) => step.do === "write" && credentialPaths.test(step.path))) return "certain";
  return steps.some((step) => step.do === "run") ? "possible" : "none";
}

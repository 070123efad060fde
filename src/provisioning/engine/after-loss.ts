/**
 * R13: what can be known of a message with steps whose answer was lost, once its questions were asked again. As a rule
 * the answers tell: what was done is not planned again. A write that depends on what it replaces (`replace` that finds
 * its own result) would be, so it is looked for by its content.
 */
import { ProvisionError } from "../../base/errors.ts";
import type { Answers, Question } from "../host/question.ts";
import type { Step, StepResult } from "../host/step.ts";

export const isLostConnection = (error: unknown): error is ProvisionError =>
  error instanceof ProvisionError && error.code === "connection-lost";

export interface Lost {
  readonly questions: readonly Question[];
  /** What the steps were planned from. */
  readonly answers: Answers;
  readonly steps: readonly Step[];
  /** Steps behind them in the same message. */
  readonly later: readonly Step[];
}

/** What an earlier message did of a task. */
export interface Done {
  readonly questions: readonly Question[];
  readonly answers: Answers;
  readonly steps: readonly Step[];
  readonly results: readonly StepResult[];
}

/** Each file held something else before, and holds now what was to be written, or what was to be written after it. */
export function isWritten({ steps, answers, later }: Lost, now: Answers): boolean {
  return (
    steps.length > 0 &&
    steps.every((step) => {
      const bytes = bytesOf(step);
      if (step.do !== "write" || bytes === undefined || holds(answers, bytes)) return false;
      const after = later.flatMap((each) =>
        each.do === "write" && each.path === step.path ? (bytesOf(each) ?? []) : [],
      );
      return [bytes, ...after].some((each) => holds(now, each));
    })
  );
}

const bytesOf = (step: Step): Uint8Array | undefined =>
  step.do === "write" && "bytes" in step.from ? step.from.bytes : undefined;

const holds = (answers: Answers, bytes: Uint8Array): boolean =>
  answers.some(
    ({ of, value }) => of === "path" && value.content !== undefined && sameBytes(value.content, bytes),
  );

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

export const nobodyKnows = (what: string, isSecond: boolean, cause: ProvisionError): ProvisionError =>
  new ProvisionError({
    code: "connection-lost",
    action: `carry out "${what}"`,
    state: `the connection was lost ${isSecond ? "twice " : ""}while it ran: nobody knows whether it ended`,
    cause,
  });

export const asWritten = ({ questions, answers, steps }: Lost): Done => ({
  ...{ questions, answers, steps },
  results: steps.map(() => ({
    ...{ ok: true, code: 0, elapsedMs: 0 },
    ...{ stdout: new Uint8Array(), stderr: new Uint8Array() },
  })),
});

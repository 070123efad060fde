/** Questions as one frame of a message, and its output as answers. */
import { ProvisionError } from "../../base/errors.ts";
import { shellQuote } from "../../base/shell-quote.ts";
import { compileQuestions } from "../host/compile-questions.ts";
import type { Answers, Question } from "../host/question.ts";
import { readAnswers } from "../host/read-answers.ts";
import type { Env } from "../host/step.ts";
import type { Frame, FrameResult } from "../transport/session.ts";

/** Everything but tcp and http is answered by a script. */
export const isFramed = (question: Question): boolean => question.of !== "tcp" && question.of !== "http";

export interface QuestionFrameOptions {
  readonly env: Env;
  readonly timeoutMs: number;
  /** Steps stand before it in the message. */
  readonly afterSteps?: boolean;
}

export function questionFrame(questions: readonly Question[], options: QuestionFrameOptions): Frame {
  const { script, stdin } = compileQuestions(questions);
  return {
    kind: "ask",
    script: withEnvironment(script, options.env),
    timeoutMs: options.timeoutMs,
    ...(stdin === undefined ? {} : { stdin }),
    ...(options.afterSteps === true ? { onlyAfterSuccess: true } : {}),
  };
}

/** Names that sh cannot assign reach commands by compileStep alone. */
export function withEnvironment(script: string, env: Env): string {
  const exports = Object.entries(env)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(([name, value]) => `export ${name}=${shellQuote(value)}\n`);
  return exports.join("") + script;
}

/** Undefined: there is no telling. With `isAhead` a bad answer is silent (R5), else it is an error. */
export function answersOf(
  questions: readonly Question[],
  result: FrameResult | undefined,
  isAhead: boolean,
): Answers | undefined {
  if (result === undefined || result.skipped) return undefined;
  if (result.timedOut) {
    if (isAhead) return undefined;
    throw new ProvisionError({
      code: "host-timeout",
      action: "learn how the host is",
      state: "it did not answer in time",
      why: `${questions.length === 1 ? "a question" : "questions"} about ${subjects(questions)} took too long`,
    });
  }
  try {
    return readAnswers(result, questions);
  } catch (error) {
    if (isAhead && error instanceof ProvisionError) return undefined;
    throw error;
  }
}

const shownSubjects = 3;

function subjects(questions: readonly Question[]): string {
  const shown = questions.slice(0, shownSubjects).map((question) => {
    if (question.of === "path") return question.path;
    return question.of === "script"
      ? "a script"
      : question.of === "tcp" || question.of === "http"
        ? question.of
        : question.name;
  });
  return questions.length > shown.length ? `${shown.join(", ")} and others` : shown.join(", ");
}

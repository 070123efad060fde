/** Typed access to what a host answered, and the text forms that results carry. */
import type { JsonObject } from "../../base/json.ts";
import type { Answer, AnswerOf, Answers } from "../host/question.ts";
import type { Outcome } from "./module.ts";

export function answerTo<K extends Answer["of"]>(answers: Answers, index: number, of: K): AnswerOf[K] {
  const answer = answers[index];
  if (answer?.of !== of) throw new Error(`answer ${index} is of "${answer?.of}", expected "${of}"`);
  return answer.value as AnswerOf[K];
}

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The lines of an output; none for an empty one. */
export const linesOf = (text: string): readonly string[] =>
  text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);

export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** rc, stdout, stderr and their lines, as every task that runs something registers them. */
export const outputResult = ({ code, stdout, stderr }: Output): JsonObject => ({
  rc: code,
  stdout,
  stdout_lines: linesOf(stdout),
  stderr,
  stderr_lines: linesOf(stderr),
});

/** The outputs of all steps that ran, joined. */
export function outcomeOutput(outcome: Outcome): Output {
  const results = outcome.steps.map(({ result }) => result);
  return {
    code: results.at(-1)?.code ?? 0,
    stdout: results.map(({ stdout }) => textOf(stdout)).join(""),
    stderr: results.map(({ stderr }) => textOf(stderr)).join(""),
  };
}

import { describe, expect, test } from "vitest";
import { answersOf } from "../../../src/provisioning/engine/question-frames.ts";
import type { Question } from "../../../src/provisioning/host/question.ts";
import type { FrameResult } from "../../../src/provisioning/transport/session.ts";

const questions: readonly Question[] = [{ of: "path", path: "/etc/x", want: ["stat"] }];
const result: FrameResult = {
  skipped: false,
  timedOut: false,
  code: 0,
  stdout: Buffer.from("no answer at all"),
  stderr: new Uint8Array(),
  elapsedMs: 1,
};

describe("an answer that is none (R5)", () => {
  test.each([
    ["came too late", { ...result, timedOut: true }, "did not answer in time"],
    ["cannot be read", result, "answer"],
  ] as const)("and %s is silent ahead, and told at its turn", (_what, outcome, message) => {
    expect(answersOf(questions, outcome, true)).toBeUndefined();
    expect(() => answersOf(questions, outcome, false)).toThrow(message);
  });
});

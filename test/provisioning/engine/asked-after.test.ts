import { expect, test } from "vitest";
import type { Machine } from "../../../src/provisioning/engine/machine.ts";
import type { Message, Reply } from "../../../src/provisioning/engine/message.ts";
import { type PerformRequest, perform } from "../../../src/provisioning/engine/perform.ts";
import type { Answer } from "../../../src/provisioning/host/question.ts";
import type { Module } from "../../../src/provisioning/modules/module.ts";
import { aloneRequest } from "../../support/perform-request.ts";

const answer: Answer = { of: "path", value: { stat: { exists: false } } };

/** One step; the messages that carry questions for after it. */
async function act(more: Partial<PerformRequest>) {
  const messages: Pick<Message, "steps" | "own">[] = [];
  const module: Pick<
    Module<unknown, unknown>,
    "name" | "reads" | "ask" | "read" | "plan" | "after" | "result"
  > = {
    name: "test",
    reads: "host",
    ask: () => [],
    read: () => undefined,
    plan: () => ({ steps: [{ do: "run", why: "act", argv: ["true"] }], diffs: [] }),
    after: () => [{ of: "path", path: "/x", want: ["stat"] }],
    result: (_state, outcome) => ({ isAsked: outcome.after !== undefined }),
  };
  const machine: Pick<Machine, "send"> = {
    send: async ({ steps, own }: Message): Promise<Reply> => {
      messages.push({ steps, own });
      const done = { ok: true, code: 0, stdout: new Uint8Array(), stderr: new Uint8Array(), elapsedMs: 0 };
      const timing = { networkMs: 0, hostMs: 0 };
      return { steps: steps.map(() => done), own: own.map(() => answer), along: [], timing };
    },
  };
  const ended = await perform({
    module: module as PerformRequest["module"],
    machine: machine as Machine,
    ...aloneRequest,
    ...more,
  });
  return { sent: messages.map(({ steps, own }) => [steps.length, own.length]), result: ended.result };
}

test("what a task registers is asked in the message of its steps", async () => {
  expect(await act({ registers: true })).toEqual({ sent: [[1, 1]], result: { isAsked: true } });
});

test("nothing is asked for a result that nobody sees", async () => {
  expect(await act({})).toEqual({ sent: [[1, 0]], result: { isAsked: false } });
});

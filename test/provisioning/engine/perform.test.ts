import { expect, test } from "vitest";
import type { Machine } from "../../../src/provisioning/engine/machine.ts";
import type { Message, Reply } from "../../../src/provisioning/engine/message.ts";
import { type PerformRequest, perform } from "../../../src/provisioning/engine/perform.ts";
import type { Module, Plan } from "../../../src/provisioning/modules/module.ts";
import { lostConnection } from "../../support/lost-connections.ts";
import { aloneRequest } from "../../support/perform-request.ts";

const done = { ok: true, code: 0, stdout: new Uint8Array(), stderr: new Uint8Array(), elapsedMs: 0 };
const step = { do: "run", why: "act", argv: ["true"] } as const;

/** A module of two rounds, on a machine that loses its connection at these messages with steps. */
async function rounds(lostAt: readonly number[]): Promise<{ asked: number[]; message: string | undefined }> {
  const asked: number[] = [];
  let sent = 0;
  const module: Pick<Module<unknown, unknown>, "name" | "reads" | "ask" | "read" | "plan"> = {
    name: "test",
    reads: "host",
    ask: (_args, { round }) => {
      asked.push(round);
      return [];
    },
    read: () => undefined,
    plan: (_args, _state, { round }): Plan => ({ steps: [step], diffs: [], again: round === 0 }),
  };
  const machine: Pick<Machine, "send"> = {
    send: async ({ steps }: Message): Promise<Reply> => {
      if (lostAt.includes(sent++)) throw lostConnection();
      return { steps: steps.map(() => done), own: [], along: [], timing: { networkMs: 0, hostMs: 0 } };
    },
  };
  const ended = await perform({
    module: module as PerformRequest["module"],
    machine: machine as Machine,
    ...aloneRequest,
  });
  // The next round is asked about with the steps of the one before.
  return { asked: asked.filter((round, at) => round !== asked[at - 1]), message: ended.failure?.message };
}

test("rounds go on from one to the next", async () => {
  expect(await rounds([])).toEqual({ asked: [0, 1], message: undefined });
});

test("after a lost connection a module begins from the beginning (R13)", async () => {
  expect((await rounds([1])).asked).toEqual([0, 1, 0, 1]);
});

test("a step that loses the connection each time is not tried for ever", async () => {
  await expect(rounds([0, 1, 2, 3, 4, 5])).rejects.toThrow("twice");
});

test("what a module waits for is told once, and is no round of its own", async () => {
  const told: string[] = [];
  const asked: number[] = [];
  let looks = 0;
  const module: Pick<Module<unknown, unknown>, "name" | "reads" | "ask" | "read" | "plan"> = {
    name: "test",
    reads: "host",
    ask: (_args, { round }) => {
      asked.push(round);
      return [];
    },
    read: () => undefined,
    plan: (): Plan =>
      ++looks < 9
        ? { steps: [], diffs: [], again: true, waitMs: 0, waitsFor: "somebody else" }
        : { steps: [], diffs: [] },
  };
  const ended = await perform({
    module: module as PerformRequest["module"],
    machine: {} as Machine,
    ...aloneRequest,
    onWaitFor: (what) => told.push(what),
  });
  expect({ told, asked, failed: ended.failed }).toEqual({
    told: ["somebody else"],
    asked: Array.from({ length: 9 }, () => 0),
    failed: false,
  });
});

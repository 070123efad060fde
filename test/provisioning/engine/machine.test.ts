import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { loginIdentity } from "../../../src/provisioning/engine/identity.ts";
import { Machine } from "../../../src/provisioning/engine/machine.ts";
import type { FrameResult, Session } from "../../../src/provisioning/transport/session.ts";
import { lostConnection } from "../../support/lost-connections.ts";

const frame = { kind: "ask", script: "", timeoutMs: 1 } as const;

/** A session that answers when the test says so. */
function heldSession() {
  const waiting: { resolve: (results: FrameResult[]) => void; reject: (error: Error) => void }[] = [];
  const state = { closed: false };
  const session: Partial<Session> = {
    shell: async () => ({
      user: "root",
      exchange: () => new Promise((resolve, reject) => waiting.push({ resolve, reject })),
    }),
    leftBehind: () => [],
    close: async () => {
      state.closed = true;
    },
  };
  return { session: session as Session, waiting, state };
}

test("of two that lose one connection, the second does not end what the first has opened anew (R13)", async () => {
  const sessions = [heldSession(), heldSession(), heldSession()];
  let opened = 0;
  const machine = new Machine({
    open: async () => sessions[opened++]?.session ?? Promise.reject(new Error("too many")),
    now: () => 0,
    onSlowStep: () => undefined,
  });
  const runs = [machine.run(loginIdentity, [frame]), machine.run(loginIdentity, [frame])];
  await turn();
  sessions[0]?.waiting[0]?.reject(lostConnection());
  await turn();
  sessions[0]?.waiting[1]?.reject(lostConnection());
  await turn();
  for (const { resolve } of sessions[1]?.waiting ?? []) resolve([]);
  await Promise.all(runs);
  expect(sessions.map(({ state }) => state.closed)).toEqual([true, false, false]);
  expect(opened).toBe(2);
});

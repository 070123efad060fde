/** Sessions for tests: over a child process with the shell of one's choice. */
import { BaseSession } from "../../../src/provisioning/transport/base-session.ts";
import { spawnChannel } from "../../../src/provisioning/transport/local-channel.ts";
import { directNetwork } from "../../../src/provisioning/transport/network.ts";
import type { ConnectionPlan, Frame, FrameResult } from "../../../src/provisioning/transport/session.ts";

export const localPlan: ConnectionPlan = {
  ...{ name: "web1", connection: "local", host: "localhost" },
  ...{ connectTimeoutMs: 5000, hostKeyChecking: "strict" },
};

/** `around` is what the login goes through: words before `sh -c COMMAND`. */
export function shellSession(
  shell: readonly string[],
  around: readonly string[] = [],
  loginUser = "root",
): BaseSession {
  return new BaseSession({
    key: "test",
    plan: localPlan,
    loginUser,
    openChannel: async ({ command }) => {
      const [program = "sh", ...args] = [
        ...around,
        "sh",
        "-c",
        command.replaceAll("/bin/sh", shell.join(" ")),
      ];
      return spawnChannel(program, args);
    },
    network: directNetwork,
    close: async () => undefined,
  });
}

export const ask = (script: string, more: Partial<Frame> = {}): Frame => ({
  kind: "ask",
  script,
  timeoutMs: 10_000,
  ...more,
});
export const step = (script: string, more: Partial<Frame> = {}): Frame => ({
  ...ask(script, more),
  kind: "step",
});

export const streaming = (from: Uint8Array): Pick<Frame, "stream"> => ({
  stream: { from, sizeBytes: from.length },
});

/** `code:stdout|stderr`, with S for skipped and T for timed out. */
export const brief = (results: readonly FrameResult[]): string[] =>
  results.map(({ skipped, timedOut, code, stdout, stderr }) =>
    skipped ? "S" : timedOut ? `T:${text(stdout)}` : `${code}:${text(stdout)}|${text(stderr)}`,
  );
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

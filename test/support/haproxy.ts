/** A real HAProxy for tests, as a master with workers, on files and ports of its own. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { dieWithUs } from "./die-with-us.ts";

const binary = "/usr/sbin/haproxy";

/** Why no HAProxy can be started here, or undefined. For `describe.skipIf`. */
export const whyNoHaproxy = existsSync(binary) ? undefined : "the package haproxy is not installed";

export interface TestHaproxy {
  /** For the bridge: what makes it read its file again. */
  readonly reloadCommand: readonly string[];
  /** What it printed so far. */
  output(): string;
  stop(): Promise<void>;
}

export function startHaproxy(config: string): TestHaproxy {
  const child: ChildProcess = spawn(binary, ["-W", "-db", "-f", config], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  dieWithUs(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return {
    output: () => output,
    reloadCommand: ["kill", "-USR2", String(child.pid)],
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = new Promise((resolve) => child.once("exit", resolve));
      // Workers of past reloads end with the master.
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** What `haproxy -c` says; rejects if the file is not valid. */
export async function checkHaproxy(config: string): Promise<string> {
  const { stderr } = await promisify(execFile)(binary, ["-c", "-f", config]);
  return stderr;
}

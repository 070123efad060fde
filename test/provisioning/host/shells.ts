/** The three shells that hosts have as /bin/sh, run directly. */
import { spawnSync } from "node:child_process";
import type { HostScript } from "../../../src/provisioning/host/compile-questions.ts";

export const shells = [
  { name: "dash", argv: ["dash"] },
  { name: "bash", argv: ["bash", "--posix"] },
  { name: "busybox sh", argv: ["busybox", "sh"] },
] as const;

export function runScript(argv: readonly string[], { script, stdin }: HostScript, env = process.env) {
  const [program = "sh", ...args] = argv;
  const started = performance.now();
  const result = spawnSync(program, [...args, "-c", script], {
    input: stdin ?? "",
    env,
    maxBuffer: 64 * 1024 * 1024,
  });
  const elapsedMs = performance.now() - started;
  return {
    code: result.status ?? -1,
    stdout: result.stdout,
    stderr: result.stderr,
    elapsedMs,
    timedOut: false,
  };
}

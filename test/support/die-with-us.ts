import { type ChildProcess, spawn } from "node:child_process";

/** Ends a child when this process ends, even by SIGKILL, as a test run that took too long does. */
export function dieWithUs(child: ChildProcess): void {
  if (child.pid === undefined) return;
  // Its stdin ends with us.
  const guard = spawn("sh", ["-c", 'cat >/dev/null; kill -9 "$0"', String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.unref();
  child.once("exit", () => guard.kill("SIGKILL"));
}

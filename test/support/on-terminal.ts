/** Runs the command line on a terminal of its own, and types answers when they are asked for. */
import { spawn } from "node:child_process";
import { shellWords } from "../../src/base/shell-quote.ts";
import { packageRoot, program, type Ran, type RunOptions } from "./provision.ts";

export interface TypedAnswer {
  /** The end of the question. */
  readonly to: string;
  readonly text: string;
}

/** All that stood on the terminal comes as stdout. */
export function provisionOnTerminal(
  args: readonly string[],
  answers: readonly TypedAnswer[],
  { timeoutMs, env = process.env }: RunOptions,
): Promise<Ran> {
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const command = shellWords([program, ...args]);
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd: packageRoot,
    env: { ...env, SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "inherit"],
    timeout: timeoutMs,
  });
  const waiting = [...answers];
  let stdout = "";
  let searchedTo = 0;
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    stdout += part;
    for (let [next] = waiting; next !== undefined; [next] = waiting) {
      const at = stdout.indexOf(next.to, searchedTo);
      if (at === -1) return;
      searchedTo = at + next.to.length;
      child.stdin.write(`${next.text}\r`);
      waiting.shift();
    }
  });
  child.on("error", reject);
  child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr: "" }));
  return promise;
}

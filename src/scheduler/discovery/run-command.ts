import { spawn } from "node:child_process";

export interface CommandResult {
  readonly isSuccess: boolean;
  /** What it printed on both streams, and how it ended if not well. */
  readonly output: string;
}

const maxOutputChars = 8_000;

/** Runs a command to its end, for at most `timeoutMs`. Never rejects. */
export function runCommand(argv: readonly string[], timeoutMs: number): Promise<CommandResult> {
  const [file = "", ...args] = argv;
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(file, args, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-maxOutputChars);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", (error) => resolve({ isSuccess: false, output: error.message }));
    child.once("close", (code, signal) => {
      if (code === 0) resolve({ isSuccess: true, output: output.trim() });
      else resolve({ isSuccess: false, output: `${output}\n(${signal ?? `exit code ${code}`})`.trim() });
    });
  });
}

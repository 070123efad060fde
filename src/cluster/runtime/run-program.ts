/** A program of the controller, run to its end; its last words are in the error when it fails. */
import { spawn } from "node:child_process";

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: Uint8Array | string;
  /** Output lines as they come. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Output beyond this many characters is cut at the front. */
const keptCharacters = 64 * 1024;

export class ProgramFailed extends Error {
  override readonly name = "ProgramFailed";
  readonly output: string;
  constructor(argv: readonly string[], ended: string, output: string) {
    super(`${argv.join(" ")} ended with ${ended}`);
    this.output = output;
  }
}

export function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, [...args], {
    cwd: options.cwd,
    env: options.env === undefined ? process.env : { ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
    signal: options.signal,
  });
  let stdout = "";
  let everything = "";
  const keep = (text: string): void => {
    everything = (everything + text).slice(-keptCharacters);
    for (const line of text.split("\n")) if (line.trim() !== "") options.onLine?.(line);
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout = (stdout + text).slice(-keptCharacters);
    keep(text);
  });
  child.stderr.setEncoding("utf8").on("data", keep);
  child.stdin.on("error", () => child.stdin.destroy());
  child.stdin.end(options.stdin ?? "");
  child.on("error", reject);
  child.on("close", (code, signal) => {
    if (code === 0) resolve(stdout);
    else reject(new ProgramFailed([program, ...args], signal ?? `exit code ${code}`, everything.trim()));
  });
  return promise;
}

/** CliIo of the real process: standard streams, environment, terminal, signals. */
import { closeSync, openSync } from "node:fs";
import { ProvisionError } from "../base/errors.ts";
import { packageRoot } from "../base/package-root.ts";
import type { CliIo, PromptOptions } from "./io.ts";

export function processIo(): CliIo {
  const { stdout, stderr, env } = process;
  const isTTY = stdout.isTTY === true;
  ignoreClosedPipe(stdout);
  ignoreClosedPipe(stderr);
  return {
    stdout: (text) => void stdout.write(text),
    stderr: (text) => void stderr.write(text),
    env,
    isTTY,
    get columns() {
      // A terminal that does not know its size says 0.
      return stdout.columns || usualColumns;
    },
    colour: wantsColour(env, isTTY),
    cwd: process.cwd(),
    packageRoot,
    get canAsk() {
      return process.stdin.isTTY === true || hasTerminal();
    },
    prompt,
    readStdin,
    signal: interruptSignal(),
  };
}

const usualColumns = 80;

/** `provision … | head` ends the reader early: that is no error of ours. */
function ignoreClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

function wantsColour(env: NodeJS.ProcessEnv, isTTY: boolean): boolean {
  if (env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "0") return true;
  return isTTY && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

/**
 * The first signal asks for an orderly end; the second ends the process at once. The listener stays until then: where
 * none is left, the library that hides the cursor ends the process itself.
 */
function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      controller.abort(new Error(`stopped by ${signal}`));
      return;
    }
    process.off("SIGINT", stop).off("SIGTERM", stop);
    process.kill(process.pid, signal);
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return controller.signal;
}

async function prompt(question: string, options: PromptOptions = {}): Promise<string> {
  const { hidden = false } = options;
  const { input, release } = await terminalInput(question, options);
  const { createInterface } = await import("node:readline");
  const { Writable } = await import("node:stream");
  const echo = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (!hidden) process.stderr.write(chunk);
      done();
    },
  });
  // The reader takes the terminal's echo away: a password that is typed at once must not be seen.
  const reader = createInterface({ input, output: echo, terminal: true });
  process.stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      reader.once("line", resolve);
      // Ctrl-D says no more than Ctrl-C. After a line the promise is settled, and this says nothing.
      reader.once("close", () => reject(new Error("closed at a prompt")));
      reader.once("SIGINT", () => reader.close());
    });
  } catch (error) {
    process.stderr.write("\n");
    process.emit("SIGINT", "SIGINT");
    throw error;
  } finally {
    reader.close();
    release();
    if (hidden) process.stderr.write("\n");
  }
}

const terminalFile = "/dev/tty";

/** Of this process, whatever its standard streams are. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync(terminalFile, "r"));
    return true;
  } catch {
    return false;
  }
}

/** Standard input, or the terminal behind a pipe: `cat secret | provision vault encrypt` asks for its password there. */
async function terminalInput(
  question: string,
  { otherwise }: PromptOptions,
): Promise<{ readonly input: NodeJS.ReadStream; release(): void }> {
  if (process.stdin.isTTY) return { input: process.stdin, release: () => undefined };
  if (hasTerminal()) {
    const { ReadStream } = await import("node:tty");
    const input = new ReadStream(openSync(terminalFile, "r"));
    return { input, release: () => void input.destroy() };
  }
  throw noTerminal(question, otherwise);
}

export const noTerminal = (question: string, otherwise: string | undefined): ProvisionError =>
  new ProvisionError({
    code: "no-terminal",
    action: `ask "${question.replace(/[:\s]+$/, "")}"`,
    state: "there is no terminal",
    why: "questions are only put to a person",
    fix: otherwise,
  });

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

import type { CliIo } from "../../src/cli/io.ts";

export interface CapturedIo extends CliIo {
  readonly output: () => string;
  readonly errors: () => string;
}

/** A CliIo without a process: what is written can be read back. */
export function capturedIo(given: Partial<CliIo> = {}): CapturedIo {
  let output = "";
  let errors = "";
  return {
    stdout: (text) => {
      output += text;
    },
    stderr: (text) => {
      errors += text;
    },
    env: {},
    isTTY: false,
    canAsk: false,
    columns: 100,
    colour: false,
    cwd: process.cwd(),
    packageRoot: process.cwd(),
    prompt: () => Promise.reject(new Error("this test has no terminal")),
    readStdin: () => Promise.resolve(new Uint8Array()),
    signal: new AbortController().signal,
    ...given,
    output: () => output,
    errors: () => errors,
  };
}

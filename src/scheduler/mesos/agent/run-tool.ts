/** Runs a tool of the host to its end and keeps its output. */
import { execFile } from "node:child_process";

export interface ToolResult {
  /** Undefined when it could not be started or was killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

const usualTimeoutMs = 60_000;
const maxOutputBytes = 4 * 1024 * 1024;

/** Never rejects: a tool that is missing has no exit code and says so on stderr. */
export function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  const { timeoutMs = usualTimeoutMs, cwd, signal, uid, gid } = options;
  return new Promise((resolve) => {
    execFile(
      command,
      [...args],
      {
        timeout: timeoutMs,
        maxBuffer: maxOutputBytes,
        killSignal: "SIGKILL",
        ...(cwd === undefined ? {} : { cwd }),
        ...(signal === undefined ? {} : { signal }),
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve({ exitCode: 0, stdout, stderr });
        else if (typeof error.code === "number") resolve({ exitCode: error.code, stdout, stderr });
        else resolve({ exitCode: undefined, stdout, stderr: stderr === "" ? error.message : stderr });
      },
    );
  });
}

export const lastLine = (text: string): string => text.trim().split("\n").at(-1)?.trim() ?? "";

/**
 * The small sh that stands between the agent and a task, so that the task outlives the agent and its exit status is
 * found afterwards. It leads a session of its own, starts nothing before it reads a word on stdin (an agent that dies
 * before it has written down the process ends it unstarted), lives through the signals that its task gets, and leaves
 * the exit status in a file.
 */
import { spawn } from "node:child_process";
import { chownSync, closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunningProcess } from "./agent-state.ts";
import { identifyProcess, isAlive } from "./process-table.ts";

const script = `trap : TERM INT HUP QUIT
run=$1
shift
read -r go || exit 125
"$@" </dev/null
code=$?
echo "$code" >"$run/status.new" && mv "$run/status.new" "$run/status"
exit "$code"`;

export interface SupervisedCommand {
  readonly argv: readonly string[];
  readonly directory: string;
  readonly runFolder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
}

export interface Supervised {
  readonly process: RunningProcess;
  /** Lets it begin. */
  go(): void;
  /** Resolves when the supervisor is gone; see `exitOf`. */
  readonly gone: Promise<void>;
}

/** Spawned and waiting; call `go` once the process is written down. */
export async function supervise(command: SupervisedCommand): Promise<Supervised> {
  mkdirSync(command.runFolder, { recursive: true, mode: 0o711 });
  const { account } = command;
  if (account !== undefined) chownSync(command.runFolder, account.uid, account.gid);
  const [stdout, stderr] = ["stdout", "stderr"].map((name) =>
    openLog(join(command.directory, name), account),
  );
  const child = spawn("/bin/sh", ["-c", script, "provision-task", command.runFolder, ...command.argv], {
    cwd: command.directory,
    env: command.env,
    detached: true,
    stdio: ["pipe", stdout, stderr],
    ...(account === undefined ? {} : account),
  });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
  } finally {
    for (const log of [stdout, stderr]) if (log !== undefined) closeSync(log);
  }
  const process = child.pid === undefined ? undefined : identifyProcess(child.pid);
  if (process === undefined) throw new Error("the supervisor ended before it began");
  // Killed before it read the word: `gone` says so.
  child.stdin?.on("error", () => undefined);
  child.unref();
  return { process, gone, go: () => void child.stdin?.end("go\n") };
}

function openLog(path: string, account: SupervisedCommand["account"]): number {
  const file = openSync(path, "a", 0o644);
  if (account !== undefined) chownSync(path, account.uid, account.gid);
  return file;
}

const adoptedPollMs = 500;

/** Resolves when a process that is not our child is gone. */
export async function waitUntilGone(process: RunningProcess, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && isAlive(process)) await pause(adoptedPollMs, signal);
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}

const statusOfSignal = 128;
const signalNames: Readonly<Record<number, string>> = {
  1: "Hangup",
  2: "Interrupt",
  3: "Quit",
  4: "Illegal instruction",
  6: "Aborted",
  7: "Bus error",
  8: "Floating point exception",
  9: "Killed",
  11: "Segmentation fault",
  13: "Broken pipe",
  14: "Alarm clock",
  15: "Terminated",
};

export interface Exit {
  readonly exitCode?: number;
  readonly signal?: string;
}

/** What the supervisor left. Undefined when it left nothing: it was killed with its task. */
export function exitOf(runFolder: string): Exit | undefined {
  let text: string;
  try {
    text = readFileSync(join(runFolder, "status"), "utf8").trim();
  } catch {
    return undefined;
  }
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const code = Number(text);
  const signal = code > statusOfSignal ? signalNames[code - statusOfSignal] : undefined;
  return signal === undefined ? { exitCode: code } : { signal };
}

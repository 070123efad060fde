/** Runs the command line as a user does, in a process of its own, and reads its events. */
import { spawn } from "node:child_process";
import { join } from "node:path";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
interface Event {
  readonly type: string;
  readonly host?: string;
  readonly task?: string;
  readonly id?: number;
  readonly status?: string;
  readonly recap?: readonly { readonly host: string; readonly changed: number; readonly failed: number }[];
  readonly elapsedMs?: number;
}

export const packageRoot = join(import.meta.dirname, "../..");

/** What a clone's user types: it runs from the bundle, as the package does. */
export const program: string = join(packageRoot, "provision");

export interface RunOptions {
  readonly timeoutMs: number;
  /** Instead of the test's own. */
  readonly env?: NodeJS.ProcessEnv;
}

export function provision(args: readonly string[], options: RunOptions): Promise<Ran> {
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const child = spawn(program, args, {
    cwd: packageRoot,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs,
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (part: string) => {
      text[name] += part;
    });
  }
  child.on("error", reject);
  child.on("close", (code, signal) => resolve({ code: code ?? (signal === null ? -1 : -2), ...text }));
  return promise;
}

export const eventsOf = ({ stdout }: Ran): Event[] =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line): Event => JSON.parse(line));

/** "host: task" of everything that a run changed. */
export function changesOf(ran: Ran): string[] {
  const names = new Map<number, string>();
  const changes: string[] = [];
  for (const event of eventsOf(ran)) {
    if (event.type === "task-start" && event.id !== undefined) names.set(event.id, event.task ?? "");
    if (event.type === "task-host" && event.status === "changed") {
      changes.push(`${event.host}: ${names.get(event.id ?? -1)}`);
    }
  }
  return changes;
}

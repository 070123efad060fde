/** Sandboxes of ended tasks are kept for a while, less long when the disk fills up. */
import { readdir, rm, rmdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../daemon/coordination.ts";
import { latestLink } from "./sandbox.ts";

export interface GarbageOptions {
  readonly workDir: string;
  readonly gcDelayMs: number;
  /** The part of the disk that is to stay free: 0.1. */
  readonly headroom: number;
  /** Sandboxes that must stay. */
  readonly inUse: () => ReadonlySet<string>;
  readonly log: Log;
}

/** How long a sandbox may stay: all of gc_delay on an empty disk, nothing on a full one. */
const allowedAgeMs = (gcDelayMs: number, usage: number, headroom: number): number =>
  gcDelayMs * Math.max(0, 1 - headroom - usage);

/** One sweep. Never rejects. */
export async function collectGarbage(options: GarbageOptions): Promise<void> {
  const { workDir, gcDelayMs, headroom, log } = options;
  try {
    const disk = await statfs(workDir);
    const usage = disk.blocks === 0 ? 0 : 1 - disk.bavail / disk.blocks;
    const oldest = Date.now() - allowedAgeMs(gcDelayMs, usage, headroom);
    for await (const sandbox of sandboxesBelow(workDir)) await collectOne(sandbox, oldest, options);
  } catch (error) {
    log(`collecting old sandboxes: ${String(error)}`);
  }
}

async function* sandboxesBelow(workDir: string): AsyncGenerator<string> {
  const slaves = join(workDir, "slaves");
  for (const agent of await namesIn(slaves)) {
    const frameworks = join(slaves, agent, "frameworks");
    for (const framework of await namesIn(frameworks)) {
      const executors = join(frameworks, framework, "executors");
      for (const executor of await namesIn(executors)) {
        const runs = join(executors, executor, "runs");
        for (const run of await namesIn(runs)) if (run !== "latest") yield join(runs, run);
      }
    }
  }
}

const namesIn = (path: string): Promise<string[]> => readdir(path).catch(() => []);

async function collectOne(sandbox: string, oldest: number, { inUse, log }: GarbageOptions): Promise<void> {
  if (inUse().has(sandbox)) return;
  const times = await Promise.all(
    [sandbox, join(sandbox, "stdout"), join(sandbox, "stderr")].map((path) =>
      stat(path).catch(() => undefined),
    ),
  );
  const touched = Math.max(...times.map((found) => found?.mtimeMs ?? 0));
  if (touched > oldest) return;
  await rm(sandbox, { recursive: true, force: true });
  log(`removed the sandbox ${sandbox}`);
  const runs = dirname(sandbox);
  if ((await namesIn(runs)).some((name) => name !== "latest")) return;
  await rm(latestLink(sandbox), { force: true });
  // The task's and the framework's folders go when they are empty.
  for (let path = runs, levels = 0; levels < 4; path = dirname(path), levels++)
    if (!(await removeEmpty(path))) return;
}

const removeEmpty = (path: string): Promise<boolean> =>
  rmdir(path).then(
    () => true,
    () => false,
  );

/** How many hosts are worked on at once when nobody says (-f): as many as the controller can carry. */
import { readFileSync } from "node:fs";
import { availableParallelism, freemem } from "node:os";

export interface Carrier {
  readonly cores: number;
  readonly freeBytes: number;
  /** `ulimit -n`. */
  readonly openFiles: number;
}

/** A host that answers costs a core some 10 ms, so this many keep one busy for a second at a time. */
const hostsPerCore = 100;
/** A connection with its answers takes 0.4 MiB; facts and templates may take as much again. */
const bytesPerHost = 1024 * 1024;
/** Its socket, and a file that is being read for it. */
const filesPerHost = 2;
/** The program's own: modules, terminal, logs, a name server. */
const filesKept = 64;
const fewest = 5;
const most = 500;

export function defaultForks({ cores, freeBytes, openFiles }: Carrier): number {
  const byFiles = (openFiles - filesKept) / filesPerHost;
  const byMemory = freeBytes / 2 / bytesPerHost;
  const carried = Math.floor(Math.min(cores * hostsPerCore, byMemory, byFiles));
  return Math.max(fewest, Math.min(most, carried));
}

export const thisMachine = (): Carrier => ({
  cores: availableParallelism(),
  freeBytes: freemem(),
  openFiles: openFileLimit(),
});

/** Where the system does not tell (it is no Linux), the usual smallest one. */
function openFileLimit(): number {
  try {
    const [, soft] =
      /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft ?? 256);
  } catch {
    return 256;
  }
}

/** What /proc says of processes: enough to know one again after a restart. */
import { readFileSync } from "node:fs";
import type { RunningProcess } from "./agent-state.ts";

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

let bootId: string | undefined;
const thisBoot = (): string => {
  bootId ??= read("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return bootId;
};

/** Undefined when the process is gone or has ended. */
export function identifyProcess(pid: number): RunningProcess | undefined {
  const fields = statFields(pid);
  const startTicks = fields?.[19];
  if (startTicks === undefined || fields?.[0] === "Z" || fields?.[0] === "X") return undefined;
  return { pid, startTicks, bootId: thisBoot() };
}

export function isAlive(process: RunningProcess): boolean {
  const now = identifyProcess(process.pid);
  return now !== undefined && now.startTicks === process.startTicks && now.bootId === process.bootId;
}

/** The fields of /proc/<pid>/stat after the name, which may hold blanks and brackets: state is the first. */
function statFields(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** To a whole process group. False: it is gone. */
export function signalGroup(leader: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
    throw error;
  }
}

/**
 * Kills what a leader that is gone left behind in its group. A group's number is not given away while it has members;
 * a leader of that number that lives is another one, and so is any number from before a reboot.
 */
export function killOrphans(leader: RunningProcess): void {
  if (leader.bootId !== thisBoot() || identifyProcess(leader.pid) !== undefined) return;
  signalGroup(leader.pid, "SIGKILL");
}

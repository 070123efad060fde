/** Limits of cpu and memory for command tasks, where the host lets us set them: cgroup v2, else v1, else none. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../daemon/coordination.ts";

export interface ContainerLimits {
  readonly cpus: number;
  readonly memMb: number;
}

export interface Cgroups {
  /** Puts a process, and all that it will start, under limits of its own. */
  enter(containerId: string, pid: number, limits: ContainerLimits): void;
  /** Once its processes are gone. Those that escaped their process group are killed. */
  leave(containerId: string): void;
  usage(containerId: string): ContainerUsage | undefined;
  /** Whether the kernel killed one of its processes for want of memory. */
  wasOutOfMemory(containerId: string): boolean;
}

export interface ContainerUsage {
  readonly memRssBytes: number;
  readonly cpusUserSecs: number;
  readonly cpusSystemSecs: number;
}

export interface CgroupOptions {
  /** `/sys/fs/cgroup` */
  readonly hierarchy: string;
  /** Our folder in it: `mesos`. */
  readonly root: string;
  /** A hard limit of cpu beside the share. */
  readonly cfsQuota: boolean;
  readonly log: Log;
}

const minMemMb = 32;
const minShares = 2;
const cfsPeriodUs = 100_000;
const minQuotaUs = 1_000;

/** Undefined when the host does not let us; said once. */
export function openCgroups(options: CgroupOptions): Cgroups | undefined {
  try {
    return existsSync(join(options.hierarchy, "cgroup.controllers"))
      ? openUnified(options)
      : openSplit(options);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    options.log(`command tasks run without cpu and memory limits: cgroups cannot be used here (${why})`);
    return undefined;
  }
}

function openUnified({ hierarchy, root, cfsQuota, log }: CgroupOptions): Cgroups {
  writeFileSync(join(hierarchy, "cgroup.subtree_control"), "+cpu +memory");
  const base = join(hierarchy, root);
  mkdirSync(base, { recursive: true });
  writeFileSync(join(base, "cgroup.subtree_control"), "+cpu +memory");
  const folder = (containerId: string): string => join(base, containerId);
  return {
    enter(containerId, pid, { cpus, memMb }) {
      const path = folder(containerId);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, "memory.max"), String(memBytes(memMb)));
      writeFileSync(join(path, "cpu.weight"), String(weightOf(cpus)));
      if (cfsQuota)
        writeFileSync(
          join(path, "cpu.max"),
          `${Math.max(minQuotaUs, Math.round(cpus * cfsPeriodUs))} ${cfsPeriodUs}`,
        );
      writeFileSync(join(path, "cgroup.procs"), String(pid));
    },
    leave: (containerId) =>
      leaveFolder(folder(containerId), log, () => tryWrite(join(folder(containerId), "cgroup.kill"), "1")),
    wasOutOfMemory: (containerId) =>
      statField(readText(join(folder(containerId), "memory.events")) ?? "", "oom_kill") > 0,
    usage(containerId) {
      const path = folder(containerId);
      const memory = readText(join(path, "memory.current"));
      const cpu = readText(join(path, "cpu.stat"));
      if (memory === undefined || cpu === undefined) return undefined;
      return {
        memRssBytes: Number(memory),
        cpusUserSecs: statField(cpu, "user_usec") / 1e6,
        cpusSystemSecs: statField(cpu, "system_usec") / 1e6,
      };
    },
  };
}

const ticksPerSecond = 100;

function openSplit({ hierarchy, root, cfsQuota, log }: CgroupOptions): Cgroups {
  const cpu = join(hierarchy, "cpu", root);
  const memory = join(hierarchy, "memory", root);
  for (const path of [cpu, memory]) {
    if (!existsSync(join(path, ".."))) throw new Error(`${join(path, "..")} is not there`);
    mkdirSync(path, { recursive: true });
  }
  return {
    enter(containerId, pid, { cpus, memMb }) {
      const [cpuPath, memoryPath] = [join(cpu, containerId), join(memory, containerId)];
      for (const path of [cpuPath, memoryPath]) mkdirSync(path, { recursive: true });
      writeFileSync(join(memoryPath, "memory.limit_in_bytes"), String(memBytes(memMb)));
      writeFileSync(join(cpuPath, "cpu.shares"), String(sharesOf(cpus)));
      if (cfsQuota) {
        writeFileSync(join(cpuPath, "cpu.cfs_period_us"), String(cfsPeriodUs));
        writeFileSync(
          join(cpuPath, "cpu.cfs_quota_us"),
          String(Math.max(minQuotaUs, Math.round(cpus * cfsPeriodUs))),
        );
      }
      for (const path of [cpuPath, memoryPath]) writeFileSync(join(path, "cgroup.procs"), String(pid));
    },
    leave(containerId) {
      for (const path of [join(cpu, containerId), join(memory, containerId)])
        leaveFolder(path, log, () => killMembers(path));
    },
    wasOutOfMemory: (containerId) =>
      statField(readText(join(memory, containerId, "memory.oom_control")) ?? "", "oom_kill") > 0,
    usage(containerId) {
      const rss = readText(join(memory, containerId, "memory.stat"));
      const used = readText(join(cpu, containerId, "cpuacct.stat"));
      if (rss === undefined) return undefined;
      return {
        memRssBytes: statField(rss, "rss"),
        cpusUserSecs: statField(used ?? "", "user") / ticksPerSecond,
        cpusSystemSecs: statField(used ?? "", "system") / ticksPerSecond,
      };
    },
  };
}

const memBytes = (memMb: number): number => Math.max(minMemMb, Math.round(memMb)) * 1024 * 1024;
export const sharesOf = (cpus: number): number => Math.max(minShares, Math.floor(1024 * cpus));
/** v2's scale of 1 to 10000, where 100 stands for 1024 shares. */
const weightOf = (cpus: number): number => Math.min(10_000, Math.max(1, Math.round(100 * cpus)));

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

const statField = (text: string, name: string): number =>
  Number(new RegExp(`^${name} (\\d+)`, "m").exec(text)?.[1] ?? 0);

function tryWrite(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // An older kernel has no cgroup.kill; its process group was killed already.
  }
}

function killMembers(path: string): void {
  for (const pid of (readText(join(path, "cgroup.procs")) ?? "").split("\n").filter((line) => line !== "")) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

const leaveAttempts = 20;
const leaveRetryMs = 100;

function leaveFolder(path: string, log: Log, killRest: () => void, attempt = 0): void {
  if (!existsSync(path)) return;
  if (attempt === 0) killRest();
  try {
    rmdirSync(path);
  } catch (error) {
    if (attempt < leaveAttempts)
      setTimeout(() => leaveFolder(path, log, killRest, attempt + 1), leaveRetryMs).unref();
    else log(`${path} could not be removed: ${String(error)}`);
  }
}

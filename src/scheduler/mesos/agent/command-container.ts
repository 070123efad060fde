/** Command tasks: a process group under its supervisor, limited by cgroups where the host can. */
import { findAccount } from "../daemon/account-names.ts";
import type { Log } from "../daemon/coordination.ts";
import { Resources } from "../protocol/resources.ts";
import type { CommandInfo } from "../protocol/task.ts";
import type { AgentTask } from "./agent-state.ts";
import type { Cgroups } from "./cgroups.ts";
import { fetchAll } from "./fetcher.ts";
import { isAlive, killOrphans, signalGroup } from "./process-table.ts";
import type { ContainerWays, Preparation } from "./run-container.ts";
import { makeSandbox } from "./sandbox.ts";
import type { Exit } from "./supervisor.ts";
import { type EnvironmentOfAgent, taskEnvironment } from "./task-environment.ts";
import type { Ending } from "./turn.ts";

export interface ContainerSurroundings {
  readonly environment: () => EnvironmentOfAgent;
  readonly ip: string;
  /** Run tasks as the user that they ask for; only root can. */
  readonly switchUser: boolean;
  readonly frameworksHome: string | undefined;
  readonly fetchStallTimeoutMs: number;
  readonly runFolder: (containerId: string) => string;
  readonly log: Log;
}

function accountOf(task: AgentTask, frameworkUser: string, switchUser: boolean) {
  if (!switchUser || process.getuid?.() !== 0) return undefined;
  const user = task.info.command?.user ?? frameworkUser;
  if (user === "" || user === "root") return undefined;
  const account = findAccount(user);
  if (account === undefined) throw new Error(`the user "${user}" is not on this host`);
  return account;
}

/** The sandbox, with what the task fetches; it belongs to the account that the task asks for. */
export async function stageSandbox({ task, framework, signal }: Preparation, around: ContainerSurroundings) {
  const account = accountOf(task, framework.user, around.switchUser);
  makeSandbox(task.directory, account);
  await fetchAll({
    uris: task.info.command?.uris ?? [],
    directory: task.directory,
    account,
    frameworksHome: around.frameworksHome,
    signal,
    stallTimeoutMs: around.fetchStallTimeoutMs,
  });
  return account;
}

export const memoryExceeded = {
  problem: "Memory limit exceeded",
  reason: "REASON_CONTAINER_LIMITATION_MEMORY",
} as const satisfies Ending;

export const argvOf = (command: CommandInfo | undefined): readonly string[] => {
  const value = command?.value ?? "";
  if (command?.shell !== false) return ["/bin/sh", "-c", value];
  // By Mesos's convention the first argument is the program's own name.
  return [value, ...(command.arguments ?? []).slice(1)];
};

export function commandWays(around: ContainerSurroundings, cgroups: Cgroups | undefined): ContainerWays {
  const explain = (task: AgentTask, exit: Exit): Promise<Ending> => {
    const isOutOfMemory = exit.exitCode !== 0 && cgroups?.wasOutOfMemory(task.containerId) === true;
    return Promise.resolve(isOutOfMemory ? { ...exit, ...memoryExceeded } : exit);
  };
  return {
    async prepare(preparation) {
      const { task, framework } = preparation;
      const account = await stageSandbox(preparation, around);
      const env = taskEnvironment(task, framework, around.environment());
      return {
        argv: argvOf(task.info.command),
        directory: task.directory,
        runFolder: around.runFolder(task.containerId),
        env: account === undefined ? env : { HOME: account.home, USER: account.name, ...env },
        account,
      };
    },
    confine(task, pid) {
      const resources = Resources.fromWire(task.info.resources);
      cgroups?.enter(task.containerId, pid, {
        cpus: resources.scalar("cpus"),
        memMb: resources.scalar("mem"),
      });
    },
    awaitStart: (task) =>
      Promise.resolve({
        container_id: { value: task.containerId },
        network_infos: [{ ip_addresses: [{ protocol: "IPv4", ip_address: around.ip }] }],
        ...(task.process === undefined ? {} : { executor_pid: task.process.pid }),
      }),
    salvage: (task) => explain(task, { signal: "Killed" }),
    explain,
    stop(task, hard) {
      if (task.process !== undefined && isAlive(task.process))
        signalGroup(task.process.pid, hard ? "SIGKILL" : "SIGTERM");
    },
    tidy(task) {
      if (task.process !== undefined) killOrphans(task.process);
      cgroups?.leave(task.containerId);
    },
    runFolder: around.runFolder,
  };
}

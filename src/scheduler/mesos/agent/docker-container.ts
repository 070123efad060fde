/**
 * Docker tasks, by the docker command line: `docker run` under the same supervisor as a command task, so that its output
 * lands in the sandbox and its status is kept while the agent is away. Should the client die and the container live,
 * the container is followed by `docker logs` and `docker wait`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { exposedPortsLabel, parseExposedPorts } from "../protocol/exposed-ports.ts";
import { Resources } from "../protocol/resources.ts";
import type { TaskInfo, TaskStatus } from "../protocol/task.ts";
import type { AgentTask } from "./agent-state.ts";
import { type ContainerSurroundings, memoryExceeded, stageSandbox } from "./command-container.ts";
import {
  containerName,
  dockerRunArgv,
  ownerLabel,
  type PortMapping,
  publishExposed,
  steersClient,
} from "./docker-command.ts";
import { signalGroup } from "./process-table.ts";
import type { ContainerWays } from "./run-container.ts";
import { lastLine, runTool } from "./run-tool.ts";
import { type Exit, pause } from "./supervisor.ts";
import { taskEnvironment } from "./task-environment.ts";
import type { Ending } from "./turn.ts";

export interface DockerOptions {
  /** The program, or a path to it. */
  readonly docker: string;
  readonly owner: string;
  readonly cfsQuota: boolean;
  readonly pullTimeoutMs: number;
  readonly removeDelayMs: number;
}

const inspectPollMs = 200;
const stopSlackMs = 15_000;

export function dockerWays(around: ContainerSurroundings, options: DockerOptions): ContainerWays {
  const { docker } = options;
  return {
    async prepare(preparation) {
      const { task, framework, signal } = preparation;
      // The sandbox is the task user's; what runs in the container decides for itself.
      await stageSandbox(preparation, around);
      await makeImageReady(task.info, options, signal);
      const env = taskEnvironment(task, framework, around.environment());
      const argv = dockerRunArgv(
        {
          docker,
          containerId: task.containerId,
          container: task.info.container ?? { type: "DOCKER" },
          command: task.info.command,
          resources: Resources.fromWire(task.info.resources),
          env,
          directory: task.directory,
          cfsQuota: options.cfsQuota,
          extraPorts: await exposedPorts(task.info, docker, signal),
        },
        options.owner,
      );
      return {
        argv,
        directory: task.directory,
        runFolder: around.runFolder(task.containerId),
        env: {
          ...Object.fromEntries(Object.entries(env).filter(([name]) => !steersClient(name))),
          ...clientEnvironment(),
        },
        account: undefined,
      };
    },
    confine: () => undefined,
    awaitStart: (task, signal) => awaitContainer(task, docker, around.ip, signal),
    salvage: (task, signal) => salvage(task, docker, signal),
    explain: (task, exit, signal) => explain(task, exit, { docker, signal }),
    stop(task, hard, graceMs) {
      void stopContainer(task, { docker, hard, graceMs }).then((problem) => {
        if (problem !== undefined) around.log(`docker stop of ${task.info.task_id.value}: ${problem}`);
      });
    },
    tidy(task) {
      setTimeout(() => {
        void runTool(docker, ["rm", "-f", "-v", containerName(task.containerId)]);
      }, options.removeDelayMs).unref();
    },
    runFolder: around.runFolder,
  };
}

/** What the client itself needs; `-e NAME` takes the task's values from its environment, out of the argument list. */
function clientEnvironment(): Record<string, string> {
  const env: Record<string, string> = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  };
  for (const name of [
    "PATH",
    "HOME",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
  ]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

async function makeImageReady(
  info: TaskInfo,
  { docker, pullTimeoutMs }: DockerOptions,
  signal: AbortSignal,
): Promise<void> {
  const image = info.container?.docker?.image ?? "";
  if (image === "" || image.startsWith("-")) throw new Error(`"${image}" is no name of an image`);
  if (info.container?.docker?.force_pull_image !== true) {
    const { exitCode } = await runTool(docker, ["image", "inspect", "-f", "{{.Id}}", image], { signal });
    if (exitCode === 0) return;
  }
  const pulled = await runTool(docker, ["pull", image], { signal, timeoutMs: pullTimeoutMs });
  if (pulled.exitCode !== 0)
    throw new Error(`Failed to run 'docker pull ${image}': ${lastLine(pulled.stderr)}`);
}

async function exposedPorts(
  info: TaskInfo,
  docker: string,
  signal: AbortSignal,
): Promise<readonly PortMapping[]> {
  const label = info.labels?.labels.find(({ key }) => key === exposedPortsLabel)?.value;
  const hostPorts = label === undefined ? undefined : parseExposedPorts(label);
  if (hostPorts === undefined) return [];
  const image = info.container?.docker?.image ?? "";
  const { stdout } = await runTool(
    docker,
    ["image", "inspect", "-f", "{{json .Config.ExposedPorts}}", image],
    { signal },
  );
  const exposed: unknown = JSON.parse(stdout.trim() === "" ? "null" : stdout);
  return publishExposed(
    hostPorts,
    typeof exposed === "object" && exposed !== null ? Object.keys(exposed) : [],
  );
}

interface Inspected {
  readonly isRunning: boolean;
  readonly pid: number;
  readonly exitCode: number;
  readonly ips: readonly string[];
  readonly isOutOfMemory: boolean;
}

const inspectFormat =
  "{{.State.Running}} {{.State.Pid}} {{.State.ExitCode}} {{.State.OOMKilled}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";

async function inspect(
  containerId: string,
  docker: string,
  signal?: AbortSignal,
): Promise<Inspected | undefined> {
  const name = containerName(containerId);
  const { exitCode, stdout } = await runTool(docker, ["container", "inspect", "-f", inspectFormat, name], {
    signal,
  });
  if (exitCode !== 0) return undefined;
  const [running, pid, code, oom, ...ips] = stdout.trim().split(/\s+/);
  return {
    isRunning: running === "true",
    pid: Number(pid),
    exitCode: Number(code),
    ips,
    isOutOfMemory: oom === "true",
  };
}

async function awaitContainer(
  task: AgentTask,
  docker: string,
  agentIp: string,
  signal: AbortSignal,
): Promise<TaskStatus["container_status"] | undefined> {
  while (!signal.aborted) {
    const found = await inspect(task.containerId, docker, signal);
    if (found !== undefined && !found.isRunning && found.pid === 0 && found.exitCode !== 0) return undefined;
    if (found?.isRunning === true) {
      const ips = found.ips.length === 0 ? [agentIp] : found.ips;
      return {
        container_id: { value: task.containerId },
        network_infos: [{ ip_addresses: ips.map((ip_address) => ({ protocol: "IPv4", ip_address })) }],
        executor_pid: found.pid,
      };
    }
    await pause(inspectPollMs, signal);
  }
  return undefined;
}

async function salvage(task: AgentTask, docker: string, signal: AbortSignal): Promise<Ending> {
  const found = await inspect(task.containerId, docker, signal);
  if (found === undefined) return { problem: "The container is gone" };
  const logs = found.isRunning ? followLogs(task, docker) : undefined;
  if (found.isRunning) await waitForEnd(task, docker, signal);
  logs?.kill();
  const last = await inspect(task.containerId, docker);
  if (last === undefined) return { problem: "The container is gone" };
  return last.isOutOfMemory ? { exitCode: last.exitCode, ...memoryExceeded } : { exitCode: last.exitCode };
}

/** By convention of `docker run`: it never came to a container. */
const notRunExitCode = 125;

/** That the client has ended does not say that the container has: an engine may restart under living containers. */
async function explain(
  task: AgentTask,
  exit: Exit,
  { docker, signal }: { readonly docker: string; readonly signal: AbortSignal },
): Promise<Ending> {
  if (exit.exitCode === 0) return exit;
  const found = await inspect(task.containerId, docker);
  if (found?.isRunning === true) {
    if (task.kill !== undefined) await runTool(docker, ["kill", containerName(task.containerId)]);
    return await salvage(task, docker, signal);
  }
  if (exit.exitCode === notRunExitCode) {
    const said = lastLine(await readFile(join(task.directory, "stderr"), "utf8").catch(() => ""));
    return { ...exit, problem: `docker run failed: ${said}`, reason: "REASON_CONTAINER_LAUNCH_FAILED" };
  }
  return found?.isOutOfMemory === true ? { ...exit, ...memoryExceeded } : exit;
}

async function waitForEnd(task: AgentTask, docker: string, signal: AbortSignal): Promise<void> {
  const dayMs = 86_400_000;
  while (!signal.aborted) {
    await runTool(docker, ["wait", containerName(task.containerId)], { signal, timeoutMs: dayMs });
    const found = await inspect(task.containerId, docker, signal);
    if (found?.isRunning !== true) return;
    await pause(inspectPollMs, signal);
  }
}

/** From where the files in the sandbox end. */
function followLogs(task: AgentTask, docker: string): ChildProcess {
  const paths = ["stdout", "stderr"].map((name) => join(task.directory, name));
  const since =
    Math.max(...paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0)) / 1000;
  const files = paths.map((path) => openSync(path, "a"));
  const name = containerName(task.containerId);
  const child = spawn(docker, ["logs", "-f", "--since", String(since), name], {
    stdio: ["ignore", ...files],
  });
  // Without its client the container goes on; only what it says meanwhile is missed.
  child.on("error", () => undefined);
  for (const file of files) closeSync(file);
  return child;
}

interface Stopping {
  readonly docker: string;
  readonly hard: boolean;
  readonly graceMs: number;
}

/** A container that is being created has no name yet: its client is ended instead. */
async function stopContainer(
  task: AgentTask,
  { docker, hard, graceMs }: Stopping,
): Promise<string | undefined> {
  const name = containerName(task.containerId);
  const graceSecs = Math.ceil(graceMs / 1000);
  const args = hard ? ["kill", name] : ["stop", "-t", String(graceSecs), name];
  const { exitCode, stderr } = await runTool(docker, args, { timeoutMs: graceMs + stopSlackMs });
  if (exitCode === 0) return undefined;
  if (hard && task.process !== undefined) signalGroup(task.process.pid, "SIGKILL");
  return lastLine(stderr);
}

/** Containers of this agent that belong to no task it knows: of a life before, and nobody waits for them. */
export async function removeOrphans(
  options: DockerOptions,
  known: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { exitCode, stdout } = await runTool(options.docker, [
    "ps",
    "-a",
    "--no-trunc",
    "--filter",
    `label=${ownerLabel}=${options.owner}`,
    "--format",
    "{{.Names}}",
  ]);
  if (exitCode !== 0) return [];
  const names = stdout.split("\n").filter((name) => name.startsWith("mesos-"));
  const orphans = names.filter((name) => !known.has(name.slice("mesos-".length)));
  if (orphans.length > 0) await runTool(options.docker, ["rm", "-f", "-v", ...orphans]);
  return orphans;
}

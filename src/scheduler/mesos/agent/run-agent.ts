/**
 * An agent, running. Offers its host's resources to the leading master and runs the tasks that come back, as command
 * tasks or in Docker. Commands flow in by the link, `decide` says what to do, containerizers and checkpoints do it, and
 * what containers report flows back through `decide` to the master. A task outlives the agent's process: the next one
 * recovers it. Not here: offers, frameworks' wishes, anything about other agents.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { createServer } from "../../http/http-server.ts";
import { jsonResponse } from "../../http/response.ts";
import { alsoUnder, commonRoutes, get } from "../daemon/common-routes.ts";
import type { LeaderSource, Log, RunningDaemon } from "../daemon/coordination.ts";
import { type AttachedPaths, filesRoutes } from "../daemon/files-api.ts";
import { parseAttributes } from "../protocol/attributes.ts";
import { mesosVersion } from "../protocol/master-info.ts";
import { Resources } from "../protocol/resources.ts";
import { AgentDaemon } from "./agent-daemon.ts";
import { agentMetrics, agentStateModel, containersModel, statisticsModel } from "./agent-models.ts";
import { agentPages } from "./agent-page.ts";
import { checkCompatible, detectResources } from "./agent-resources.ts";
import { type AgentSettings, defaultAgentSettings } from "./agent-state.ts";
import { openCgroups } from "./cgroups.ts";
import { Checkpoint } from "./checkpoint.ts";
import { type ContainerSurroundings, commandWays } from "./command-container.ts";
import { containerName } from "./docker-command.ts";
import { type DockerOptions, dockerWays, removeOrphans } from "./docker-container.ts";
import { collectGarbage } from "./garbage.ts";
import { RunContainers } from "./run-container.ts";
import { latestLink } from "./sandbox.ts";

export interface AgentOptions {
  readonly bindIp: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly ip: string;
  readonly advertisePort?: number | undefined;
  readonly hostname: string;
  readonly workDir: string;
  /** `cpus:4;ports:[31000-32000]`; what it leaves out is detected. */
  readonly resources?: string | undefined;
  readonly attributes?: string | undefined;
  readonly reconfigurationPolicy?: "equal" | "additive";
  readonly containerizers?: readonly ("mesos" | "docker")[];
  readonly docker?: Partial<DockerOptions>;
  readonly cgroups?:
    | { readonly hierarchy: string; readonly root: string; readonly cfsQuota: boolean }
    | undefined;
  readonly switchUser?: boolean;
  readonly frameworksHome?: string | undefined;
  readonly executorEnvironment?: Readonly<Record<string, string>> | undefined;
  readonly gcDelayMs?: number;
  readonly gcDiskHeadroom?: number;
  readonly fetchStallTimeoutMs?: number;
  readonly registrationBackoffMs?: number;
  readonly settings?: Partial<AgentSettings>;
  readonly logDir?: string | undefined;
  readonly logFile?: string | undefined;
  readonly flags?: Readonly<Record<string, string>>;
  readonly leaders: LeaderSource;
  readonly log: Log;
  readonly clock?: Clock;
}

export interface RunningAgent extends RunningDaemon {
  readonly port: number;
  readonly agentId: string | undefined;
}

const weekMs = 7 * 86_400_000;
const gcEveryMs = 60_000;

export async function runAgent(options: AgentOptions): Promise<RunningAgent> {
  const { log } = options;
  const workDir = resolve(options.workDir);
  mkdirSync(workDir, { recursive: true });
  const checkpoint = new Checkpoint(workDir);
  const recovered = checkpoint.recover();
  const resources = await detectResources(options.resources ?? "", workDir);
  const attributes = parseAttributes(options.attributes ?? "");
  if (recovered.identity?.agentId !== undefined) {
    const before = {
      resources: Resources.fromWire(recovered.identity.resources),
      attributes: recovered.identity.attributes,
    };
    checkCompatible(before, { resources, attributes }, options.reconfigurationPolicy ?? "equal");
  }
  let daemon: AgentDaemon | undefined;
  const running = (): AgentDaemon => daemon ?? notYet();
  const flags = options.flags ?? {};
  const cgroups = options.cgroups === undefined ? undefined : openCgroups({ ...options.cgroups, log });
  const server = createServer({
    routes: alsoUnder(
      ["/slave(1)"],
      [
        ...["/state", "/state.json"].map((path) =>
          get(path, () => jsonResponse(200, agentStateModel({ ...shown(), daemon: running() }))),
        ),
        get("/containers", () => jsonResponse(200, containersModel(running(), cgroups))),
        ...["/monitor/statistics", "/monitor/statistics.json"].map((path) =>
          get(path, () => jsonResponse(200, statisticsModel(running(), cgroups))),
        ),
        ...commonRoutes({ flags, metrics: () => agentMetrics(running(), resources) }),
        ...filesRoutes(attachedPaths(running, options.logFile, join(workDir, "slaves"))),
      ],
    ).concat(agentPages),
    log: (line, error) => log(error === undefined ? line : `${line}: ${String(error)}`),
  });
  const { port } = await server.listen(options.port, options.bindIp);
  const advertised = options.advertisePort ?? port;
  const shown = () => ({
    hostname: options.hostname,
    pid: `slave(1)@${options.ip}:${advertised}`,
    logDir: options.logDir,
    flags,
    resources,
    attributes,
  });
  const around: ContainerSurroundings = {
    environment: () => ({
      agentId: daemon?.state.agentId ?? "",
      endpoint: `${options.ip}:${advertised}`,
      given: options.executorEnvironment,
    }),
    ip: options.ip,
    switchUser: options.switchUser ?? true,
    frameworksHome: options.frameworksHome,
    fetchStallTimeoutMs: options.fetchStallTimeoutMs ?? 60_000,
    runFolder: (containerId) => checkpoint.runFolder(containerId),
    log,
  };
  const kinds = options.containerizers ?? ["mesos"];
  const docker = dockerOptions(options, workDir);
  if (kinds.includes("docker")) {
    const orphans = await removeOrphans(
      docker,
      new Set(recovered.tasks.map(({ containerId }) => containerId)),
    );
    if (orphans.length > 0) log(`removed containers of no known task: ${orphans.join(", ")}`);
  }
  const identity = { resources: resources.toWire(), attributes };
  if (recovered.identity?.agentId !== undefined)
    checkpoint.keepIdentity({ ...identity, agentId: recovered.identity.agentId });
  daemon = new AgentDaemon({
    info: {
      hostname: options.hostname,
      ip: options.ip,
      port: advertised,
      resources: resources.toWire(),
      attributes,
      version: mesosVersion,
    },
    workDir,
    settings: { ...defaultAgentSettings, ...options.settings },
    checkpoint,
    identity,
    containerizers: {
      ...(kinds.includes("mesos") ? { command: new RunContainers(commandWays(around, cgroups)) } : {}),
      ...(kinds.includes("docker") ? { docker: new RunContainers(dockerWays(around, docker)) } : {}),
    },
    shellIn: (task, command) =>
      task.kind === "docker"
        ? [docker.docker, "exec", containerName(task.containerId), "/bin/sh", "-c", command]
        : ["/bin/sh", "-c", command],
    leaders: options.leaders,
    clock: options.clock ?? systemClock,
    log,
    firstBackoffMs: options.registrationBackoffMs ?? 1_000,
  });
  daemon.start(recovered);
  const sweep = (): void => void collectGarbage(garbageOptions(options, workDir, running()));
  const gc = setInterval(sweep, gcEveryMs);
  log(`agent listening on ${options.bindIp}:${port}, offering ${resources}`);
  return {
    port,
    url: `http://${options.ip}:${advertised}`,
    get agentId() {
      return daemon?.state.agentId;
    },
    stop: async () => {
      clearInterval(gc);
      await daemon?.stop();
      await server.close();
    },
  };
}

const notYet = (): never => {
  throw new Error("the agent has not started yet");
};

const dockerOptions = (options: AgentOptions, workDir: string): DockerOptions => ({
  docker: "docker",
  owner: workDir,
  cfsQuota: options.cgroups?.cfsQuota ?? false,
  pullTimeoutMs: 1_800_000,
  removeDelayMs: 60_000,
  ...options.docker,
});

const garbageOptions = (options: AgentOptions, workDir: string, daemon: AgentDaemon) => ({
  workDir,
  gcDelayMs: options.gcDelayMs ?? weekMs,
  headroom: options.gcDiskHeadroom ?? 0.1,
  inUse: () => new Set([...daemon.state.tasks.values()].map(({ directory }) => directory)),
  log: options.log,
});

/** Sandboxes by their real path and by `latest`, and the log. */
function attachedPaths(
  daemon: () => AgentDaemon,
  logFile: string | undefined,
  slaves: string,
): AttachedPaths {
  return (path) => {
    if (path === "/slave/log") return logFile;
    const { tasks, completed } = daemon().state;
    if (!path.startsWith(`${slaves}/`)) return undefined;
    for (const { directory } of [...tasks.values(), ...completed.values()])
      if (path === directory || path === latestLink(directory)) return directory;
    // A sandbox of before the last start: still there until it is collected.
    return /\/frameworks\/[^/]+\/executors\/[^/]+\/runs\/[^/]+$/.test(path) ? path : undefined;
  };
}

/**
 * An agent, running. Offers its host's resources to the leading master and runs the tasks that come back, as command
 * tasks or in Docker. Commands flow in by the link, `decide` says what to do, containerizers and checkpoints do it, and
 * what containers report flows back through `decide` to the master. A task outlives the agent's process: the next one
 * recovers it. Not here: offers, frameworks' wishes, anything about other agents.
 */
import { mkdirSync } from "node:fs";
import { hostname as osHostname } from "node:os";
import { resolve } from "node:path";
import { type Clock, systemClock } from "../../../base/clock.ts";
import { HttpError } from "../../http/http-error.ts";
import { createServer } from "../../http/http-server.ts";
import type { LeaderSource, Log, RunningDaemon } from "../daemon/coordination.ts";
import { parseAttributes } from "../protocol/attributes.ts";
import { mesosVersion } from "../protocol/master-info.ts";
import type { Attribute } from "../protocol/resource.ts";
import { Resources } from "../protocol/resources.ts";
import { AgentDaemon, type AgentDaemonOptions } from "./agent-daemon.ts";
import { checkCompatible, detectResources } from "./agent-resources.ts";
import { agentRoutes } from "./agent-routes.ts";
import { type AgentSettings, defaultAgentSettings } from "./agent-state.ts";
import { type Cgroups, openCgroups } from "./cgroups.ts";
import { type AgentIdentity, Checkpoint, type Recovered } from "./checkpoint.ts";
import { type ContainerSurroundings, commandWays } from "./command-container.ts";
import { containerName } from "./docker-command.ts";
import { type DockerOptions, dockerWays, removeOrphans } from "./docker-container.ts";
import { collectGarbage } from "./garbage.ts";
import { RunContainers } from "./run-container.ts";

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
  const before = await prepare(options);
  const { workDir, resources, attributes, recovered } = before;
  const cgroups = options.cgroups === undefined ? undefined : openCgroups({ ...options.cgroups, log });
  let daemon: AgentDaemon | undefined;
  let advertised = options.advertisePort ?? options.port;
  const running = (): AgentDaemon => daemon ?? notYet();
  const shown = () => ({
    hostname: options.hostname,
    pid: `slave(1)@${options.ip}:${advertised}`,
    logDir: options.logDir,
    flags: options.flags ?? {},
    resources,
    attributes,
  });
  const server = createServer({
    routes: agentRoutes({
      daemon: running,
      shown,
      cgroups,
      workDir,
      logFile: options.logFile,
      flags: options.flags ?? {},
    }),
    log: (line, error) => log(error === undefined ? line : `${line}: ${String(error)}`),
  });
  const { port } = await server.listen(options.port, options.bindIp);
  advertised = options.advertisePort ?? port;
  const environment = () => ({
    agentId: daemon?.state.agentId ?? "",
    endpoint: `${options.ip}:${advertised}`,
    given: options.executorEnvironment,
  });
  daemon = new AgentDaemon({
    ...(await containerizersOf(options, before, { environment, cgroups })),
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
    checkpoint: before.checkpoint,
    identity: before.identity,
    leaders: options.leaders,
    clock: options.clock ?? systemClock,
    log,
    firstBackoffMs: options.registrationBackoffMs ?? 1_000,
  });
  daemon.start(recovered);
  const gc = setInterval(() => void collectGarbage(garbageOptions(options, workDir, running())), gcEveryMs);
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
  throw new HttpError({ status: 503, message: "Agent has not finished recovery" });
};

interface Before {
  readonly workDir: string;
  readonly checkpoint: Checkpoint;
  readonly recovered: Recovered;
  readonly resources: Resources;
  readonly attributes: Attribute[];
  readonly identity: Omit<AgentIdentity, "agentId">;
}

/** What this agent was, and what it is now; the two must fit. */
async function prepare(options: AgentOptions): Promise<Before> {
  const workDir = resolve(options.workDir);
  mkdirSync(workDir, { recursive: true });
  const checkpoint = new Checkpoint(workDir);
  const recovered = checkpoint.recover();
  const resources = await detectResources(options.resources ?? "", workDir);
  const attributes = parseAttributes(options.attributes ?? "");
  const identity = { resources: resources.toWire(), attributes };
  const past = recovered.identity;
  if (past?.agentId !== undefined) {
    const offered = { resources: Resources.fromWire(past.resources), attributes: past.attributes };
    checkCompatible(offered, { resources, attributes }, options.reconfigurationPolicy ?? "equal");
    checkpoint.keepIdentity({ ...identity, agentId: past.agentId });
  }
  return { workDir, checkpoint, recovered, resources, attributes, identity };
}

async function containerizersOf(
  options: AgentOptions,
  { workDir, checkpoint, recovered }: Before,
  {
    environment,
    cgroups,
  }: Pick<ContainerSurroundings, "environment"> & { readonly cgroups: Cgroups | undefined },
): Promise<Pick<AgentDaemonOptions, "containerizers" | "shellIn">> {
  const { log } = options;
  const around: ContainerSurroundings = {
    environment,
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
  return {
    containerizers: {
      ...(kinds.includes("mesos") ? { command: new RunContainers(commandWays(around, cgroups)) } : {}),
      ...(kinds.includes("docker") ? { docker: new RunContainers(dockerWays(around, docker)) } : {}),
    },
    shellIn: (task, command) =>
      task.kind === "docker"
        ? [docker.docker, "exec", containerName(task.containerId), "/bin/sh", "-c", command]
        : ["/bin/sh", "-c", command],
  };
}

const dockerOptions = (options: AgentOptions, workDir: string): DockerOptions => ({
  docker: "docker",
  // Hosts that share an engine must not take each other's containers for their own.
  owner: `${osHostname()}:${workDir}`,
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

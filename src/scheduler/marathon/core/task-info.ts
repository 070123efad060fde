/** An instance of an app, as Mesos is asked to run it. */
import { exposedPortsLabel, formatExposedPorts } from "../../mesos/protocol/exposed-ports.ts";
import type { Resource } from "../../mesos/protocol/resource.ts";
import type {
  CommandInfo,
  ContainerInfo,
  DiscoveryInfo,
  HealthCheck,
  TaskInfo,
} from "../../mesos/protocol/task.ts";
import { type AppDefinition, isDocker, portsOf, usesHostNetwork } from "../model/app.ts";
import type { Instance } from "../model/instance.ts";
import { segmentsOf } from "../model/path-id.ts";
import { environmentOf } from "./task-environment.ts";

export function taskInfoOf(app: AppDefinition, instance: Instance, resources: readonly Resource[]): TaskInfo {
  const container = containerOf(app, instance);
  const check = healthCheckOf(app, instance);
  const grace = app.taskKillGracePeriodSeconds;
  const labels = labelsOf(app, instance);
  return {
    name: nameOf(app),
    task_id: { value: instance.id },
    agent_id: { value: instance.agentId },
    resources: [...resources],
    command: commandOf(app, instance),
    discovery: discoveryOf(app, instance),
    ...(container === undefined ? {} : { container }),
    ...(check === undefined ? {} : { health_check: check }),
    ...(grace === undefined ? {} : { kill_policy: { grace_period: { nanoseconds: grace * 1e9 } } }),
    ...(labels.length === 0 ? {} : { labels: { labels } }),
  };
}

/** "b.a" of "/a/b": a name that DNS can carry. */
const nameOf = (app: AppDefinition): string => segmentsOf(app.id).reverse().join(".");

function commandOf(app: AppDefinition, instance: Instance): CommandInfo {
  const variables = Object.entries(environmentOf(app, instance)).map(([name, value]) => ({ name, value }));
  const uris = app.fetch.map(({ uri, extract, executable, cache, destPath }) => ({
    value: uri,
    extract,
    executable,
    cache,
    ...(destPath === undefined ? {} : { output_file: destPath }),
  }));
  const user = app.user === undefined ? {} : { user: app.user };
  const base = { environment: { variables }, uris, ...user };
  if (app.cmd !== undefined) return { ...base, shell: true, value: app.cmd };
  const [program] = app.args ?? [];
  if (app.args === undefined) return { ...base, shell: false };
  if (app.container?.docker !== undefined) return { ...base, shell: false, arguments: [...app.args] };
  return { ...base, shell: false, value: program ?? "", arguments: [...app.args] };
}

function containerOf(app: AppDefinition, instance: Instance): ContainerInfo | undefined {
  const container = app.container;
  if (container === undefined) return undefined;
  const volumes = container.volumes.map(({ containerPath, hostPath, mode }) => ({
    container_path: containerPath,
    host_path: hostPath,
    mode,
  }));
  const network = app.networks.find(({ mode }) => mode === "container");
  const network_infos = network === undefined ? {} : { network_infos: [{ name: network.name ?? "default" }] };
  if (container.type === "MESOS") {
    const image = container.docker?.image;
    const mesos = image === undefined ? {} : { image: { type: "DOCKER", docker: { name: image } } };
    return { type: "MESOS", volumes, mesos, ...network_infos };
  }
  const docker = container.docker;
  if (docker === undefined) return undefined;
  return {
    type: "DOCKER",
    volumes,
    docker: {
      image: docker.image,
      network: usesHostNetwork(app) ? "HOST" : network === undefined ? "BRIDGE" : "USER",
      privileged: docker.privileged,
      force_pull_image: docker.forcePullImage,
      parameters: docker.parameters.map(({ key, value }) => ({ key, value })),
      ...(docker.mapsExposedPorts ? {} : { port_mappings: mappingsOf(app, instance) }),
    },
    ...network_infos,
  };
}

function mappingsOf(app: AppDefinition, instance: Instance) {
  if (usesHostNetwork(app)) return [];
  return portsOf(app).flatMap(({ containerPort, protocol }, index) => {
    const host = instance.hostPorts[index];
    if (host === undefined || host === null) return [];
    return protocol.split(",").map((one) => ({
      host_port: host,
      container_port: containerPort === undefined || containerPort === 0 ? host : containerPort,
      protocol: one,
    }));
  });
}

function labelsOf(app: AppDefinition, instance: Instance): { key: string; value: string }[] {
  const labels = Object.entries(app.labels).map(([key, value]) => ({ key, value }));
  if (!isDocker(app) || app.container?.docker?.mapsExposedPorts !== true) return labels;
  const ports = instance.hostPorts.flatMap((port) => port ?? []);
  return [...labels, { key: exposedPortsLabel, value: formatExposedPorts(ports) }];
}

function discoveryOf(app: AppDefinition, instance: Instance): DiscoveryInfo {
  const ports = portsOf(app).flatMap(({ name, protocol, labels, containerPort }, index) => {
    const number = instance.hostPorts[index] ?? containerPort;
    if (number === undefined) return [];
    const list = Object.entries(labels).map(([key, value]) => ({ key, value }));
    return protocol.split(",").map((one) => ({
      number,
      protocol: one,
      ...(name === undefined ? {} : { name }),
      ...(list.length === 0 ? {} : { labels: { labels: list } }),
    }));
  });
  return { visibility: "FRAMEWORK", name: nameOf(app), ports: { ports } };
}

/** The check that the agent runs: COMMAND and MESOS_*. All others Marathon runs itself. */
function healthCheckOf(app: AppDefinition, instance: Instance): HealthCheck | undefined {
  const check = app.healthChecks.find(
    ({ protocol }) => protocol === "COMMAND" || protocol.startsWith("MESOS_"),
  );
  if (check === undefined) return undefined;
  const times = {
    delay_seconds: check.delaySeconds,
    interval_seconds: check.intervalSeconds,
    timeout_seconds: check.timeoutSeconds,
    consecutive_failures: check.maxConsecutiveFailures,
    grace_period_seconds: check.gracePeriodSeconds,
  };
  if (check.protocol === "COMMAND") {
    return { ...times, type: "COMMAND", command: { shell: true, value: check.command ?? "" } };
  }
  const port = insidePort(app, instance, check.port, check.portIndex);
  if (check.protocol === "MESOS_TCP") return { ...times, type: "TCP", tcp: { port } };
  const scheme = check.protocol === "MESOS_HTTPS" ? "https" : "http";
  return { ...times, type: "HTTP", http: { scheme, port, path: check.path ?? "/" } };
}

/** The agent checks from inside the task's network. */
function insidePort(
  app: AppDefinition,
  instance: Instance,
  port: number | undefined,
  portIndex: number | undefined,
): number {
  if (port !== undefined) return port;
  const index = portIndex ?? 0;
  const inside = portsOf(app)[index]?.containerPort;
  return inside === undefined || inside === 0 ? (instance.hostPorts[index] ?? 0) : inside;
}

/** Instances as clients read them: JSON tasks, and the lines that HAProxy scripts read. */
import type { JsonObject } from "../../../base/json.ts";
import { checksOf, healthOf, launchedFrom } from "../core/readiness.ts";
import type { CheckResult, MarathonState, TaskFailure } from "../core/state.ts";
import { instancesOf } from "../core/state.ts";
import { type AppDefinition, portsOf } from "../model/app.ts";
import { type Instance, isToLive, taskStateOf } from "../model/instance.ts";
import { safeId } from "../model/path-id.ts";

const time = (ms: number): string => new Date(ms).toISOString();

export function taskJson(state: MarathonState, instance: Instance): JsonObject {
  const app = launchedFrom(state, instance);
  const results = checksOf(state, instance)?.health ?? [];
  return {
    id: instance.id,
    appId: instance.appId,
    host: instance.host,
    slaveId: instance.agentId,
    ports: instance.hostPorts.flatMap((port) => port ?? []),
    servicePorts: app === undefined ? [] : portsOf(app).map(({ servicePort }) => servicePort),
    ipAddresses: (instance.ipAddresses ?? []).map((ipAddress) => ({ ipAddress, protocol: "IPv4" })),
    localVolumes: [],
    state: isToLive(instance) ? taskStateOf(instance) : "TASK_KILLING",
    stagedAt: time(instance.stagedAt),
    ...(instance.startedAt === undefined ? {} : { startedAt: time(instance.startedAt) }),
    version: instance.version,
    role: instance.role,
    ...((app?.healthChecks.length ?? 0) === 0
      ? {}
      : {
          healthCheckResults: results.flatMap((result) =>
            result === undefined ? [] : [healthJson(instance, result)],
          ),
        }),
  };
}

const healthJson = (instance: Instance, result: CheckResult): JsonObject => ({
  alive: result.alive,
  consecutiveFailures: result.consecutiveFailures,
  firstSuccess: result.firstSuccess === undefined ? null : time(result.firstSuccess),
  lastFailure: result.lastFailure === undefined ? null : time(result.lastFailure),
  lastSuccess: result.lastSuccess === undefined ? null : time(result.lastSuccess),
  lastFailureCause: result.lastFailureCause ?? null,
  instanceId: instance.id,
  taskId: instance.id,
});

export const failureJson = (failure: TaskFailure): JsonObject => ({
  appId: failure.appId,
  host: failure.host,
  message: failure.message,
  state: failure.state,
  taskId: failure.taskId,
  timestamp: time(failure.timestamp),
  version: failure.version,
  slaveId: failure.slaveId,
});

export interface TaskCounts {
  readonly tasksStaged: number;
  readonly tasksRunning: number;
  readonly tasksHealthy: number;
  readonly tasksUnhealthy: number;
}

export function countsOf(state: MarathonState, appId: string): TaskCounts {
  const counts = { tasksStaged: 0, tasksRunning: 0, tasksHealthy: 0, tasksUnhealthy: 0 };
  for (const instance of instancesOf(state, appId).values()) {
    if (["launching", "staging", "starting"].includes(instance.condition)) counts.tasksStaged += 1;
    if (instance.condition !== "running") continue;
    counts.tasksRunning += 1;
    if ((launchedFrom(state, instance)?.healthChecks.length ?? 0) === 0) continue;
    const healthy = healthOf(state, instance);
    if (healthy === true) counts.tasksHealthy += 1;
    if (healthy === false) counts.tasksUnhealthy += 1;
  }
  return counts;
}

/** One line a service port: `safeId\tservicePort\thost:port\t…`. Only instances that serve and are to go on. */
export function endpointLines(state: MarathonState, apps: Iterable<AppDefinition>): string {
  return [...apps]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((app) => linesOf(state, app))
    .join("");
}

function linesOf(state: MarathonState, app: AppDefinition): string {
  const name = safeId(app.id);
  const running = runningOf(state, app.id);
  const ports = portsOf(app);
  if (ports.length === 0) return `${name}\t \t${running.map(({ host }) => `${host}\t`).join("")}\n`;
  return ports
    .map(({ servicePort }, index) => {
      const places = running.flatMap(({ host, hostPorts }) => {
        const port = hostPorts[index];
        return port === undefined || port === null ? [] : [`${host}:${port}`];
      });
      return `${name}\t${servicePort}\t${places
        .sort()
        .map((place) => `${place}\t`)
        .join("")}\n`;
    })
    .join("");
}

export const runningOf = (state: MarathonState, appId: string): readonly Instance[] =>
  [...instancesOf(state, appId).values()]
    .filter((instance) => instance.condition === "running" && isToLive(instance))
    .sort((a, b) => (a.host === b.host ? (a.id < b.id ? -1 : 1) : a.host < b.host ? -1 : 1));

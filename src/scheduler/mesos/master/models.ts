/** Agents, frameworks and tasks as `/state` and its parts show them. */
import { attributesModel } from "../protocol/attributes.ts";
import { hasCapability } from "../protocol/framework.ts";
import { Resources } from "../protocol/resources.ts";
import type { TaskState } from "../protocol/task.ts";
import { type AbsentAgent, type Agent, type Framework, isOffering, type MesosTask } from "./cluster-state.ts";

export type Model = Readonly<Record<string, unknown>>;

const seconds = (ms: number): number => ms / 1000;

export function taskModel(task: MesosTask): Model {
  const { summary } = task;
  return {
    id: task.id,
    name: summary.name,
    framework_id: task.frameworkId,
    executor_id: "",
    slave_id: task.agentId,
    state: task.state,
    resources: task.resources.toModel(),
    ...(summary.limits === undefined ? {} : { limits: summary.limits }),
    role: task.role,
    statuses: task.statuses.map(({ state, timestamp, labels, container_status, healthy }) => ({
      state,
      timestamp: timestamp ?? 0,
      ...(labels === undefined ? {} : { labels: labels.labels }),
      ...(container_status === undefined ? {} : { container_status }),
      ...(healthy === undefined ? {} : { healthy }),
    })),
    user: summary.user,
    ...(summary.labels === undefined ? {} : { labels: summary.labels.labels }),
    ...(summary.discovery === undefined ? {} : { discovery: summary.discovery }),
    ...(summary.container === undefined ? {} : { container: summary.container }),
    ...(summary.health_check === undefined ? {} : { health_check: summary.health_check }),
  };
}

export function agentModel(agent: Agent): Model {
  const { total, used, offered } = agent;
  return {
    id: agent.id,
    hostname: agent.hostname,
    port: agent.port,
    attributes: attributesModel(agent.attributes),
    pid: `slave(1)@${agent.ip}:${agent.port}`,
    registered_time: seconds(agent.registeredAt),
    ...(agent.reregisteredAt === undefined ? {} : { reregistered_time: seconds(agent.reregisteredAt) }),
    resources: total.toModel(),
    used_resources: used.toModel(),
    offered_resources: offered.toModel(),
    reserved_resources: reservedByRole(total),
    unreserved_resources: total.filter(({ role }) => role === "*").toModel(),
    active: isOffering(agent),
    deactivated: agent.deactivated,
    version: agent.version,
    capabilities: ["MULTI_ROLE", "RESERVATION_REFINEMENT"],
  };
}

export const fullAgentModel = (agent: Agent): Model => ({
  ...agentModel(agent),
  reserved_resources_full: fullByRole(agent.total),
  unreserved_resources_full: agent.total.filter(({ role }) => role === "*").toWire(),
  used_resources_full: agent.used.toWire(),
  offered_resources_full: agent.offered.toWire(),
});

function byRole(resources: Resources): Map<string, Resources> {
  const roles = new Set([...resources.entries].map(({ role }) => role));
  roles.delete("*");
  return new Map([...roles].map((role) => [role, resources.filter((entry) => entry.role === role)]));
}

const reservedByRole = (resources: Resources): Model =>
  Object.fromEntries([...byRole(resources)].map(([role, part]) => [role, part.toModel()]));
const fullByRole = (resources: Resources): Model =>
  Object.fromEntries([...byRole(resources)].map(([role, part]) => [role, part.toWire()]));

export const recoveredAgentModel = ({ record }: AbsentAgent): Model => ({
  id: record.id,
  hostname: record.hostname,
  port: record.port,
  pid: `slave(1)@${record.ip}:${record.port}`,
  active: false,
});

/** What the framework's living tasks hold, and what it is being offered. */
export function heldBy(framework: Framework): { readonly used: Resources; readonly offered: Resources } {
  let used = Resources.none;
  for (const task of framework.tasks.values()) if (holds(task.state)) used = used.plus(task.resources);
  let offered = Resources.none;
  for (const offer of framework.offers) offered = offered.plus(offer.resources);
  return { used, offered };
}

const holds = (state: TaskState): boolean =>
  state === "TASK_RUNNING" ||
  state === "TASK_STAGING" ||
  state === "TASK_STARTING" ||
  state === "TASK_KILLING";

export function frameworkModel(framework: Framework): Model {
  const { info } = framework;
  const { used, offered } = heldBy(framework);
  const roles = hasCapability(info, "MULTI_ROLE")
    ? { roles: framework.roles }
    : { role: framework.roles[0] ?? "*" };
  return {
    id: framework.id,
    name: info.name,
    used_resources: used.toModel(),
    offered_resources: offered.toModel(),
    capabilities: (info.capabilities ?? []).map(({ type }) => type),
    hostname: info.hostname ?? "",
    webui_url: info.webui_url ?? "",
    active: framework.stream !== undefined,
    connected: framework.stream !== undefined,
    recovered: framework.recovered,
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    registered_time: seconds(framework.registeredAt),
    unregistered_time: seconds(framework.unregisteredAt ?? 0),
    ...(framework.reregisteredAt === undefined
      ? {}
      : { reregistered_time: seconds(framework.reregisteredAt) }),
    ...(info.principal === undefined ? {} : { principal: info.principal }),
    resources: used.plus(offered).toModel(),
    ...roles,
    tasks: [...framework.tasks.values()].map(taskModel),
    unreachable_tasks: [...framework.unreachableTasks.values()].map(taskModel),
    completed_tasks: [...framework.completedTasks].map(taskModel),
    offers: [...framework.offers].map((offer) => ({
      id: offer.id,
      framework_id: offer.frameworkId,
      slave_id: offer.agentId,
      resources: offer.resources.toModel(),
    })),
    executors: [],
    ...(info.labels === undefined ? {} : { labels: info.labels.labels }),
  };
}

/** `TASK_RUNNING: 3` and its siblings, for `/state-summary`. */
export function countStates(tasks: Iterable<MesosTask>): Record<string, number> {
  const counts: Record<string, number> = Object.fromEntries(summarised.map((state) => [state, 0]));
  for (const { state } of tasks) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

const summarised: readonly TaskState[] = [
  "TASK_STAGING",
  "TASK_STARTING",
  "TASK_RUNNING",
  "TASK_KILLING",
  "TASK_FINISHED",
  "TASK_KILLED",
  "TASK_FAILED",
  "TASK_LOST",
  "TASK_ERROR",
  "TASK_UNREACHABLE",
];

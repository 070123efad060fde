/** What `/state`, `/containers` and `/monitor/statistics` of an agent show. */

import { versionModel } from "../daemon/common-routes.ts";
import { attributesModel } from "../protocol/attributes.ts";
import { masterHostPort } from "../protocol/master-info.ts";
import type { Attribute } from "../protocol/resource.ts";
import { Resources } from "../protocol/resources.ts";
import { isTerminal, type TaskInfo, type TaskState, type TaskStatus } from "../protocol/task.ts";
import type { AgentDaemon } from "./agent-daemon.ts";
import type { AgentTask, CompletedTask } from "./agent-state.ts";
import type { Cgroups } from "./cgroups.ts";

export interface AgentSurroundingsShown {
  readonly daemon: AgentDaemon;
  readonly hostname: string;
  readonly pid: string;
  readonly logDir: string | undefined;
  readonly flags: Readonly<Record<string, string>>;
  readonly resources: Resources;
  readonly attributes: readonly Attribute[];
}
type Model = Readonly<Record<string, unknown>>;

export function agentStateModel(shown: AgentSurroundingsShown): Model {
  const { daemon, resources } = shown;
  const { state, master } = daemon;
  const reserved = resources.filter(({ role }) => role !== "*");
  const unreserved = resources.filter(({ role }) => role === "*");
  const roles = new Set([...reserved.entries].map(({ role }) => role));
  const ofRole = (role: string): Resources => reserved.filter((entry) => entry.role === role);
  return {
    ...versionModel,
    start_time: daemon.startedAt / 1000,
    id: state.agentId ?? "",
    pid: shown.pid,
    hostname: shown.hostname,
    resources: resources.toModel(),
    reserved_resources: Object.fromEntries([...roles].map((role) => [role, ofRole(role).toModel()])),
    reserved_resources_full: Object.fromEntries([...roles].map((role) => [role, ofRole(role).toWire()])),
    unreserved_resources: unreserved.toModel(),
    unreserved_resources_full: unreserved.toWire(),
    attributes: attributesModel(shown.attributes),
    ...(master === undefined ? {} : { master_hostname: master.hostname ?? masterHostPort(master).host }),
    ...(shown.logDir === undefined ? {} : { log_dir: shown.logDir }),
    flags: shown.flags,
    frameworks: frameworksModel(daemon, [...state.tasks.values()], "executors"),
    completed_frameworks: frameworksModel(daemon, [...state.completed.values()], "completed_executors"),
  };
}

type ShownTask = AgentTask | CompletedTask;

function frameworksModel(daemon: AgentDaemon, tasks: readonly ShownTask[], under: string): readonly Model[] {
  const byFramework = Map.groupBy(tasks, ({ frameworkId }) => frameworkId);
  return [...byFramework].map(([frameworkId, group]) => {
    const info = daemon.state.frameworks.get(frameworkId);
    return {
      id: frameworkId,
      name: info?.name ?? "",
      user: info?.user ?? "",
      failover_timeout: info?.failover_timeout ?? 0,
      checkpoint: info?.checkpoint ?? false,
      hostname: info?.hostname ?? "",
      role: info?.role ?? "*",
      executors: [],
      completed_executors: [],
      [under]: group.map(executorModel),
    };
  });
}

/** Tools look for a command task under an executor of its own name. */
function executorModel(task: ShownTask): Model {
  const model = taskModel(task);
  const isOver = isTerminal(task.state);
  return {
    id: task.info.task_id.value,
    name: `Command Executor (Task: ${task.info.task_id.value}) (Command: ${task.kind})`,
    source: task.info.task_id.value,
    container: task.containerId,
    directory: task.directory,
    resources: Resources.fromWire(task.info.resources).toModel(),
    role: roleOf(task.info),
    type: "DEFAULT",
    tasks: isOver ? [] : [model],
    queued_tasks: [],
    completed_tasks: isOver ? [model] : [],
  };
}

const roleOf = ({ resources }: TaskInfo): string => resources[0]?.allocation_info?.role ?? "*";

function taskModel(task: {
  readonly info: TaskInfo;
  readonly frameworkId: string;
  readonly state: TaskState;
  readonly statuses: readonly TaskStatus[];
}): Model {
  const { info } = task;
  return {
    id: info.task_id.value,
    name: info.name,
    framework_id: task.frameworkId,
    executor_id: "",
    slave_id: info.agent_id.value,
    state: task.state,
    resources: Resources.fromWire(info.resources).toModel(),
    role: roleOf(info),
    statuses: task.statuses.map(({ state, timestamp, container_status, healthy }) => ({
      state,
      timestamp: timestamp ?? 0,
      ...(container_status === undefined ? {} : { container_status }),
      ...(healthy === undefined ? {} : { healthy }),
    })),
    ...(info.labels === undefined ? {} : { labels: info.labels.labels }),
    ...(info.discovery === undefined ? {} : { discovery: info.discovery }),
    ...(info.container === undefined ? {} : { container: info.container }),
  };
}

export function containersModel(daemon: AgentDaemon, cgroups: Cgroups | undefined): readonly Model[] {
  return [...daemon.state.tasks.values()]
    .filter(({ state }) => !isTerminal(state))
    .map((task) => ({
      container_id: task.containerId,
      executor_id: task.info.task_id.value,
      executor_name: `Command Executor (Task: ${task.info.task_id.value})`,
      framework_id: task.frameworkId,
      source: task.info.task_id.value,
      statistics: statisticsOf(task, cgroups),
      status: task.statuses.at(-1)?.container_status ?? {},
    }));
}

export const statisticsModel = (daemon: AgentDaemon, cgroups: Cgroups | undefined): readonly Model[] =>
  containersModel(daemon, cgroups).map(({ container_id: _id, status: _status, ...shown }) => shown);

function statisticsOf(task: AgentTask, cgroups: Cgroups | undefined): Model {
  const resources = Resources.fromWire(task.info.resources);
  const usage = cgroups?.usage(task.containerId);
  return {
    cpus_limit: resources.scalar("cpus"),
    mem_limit_bytes: resources.scalar("mem") * 1024 * 1024,
    ...(usage === undefined
      ? {}
      : {
          mem_rss_bytes: usage.memRssBytes,
          cpus_user_time_secs: usage.cpusUserSecs,
          cpus_system_time_secs: usage.cpusSystemSecs,
        }),
    timestamp: Date.now() / 1000,
  };
}

export function agentMetrics(daemon: AgentDaemon, resources: Resources): Record<string, number> {
  const tasks = [...daemon.state.tasks.values()];
  const living = tasks.filter(({ state }) => !isTerminal(state));
  const count = (state: TaskState): number => tasks.filter((task) => task.state === state).length;
  const used = living.reduce((sum, { info }) => sum.plus(Resources.fromWire(info.resources)), Resources.none);
  const over = [...daemon.state.completed.values()];
  const ended = (state: TaskState): number =>
    over.filter((task) => task.state === state).length + count(state);
  return {
    "slave/registered": daemon.state.session === undefined ? 0 : 1,
    "slave/uptime_secs": (Date.now() - daemon.startedAt) / 1000,
    "slave/frameworks_active": daemon.state.frameworks.size,
    "slave/executors_running": living.length,
    "slave/tasks_staging": count("TASK_STAGING"),
    "slave/tasks_starting": count("TASK_STARTING"),
    "slave/tasks_running": count("TASK_RUNNING"),
    "slave/tasks_killing": count("TASK_KILLING"),
    "slave/tasks_finished": ended("TASK_FINISHED"),
    "slave/tasks_failed": ended("TASK_FAILED"),
    "slave/tasks_killed": ended("TASK_KILLED"),
    ...Object.fromEntries(
      ["cpus", "mem", "disk"].flatMap((name) => [
        [`slave/${name}_total`, resources.scalar(name)],
        [`slave/${name}_used`, used.scalar(name)],
        [`slave/${name}_percent`, resources.milli(name) === 0 ? 0 : used.milli(name) / resources.milli(name)],
      ]),
    ),
  };
}

/** The life of a task as the master sees it: added, updated, ended. Keeps the sums of agents and frameworks right. */
import { hasCapability } from "../protocol/framework.ts";
import { Resources } from "../protocol/resources.ts";
import { isLiving, isTerminal, type TaskInfo, type TaskState, type TaskStatus } from "../protocol/task.ts";
import { id } from "../protocol/wire.ts";
import { type Agent, type Framework, type MesosTask, type TaskSummary, taskKey } from "./cluster-state.ts";
import type { Turn } from "./turn.ts";

export interface NewTask {
  readonly framework: Framework;
  readonly agent: Agent;
  readonly info: TaskInfo;
  readonly role: string;
  readonly state: TaskState;
  readonly statuses?: readonly TaskStatus[];
}

/** Also of a framework that is gone: its task holds resources until the agent says that it ended. */
export function addTask(
  { allocator }: Turn,
  { framework, agent, info, role, state, statuses }: NewTask,
): MesosTask {
  const task: MesosTask = {
    id: info.task_id.value,
    frameworkId: framework.id,
    agentId: agent.id,
    role,
    summary: summaryOf(info, framework.info.user),
    resources: Resources.fromWire(info.resources),
    state,
    statuses: [...(statuses ?? [])],
    unacknowledged: statuses?.at(-1)?.uuid,
    kill: undefined,
  };
  framework.tasks.set(task.id, task);
  agent.tasks.set(taskKey(framework.id, task.id), task);
  if (isLiving(state)) {
    agent.used = agent.used.plus(task.resources);
    allocator.charge(framework.id, role, task.resources);
  }
  return task;
}

function summaryOf(info: TaskInfo, user: string): TaskSummary {
  const { name, task_id, labels, discovery, container, health_check, limits, command } = info;
  return { name, task_id, labels, discovery, container, health_check, limits, user: command?.user ?? user };
}

/** `latest` is where the task is now; `status` may be an older news that is only now being told. */
export function recordStatus(turn: Turn, task: MesosTask, status: TaskStatus, latest: TaskState): void {
  const last = task.statuses.at(-1);
  if (last?.state === status.state) task.statuses[task.statuses.length - 1] = status;
  else task.statuses.push(status);
  if (status.uuid !== undefined) task.unacknowledged = status.uuid;
  if (isTerminal(task.state)) return;
  const wasLiving = isLiving(task.state);
  task.state = latest;
  if (!wasLiving || isLiving(latest)) return;
  releaseTask(turn, task);
  countEnd(turn, latest);
}

function releaseTask({ state, allocator }: Turn, task: MesosTask): void {
  allocator.release(task.frameworkId, task.role, task.resources);
  const agent = state.agents.get(task.agentId);
  if (agent === undefined) return;
  agent.used = agent.used.minus(task.resources);
  state.dirty.add(agent);
}

function countEnd({ state: { tally } }: Turn, latest: TaskState): void {
  if (latest === "TASK_FINISHED") tally.finished++;
  else if (latest === "TASK_FAILED") tally.failed++;
  else if (latest === "TASK_KILLED") tally.killed++;
  else if (latest === "TASK_ERROR") tally.errors++;
  else tally.lost++;
}

/** Its end is known to its framework: it moves to the framework's history. */
export function completeTask(turn: Turn, task: MesosTask): void {
  if (isLiving(task.state)) releaseTask(turn, task);
  const framework = turn.state.findFramework(task.frameworkId);
  framework?.tasks.delete(task.id);
  framework?.unreachableTasks.delete(task.id);
  framework?.completedTasks.push(task);
  turn.state.agents.get(task.agentId)?.tasks.delete(taskKey(task.frameworkId, task.id));
}

/** Sends the kill that was asked for, if its agent is there; again whenever the agent comes back. */
export function repeatKill({ state, act }: Turn, task: MesosTask): void {
  const session = state.agents.get(task.agentId)?.session;
  if (task.kill === undefined || session === undefined || isTerminal(task.state)) return;
  const { policy } = task.kill;
  act({
    do: "send-command",
    session,
    command: { type: "KILL", framework_id: id(task.frameworkId), task_id: id(task.id), kill_policy: policy },
  });
}

export interface MasterStatus {
  readonly taskId: string;
  readonly agentId?: string | undefined;
  readonly state: TaskState;
  readonly reason: string;
  readonly message: string;
  readonly healthy?: boolean | undefined;
}

/** A status that the master itself has to tell: never acknowledged, so without a uuid. */
export const statusOfMaster = (now: number, told: MasterStatus): TaskStatus => ({
  task_id: id(told.taskId),
  ...(told.agentId === undefined ? {} : { agent_id: id(told.agentId) }),
  state: told.state,
  source: "SOURCE_MASTER",
  reason: told.reason,
  message: told.message,
  timestamp: now / 1000,
  ...(told.healthy === undefined ? {} : { healthy: told.healthy }),
});

export function tell(turn: Turn, framework: Framework, status: TaskStatus): void {
  if (framework.stream === undefined) return;
  turn.act({ do: "send-event", stream: framework.stream, event: { type: "UPDATE", update: { status } } });
}

/** Frameworks that do not know partitions are told TASK_LOST instead of the finer states. */
export const forFramework = (framework: Framework, state: TaskState): TaskState =>
  fineStates.has(state) && !hasCapability(framework.info, "PARTITION_AWARE") ? "TASK_LOST" : state;

const fineStates: ReadonlySet<TaskState> = new Set([
  "TASK_DROPPED",
  "TASK_UNREACHABLE",
  "TASK_GONE",
  "TASK_GONE_BY_OPERATOR",
  "TASK_UNKNOWN",
]);

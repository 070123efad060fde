/** What is known of a task, on request. */
import type { TaskState } from "../protocol/task.ts";
import type { Framework, MesosTask } from "./cluster-state.ts";
import { forFramework, statusOfMaster, tell } from "./tasks.ts";
import type { Turn } from "./turn.ts";

export function reconcileAll(turn: Turn, framework: Framework): void {
  for (const task of framework.tasks.values()) tellState(turn, framework, task, task.state);
  for (const task of framework.unreachableTasks.values()) tellState(turn, framework, task, task.state);
}

/** No answer means "not known yet": an agent of before the last change of leaders may still bring it back. */
export function reconcileTask(
  turn: Turn,
  framework: Framework,
  taskId: string,
  agentId: string | undefined,
): void {
  const task = framework.tasks.get(taskId) ?? framework.unreachableTasks.get(taskId);
  if (task !== undefined) {
    tellState(turn, framework, task, task.state);
    return;
  }
  const state = unknownState(turn, agentId);
  if (state !== undefined) tellUnknown(turn, framework, { taskId, agentId, state });
}

function unknownState({ state }: Turn, agentId: string | undefined): TaskState | undefined {
  if (agentId === undefined) return state.awaited.size > 0 ? undefined : "TASK_UNKNOWN";
  if (state.agents.has(agentId)) return "TASK_GONE";
  if (state.awaited.has(agentId)) return undefined;
  if (state.unreachable.has(agentId)) return "TASK_UNREACHABLE";
  return state.gone.has(agentId) ? "TASK_GONE_BY_OPERATOR" : "TASK_UNKNOWN";
}

function tellState(turn: Turn, framework: Framework, task: MesosTask, state: TaskState): void {
  const last = task.statuses.at(-1);
  const status = statusOfMaster(turn.now, {
    taskId: task.id,
    agentId: task.agentId,
    state: forFramework(framework, state),
    reason: "REASON_RECONCILIATION",
    message: "Reconciliation: Latest task state",
    healthy: last?.healthy,
  });
  if (last?.container_status !== undefined) status.container_status = last.container_status;
  tell(turn, framework, status);
}

interface UnknownTask {
  readonly taskId: string;
  readonly agentId: string | undefined;
  readonly state: TaskState;
}

function tellUnknown(turn: Turn, framework: Framework, { taskId, agentId, state }: UnknownTask): void {
  const status = statusOfMaster(turn.now, {
    taskId,
    agentId,
    state: forFramework(framework, state),
    reason: "REASON_RECONCILIATION",
    message: "Reconciliation: Task is unknown",
  });
  tell(turn, framework, status);
}

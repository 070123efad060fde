/**
 * What an agent knows: who it is, whom it is linked to, and its tasks with the news of them that wait to be
 * acknowledged. Everything that must outlive the process is checkpointed by the actions of `decide`.
 */
import type { FrameworkInfo } from "../protocol/framework.ts";
import type { TaskInfo, TaskState, TaskStatus } from "../protocol/task.ts";

export interface AgentSettings {
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
  /** Between SIGTERM and SIGKILL, unless the task or the kill says otherwise. */
  readonly killGraceMs: number;
  readonly maxCompletedTasks: number;
}

export const defaultAgentSettings: AgentSettings = {
  firstRetryMs: 10_000,
  longestRetryMs: 600_000,
  killGraceMs: 3_000,
  maxCompletedTasks: 1_000,
};

export type ContainerKind = "command" | "docker";

/** A process that outlives the agent, recognisable after a restart. */
export interface RunningProcess {
  readonly pid: number;
  /** Its start in clock ticks since boot, and the boot: a pid alone may be someone else's by now. */
  readonly startTicks: string;
  readonly bootId: string;
}

export interface AgentTask {
  readonly frameworkId: string;
  readonly info: TaskInfo;
  readonly kind: ContainerKind;
  readonly containerId: string;
  /** The sandbox. */
  readonly directory: string;
  readonly launchedAt: number;
  state: TaskState;
  /** Newest last, one a state. */
  statuses: TaskStatus[];
  /** News in order; only the first is on its way. */
  unacknowledged: TaskStatus[];
  process: RunningProcess | undefined;
  /** Not checkpointed: when the first unacknowledged news is sent again. */
  retryAt: number;
  retryMs: number;
  kill: { readonly deadline: number; hard: boolean } | undefined;
  healthy: boolean | undefined;
}

/** What remains of a task that is over and acknowledged, for show and to refuse its id. */
export interface CompletedTask {
  readonly frameworkId: string;
  readonly info: TaskInfo;
  readonly kind: ContainerKind;
  readonly containerId: string;
  readonly directory: string;
  readonly state: TaskState;
  readonly statuses: readonly TaskStatus[];
}

export interface AgentState {
  readonly settings: AgentSettings;
  agentId: string | undefined;
  /** The stream that is open and registered; its loss is no reason to end a task. */
  session: string | undefined;
  readonly tasks: Map<string, AgentTask>;
  readonly frameworks: Map<string, FrameworkInfo>;
  /** Oldest first, at most `maxCompletedTasks`. */
  readonly completed: Map<string, CompletedTask>;
  /** Given up by the master: everything is being killed, and the next hello is a stranger's. */
  isShuttingDown: boolean;
}

export const newAgentState = (settings: AgentSettings): AgentState => ({
  settings,
  agentId: undefined,
  session: undefined,
  tasks: new Map(),
  frameworks: new Map(),
  completed: new Map(),
  isShuttingDown: false,
});

export const taskKey = (frameworkId: string, taskId: string): string => `${frameworkId}\0${taskId}`;
export const keyOf = ({ frameworkId, info }: Pick<AgentTask, "frameworkId" | "info">): string =>
  taskKey(frameworkId, info.task_id.value);

/** What runs tasks: told to start, stop and find again; tells by a callback what became of them. */
import type { FrameworkInfo } from "../protocol/framework.ts";
import type { TaskStatus } from "../protocol/task.ts";
import type { AgentTask, RunningProcess } from "./agent-state.ts";
import type { Ending } from "./turn.ts";

export interface ContainerObserver {
  /** Must have written the process down when it returns: the task begins right after. */
  spawned(process: RunningProcess): void;
  started(containerStatus: TaskStatus["container_status"]): void;
  /** Once, and last. */
  ended(ending: Ending): void;
}

export interface Containerizer {
  start(task: AgentTask, framework: FrameworkInfo, observer: ContainerObserver): void;
  /** After a restart of the agent: goes on watching what still runs, and says what has ended meanwhile. */
  recover(task: AgentTask, observer: ContainerObserver): void;
  /** Soft asks the task to end; hard ends it. Before its start it is not started. */
  stop(task: AgentTask, hard: boolean, graceMs: number): void;
  /** The agent stops; its tasks go on. */
  close(): void;
}

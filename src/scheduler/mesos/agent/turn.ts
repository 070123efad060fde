/** One turn of the agent's `decide`. */
import type { AgentCommand, AgentMessage } from "../protocol/agent-link.ts";
import type { FrameworkInfo } from "../protocol/framework.ts";
import type { TaskStatus } from "../protocol/task.ts";
import type { AgentState, AgentTask, RunningProcess } from "./agent-state.ts";

/** How a container came to its end. */
export interface Ending {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** What kept it from starting, or from being known. */
  readonly problem?: string | undefined;
  readonly reason?: string | undefined;
}

export type AgentEvent =
  | { readonly is: "linked"; readonly session: string }
  | { readonly is: "unlinked"; readonly session: string }
  | { readonly is: "command"; readonly session: string; readonly command: AgentCommand }
  | {
      readonly is: "process";
      readonly key: string;
      readonly containerId: string;
      readonly process: RunningProcess;
    }
  | {
      readonly is: "started";
      readonly key: string;
      readonly containerId: string;
      readonly containerStatus: TaskStatus["container_status"];
    }
  | { readonly is: "ended"; readonly key: string; readonly containerId: string; readonly ending: Ending }
  | {
      readonly is: "health";
      readonly key: string;
      readonly containerId: string;
      readonly healthy: boolean;
      readonly killAsUnhealthy: boolean;
    }
  | { readonly is: "tick" };

export type AgentAction =
  | { readonly do: "keep-agent-id"; readonly agentId: string | undefined }
  | { readonly do: "keep-framework"; readonly info: FrameworkInfo }
  | { readonly do: "forget-framework"; readonly frameworkId: string }
  /** Written before anything that follows is done. */
  | { readonly do: "keep-task"; readonly task: AgentTask }
  | { readonly do: "forget-task"; readonly task: AgentTask }
  | { readonly do: "start"; readonly task: AgentTask; readonly framework: FrameworkInfo }
  | { readonly do: "stop"; readonly task: AgentTask; readonly hard: boolean; readonly graceMs: number }
  | { readonly do: "send"; readonly session: string; readonly message: AgentMessage }
  | { readonly do: "relink" }
  | { readonly do: "log"; readonly text: string };

export interface AgentTurn {
  readonly state: AgentState;
  readonly now: number;
  /** A new uuid as text. */
  readonly newUuid: () => string;
  readonly directoryOf: (frameworkId: string, taskId: string, containerId: string) => string;
  act(action: AgentAction): void;
}

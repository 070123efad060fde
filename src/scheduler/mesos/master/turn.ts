/** One turn of `decide`: what happened, and what the master wants done about it. */
import type { Random } from "../../../base/clock.ts";
import type { AgentCommand, AgentHello, AgentMessage } from "../protocol/agent-link.ts";
import type { SchedulerCall } from "../protocol/scheduler-call.ts";
import type { SchedulerEvent } from "../protocol/scheduler-event.ts";
import type { Allocator } from "./allocator.ts";
import type { AgentRecord, ClusterState } from "./cluster-state.ts";

export type MasterEvent =
  | { readonly is: "subscribe"; readonly stream: string; readonly call: SubscribeCall }
  | { readonly is: "call"; readonly stream: string | undefined; readonly call: OtherCall }
  | { readonly is: "stream-closed"; readonly stream: string }
  | { readonly is: "agent-hello"; readonly session: string; readonly hello: AgentHello }
  | { readonly is: "agent-message"; readonly session: string; readonly message: AgentMessage }
  | { readonly is: "agent-closed"; readonly session: string }
  /** A record that `persist` asked for is written. A write that fails ends the master's leadership instead. */
  | { readonly is: "persisted"; readonly record: AgentRecord; readonly next: Continuation }
  | { readonly is: "operator"; readonly request: OperatorRequest }
  /** Once a second or oftener: pings, deadlines, offers. */
  | { readonly is: "tick" };

export type SubscribeCall = Extract<SchedulerCall, { type: "SUBSCRIBE" }>;
export type OtherCall = Exclude<SchedulerCall, { type: "SUBSCRIBE" }>;

export type OperatorRequest =
  | { readonly want: "teardown"; readonly frameworkId: string }
  | { readonly want: "mark-agent-gone" | "deactivate-agent" | "reactivate-agent"; readonly agentId: string };

export type Continuation =
  | { readonly step: "admit"; readonly session: string; readonly hello: AgentHello }
  | { readonly step: "give-up" }
  | { readonly step: "nothing" };

export type MasterAction =
  | { readonly do: "send-event"; readonly stream: string; readonly event: SchedulerEvent }
  | { readonly do: "close-stream"; readonly stream: string }
  | { readonly do: "send-command"; readonly session: string; readonly command: AgentCommand }
  | { readonly do: "close-session"; readonly session: string }
  | { readonly do: "persist"; readonly record: AgentRecord; readonly next: Continuation }
  | { readonly do: "forget"; readonly agentId: string }
  | { readonly do: "log"; readonly text: string };

/** How a request is answered, when it is answered at once. */
export interface Answer {
  readonly status: number;
  readonly message?: string;
}
export const accepted: Answer = { status: 202 };

export interface Turn {
  readonly state: ClusterState;
  readonly allocator: Allocator;
  readonly now: number;
  readonly random: Random;
  act(action: MasterAction): void;
}

/** What the engine says while it runs: all that reporting/ ever sees. One JSON object an event under --json. */
import type { ProvisionError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";

export type TaskStatus =
  | "ok"
  | "changed"
  | "would-change"
  | "unsure"
  | "skipped"
  | "failed"
  | "ignored"
  | "unreachable"
  | "rescued";

export interface ShownDiff {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}
export interface ShownFailure {
  readonly message: string;
  readonly argv?: readonly string[];
  readonly code?: number;
  /** Last lines. */
  readonly stderr?: string;
  readonly stdout?: string;
  readonly error?: ProvisionError;
}
export interface HostRecap {
  readonly host: string;
  readonly ok: number;
  readonly changed: number;
  readonly unreachable: number;
  readonly failed: number;
  readonly skipped: number;
  readonly rescued: number;
  readonly ignored: number;
  readonly elapsedMs: number;
  readonly roundTrips: number;
}
export type EngineEvent = { readonly atMs: number } & (
  | {
      readonly type: "run-start";
      readonly playbooks: readonly string[];
      readonly check: boolean;
      readonly hosts: readonly string[];
    }
  | { readonly type: "owed-handlers"; readonly host: string; readonly handlers: readonly string[] }
  | {
      readonly type: "play-start";
      readonly play: string;
      readonly hosts: readonly string[];
      readonly batch?: string;
    }
  | {
      readonly type: "connect";
      readonly host: string;
      readonly state: "connecting" | "connected" | "failed";
      readonly elapsedMs: number;
      readonly message?: string;
      /** Why it cannot be reached, where that is known. */
      readonly error?: ProvisionError;
    }
  | {
      readonly type: "task-start";
      readonly id: number;
      readonly task: string;
      readonly role?: string;
      readonly module: string;
      readonly handler: boolean;
      readonly hosts: readonly string[];
      readonly place: string;
    }
  | { readonly type: "task-progress"; readonly id: number; readonly host: string; readonly what: string }
  | {
      readonly type: "task-host";
      readonly id: number;
      readonly host: string;
      readonly item?: string;
      readonly status: TaskStatus;
      readonly elapsedMs: number;
      /** Where the time went: waiting for the network, the host, us. */
      readonly timing?: {
        readonly networkMs: number;
        readonly hostMs: number;
        readonly controllerMs: number;
      };
      readonly steps: readonly string[];
      readonly diffs: readonly ShownDiff[];
      readonly message?: string;
      readonly failure?: ShownFailure;
      /** Masked by no_log already. */
      readonly result: JsonObject;
      readonly delegatedTo?: string;
      readonly attempts?: number;
    }
  | { readonly type: "task-end"; readonly id: number; readonly elapsedMs: number }
  /** What kept a task's questions from being asked ahead: for --profile. */
  | { readonly type: "barrier"; readonly task: string; readonly place: string; readonly reason: string }
  | { readonly type: "show"; readonly host: string; readonly text: string }
  | { readonly type: "warning"; readonly message: string; readonly place?: string }
  | { readonly type: "play-end"; readonly play: string; readonly elapsedMs: number }
  | {
      readonly type: "run-end";
      readonly recap: readonly HostRecap[];
      readonly elapsedMs: number;
      readonly exitCode: number;
      readonly stopped?: string;
    }
);
export type EmitEvent = (event: EngineEvent) => void;

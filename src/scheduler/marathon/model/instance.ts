/** One running copy of an app: what is known of it, and its task at Mesos, which bears the same id. */
import type { AppId, Version } from "./app.ts";
import { safeId } from "./path-id.ts";

export type InstanceId = string;

/** launching: stored, and the master may or may not have heard of it. killing: Mesos says so. */
export type Condition = "launching" | "staging" | "starting" | "running" | "killing" | "unreachable";

export interface Instance {
  readonly id: InstanceId;
  readonly appId: AppId;
  /** The app's version that it was launched from. */
  readonly version: Version;
  /** That version's `lastConfigChangeAt`. */
  readonly configVersion: Version;
  readonly agentId: string;
  readonly host: string;
  /** The agent's attributes as text: constraints look at them. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly hostPorts: readonly (number | null)[];
  readonly role: string;
  readonly condition: Condition;
  /** Whether it is to live. Once stopped it never lives again. */
  readonly goal: "running" | "stopped";
  readonly stagedAt: number;
  readonly startedAt?: number;
  readonly unreachableSince?: number;
  readonly ipAddresses?: readonly string[];
}

export const instanceIdOf = (appId: AppId, uuid: string): InstanceId => `${safeId(appId)}.${uuid}`;

/** The app in a task's id; segments of app ids never hold "_". */
export function appOfInstance(id: InstanceId): AppId {
  const end = id.lastIndexOf(".");
  return `/${(end === -1 ? id : id.slice(0, end)).replaceAll("_", "/")}`;
}

export const uuidOfInstance = (id: InstanceId): string => id.slice(id.lastIndexOf(".") + 1);

export const isToLive = (instance: Instance): boolean => instance.goal === "running";

/** What Mesos calls its condition. */
export function taskStateOf({ condition }: Instance): string {
  return condition === "launching" ? "TASK_STAGING" : `TASK_${condition.toUpperCase()}`;
}

/** What Mesos says of a task → what becomes of its instance. Every update is acknowledged once its effect is stored. */
import type { JsonObject } from "../../../base/json.ts";
import type { TaskStatus } from "../../mesos/protocol/task.ts";
import { isTerminal } from "../../mesos/protocol/task.ts";
import { appOfInstance, type Condition, type Instance, isToLive } from "../model/instance.ts";
import { increaseBackoff } from "./backoff.ts";
import type { Draft } from "./draft.ts";
import { agentHealth } from "./handle-checks.ts";
import { killCall } from "./kill.ts";
import { launchedFrom } from "./readiness.ts";
import { instanceById } from "./state.ts";
import { tellChange } from "./tell-change.ts";

const conditions: Readonly<Partial<Record<TaskStatus["state"], Condition>>> = {
  TASK_STAGING: "staging",
  TASK_STARTING: "starting",
  TASK_RUNNING: "running",
  TASK_KILLING: "killing",
};

/** A LOST for one of these reasons may still be running behind a partition. */
const partitionReasons: ReadonlySet<string> = new Set([
  "REASON_SLAVE_DISCONNECTED",
  "REASON_SLAVE_REMOVED",
  "REASON_AGENT_DISCONNECTED",
  "REASON_AGENT_REMOVED",
]);

/** Endings that the app itself has to answer for. */
const failures: ReadonlySet<string> = new Set(["TASK_FAILED", "TASK_FINISHED", "TASK_ERROR"]);

export function handleStatus(draft: Draft, status: TaskStatus): void {
  acknowledge(draft, status);
  const id = status.task_id.value;
  const instance = instanceById(draft.state, appOfInstance(id), id);
  if (instance === undefined) {
    handleUnknown(draft, status);
    return;
  }
  tellStatus(draft, instance, status);
  const condition = conditions[status.state];
  if (condition !== undefined) handleLiving(draft, instance, condition, status);
  else if (isOutOfReach(status)) handleUnreachable(draft, instance, status);
  else handleEnd(draft, instance, status);
}

function acknowledge(draft: Draft, { uuid, agent_id, task_id }: TaskStatus): void {
  if (uuid === undefined || agent_id === undefined) return;
  draft.call({ type: "ACKNOWLEDGE", acknowledge: { agent_id, task_id, uuid } });
}

/** Every instance is stored before it is launched, so a living task that is not ours to keep is a leftover. */
function handleUnknown(draft: Draft, status: TaskStatus): void {
  const agentId = status.agent_id?.value ?? "";
  if (conditions[status.state] !== undefined && status.state !== "TASK_KILLING") {
    draft.call(killCall({ id: status.task_id.value, agentId }));
    return;
  }
  if (isTerminal(status.state)) {
    draft.tell("unknown_instance_terminated_event", {
      instanceId: status.task_id.value,
      runSpecId: appOfInstance(status.task_id.value),
      condition: status.state.slice("TASK_".length),
    });
  }
}

function handleLiving(draft: Draft, before: Instance, condition: Condition, status: TaskStatus): void {
  const { unreachableSince: _back, ...rest } = before;
  const ips = addressesOf(status);
  const after: Instance = {
    ...rest,
    condition: laterOf(before.condition, condition),
    ...(condition === "running" && before.startedAt === undefined
      ? { startedAt: timeOf(draft, status) }
      : {}),
    ...(ips.length === 0 ? {} : { ipAddresses: ips }),
  };
  if (JSON.stringify(after) !== JSON.stringify(before)) {
    draft.putInstance(after);
    if (after.condition !== before.condition) tellChange(draft, after, after.condition);
  }
  if (status.healthy !== undefined) agentHealth(draft, after, status.healthy);
  // It lived through our asking, or came back from behind a partition.
  if (!isToLive(after) && condition !== "killing" && !draft.state.kills.has(after.id)) {
    draft.set("kills", after.id, { attempts: 1, nextAt: draft.now });
    draft.dirty.add(after.appId);
  }
}

const order: readonly Condition[] = ["launching", "staging", "starting", "running", "killing"];

/** Updates may come twice or late (reconciliation): a running task does not go back to staging; an unreachable one may. */
const laterOf = (before: Condition, now: Condition): Condition =>
  order.indexOf(before) > order.indexOf(now) ? before : now;

function isOutOfReach({ state, reason }: TaskStatus): boolean {
  if (state === "TASK_UNREACHABLE" || state === "TASK_UNKNOWN") return true;
  return state === "TASK_LOST" && partitionReasons.has(reason ?? "");
}

function handleUnreachable(draft: Draft, instance: Instance, status: TaskStatus): void {
  // Nothing was ever heard of it and nobody knows it: the launch did not arrive.
  if (!isToLive(instance) || (instance.condition === "launching" && status.state === "TASK_UNKNOWN")) {
    draft.removeInstance(instance);
    return;
  }
  if (instance.condition === "unreachable") return;
  const unreachable: Instance = { ...instance, condition: "unreachable", unreachableSince: draft.now };
  draft.putInstance(unreachable);
  tellChange(draft, unreachable, "unreachable");
  expungeIfDue(draft, unreachable);
}

/** Forgets an instance that has been out of reach for as long as its app allows. */
export function expungeIfDue(draft: Draft, instance: Instance): void {
  if (instance.condition !== "unreachable") return;
  const strategy = (draft.state.apps.get(instance.appId) ?? launchedFrom(draft.state, instance))
    ?.unreachableStrategy ?? { expungeAfterSeconds: 0 };
  if (strategy === "disabled") return;
  if (draft.now < (instance.unreachableSince ?? 0) + strategy.expungeAfterSeconds * 1000) return;
  noteFailure(draft, instance, { state: "TASK_UNREACHABLE", message: "its agent is out of reach" });
  draft.removeInstance(instance);
}

function handleEnd(draft: Draft, instance: Instance, status: TaskStatus): void {
  draft.removeInstance(instance);
  tellChange(draft, instance, status.state.slice("TASK_".length));
  if (!isToLive(instance)) return;
  const definition = launchedFrom(draft.state, instance);
  if (failures.has(status.state) && definition !== undefined) increaseBackoff(draft, definition);
  const wasIll = status.state === "TASK_KILLED" && status.healthy === false;
  if (wasIll || (status.state !== "TASK_KILLED" && status.state !== "TASK_FINISHED")) {
    const message = wasIll ? "Task was killed since health check failed." : (status.message ?? "");
    noteFailure(draft, instance, { state: status.state, message });
  }
}

function noteFailure(
  draft: Draft,
  instance: Instance,
  { state, message }: { readonly state: string; readonly message: string },
): void {
  draft.set("failures", instance.appId, {
    appId: instance.appId,
    host: instance.host,
    message,
    state,
    taskId: instance.id,
    timestamp: draft.now,
    version: instance.version,
    slaveId: instance.agentId,
  });
}

const timeOf = (draft: Draft, { timestamp }: TaskStatus): number =>
  timestamp === undefined ? draft.now : Math.round(timestamp * 1000);

const addressesOf = (status: TaskStatus): readonly string[] =>
  (status.container_status?.network_infos ?? []).flatMap(({ ip_addresses }) =>
    (ip_addresses ?? []).flatMap(({ ip_address }) => ip_address ?? []),
  );

function tellStatus(draft: Draft, instance: Instance, status: TaskStatus): void {
  draft.tell("status_update_event", {
    slaveId: instance.agentId,
    taskId: instance.id,
    taskStatus: status.state,
    message: status.message ?? "",
    appId: instance.appId,
    host: instance.host,
    ipAddresses: addressesOf(status).map((ipAddress) => ({ ipAddress, protocol: "IPv4" })),
    ports: instance.hostPorts.flatMap((port) => port ?? []),
    version: instance.version,
  } satisfies JsonObject);
}

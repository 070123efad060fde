/** Results of health and readiness checks → health, and the end of instances that stay ill. */
import type { HealthCheck } from "../model/app.ts";
import { type Instance, isToLive } from "../model/instance.ts";
import type { Draft } from "./draft.ts";
import { stopInstance } from "./kill.ts";
import { checksOf, healthOf, launchedFrom } from "./readiness.ts";
import { type CheckResult, instancesOf } from "./state.ts";

export interface HealthResult {
  readonly appId: string;
  readonly instanceId: string;
  /** Which of the app's health checks. */
  readonly check: number;
  readonly alive: boolean;
  readonly cause?: string;
}

export interface ReadinessResult {
  readonly appId: string;
  readonly instanceId: string;
  readonly ready: boolean;
  readonly status?: number;
  readonly body?: string;
}

export function handleHealth(draft: Draft, result: HealthResult): void {
  const instance = instancesOf(draft.state, result.appId).get(result.instanceId);
  if (instance?.condition !== "running" || !isToLive(instance)) return;
  const check = launchedFrom(draft.state, instance)?.healthChecks[result.check];
  if (check === undefined) return;
  const checks = checksOf(draft.state, instance) ?? { health: [] };
  const before = checks.health[result.check];
  if (!result.alive && isInGrace(check, instance, before, draft.now)) return;
  const after = nextResult(before, result, draft.now);
  const wasHealthy = healthOf(draft.state, instance);
  const health = [...checks.health];
  health[result.check] = after;
  draft.putChecks(instance, { ...checks, health: Array.from(health) });
  if (!result.alive) tellFailure(draft, instance, check);
  tellHealth(draft, instance, wasHealthy);
  if (check.maxConsecutiveFailures > 0 && after.consecutiveFailures >= check.maxConsecutiveFailures) {
    killIll(draft, instance, result.cause ?? "health check failed");
  }
}

/** Failures do not count until the first success, for as long as the app may take to start. */
function isInGrace(
  check: HealthCheck,
  instance: Instance,
  before: CheckResult | undefined,
  now: number,
): boolean {
  if (before?.firstSuccess !== undefined) return false;
  return now < (instance.startedAt ?? now) + check.gracePeriodSeconds * 1000;
}

function nextResult(
  before: CheckResult | undefined,
  { alive, cause }: HealthResult,
  now: number,
): CheckResult {
  const kept = before ?? { alive: false, consecutiveFailures: 0 };
  if (alive) {
    return {
      ...kept,
      alive: true,
      consecutiveFailures: 0,
      firstSuccess: kept.firstSuccess ?? now,
      lastSuccess: now,
    };
  }
  return {
    ...kept,
    alive: false,
    consecutiveFailures: kept.consecutiveFailures + 1,
    lastFailure: now,
    lastFailureCause: cause ?? "",
  };
}

/** The agent's own check: it kills by itself, we only note. */
export function agentHealth(draft: Draft, instance: Instance, alive: boolean): void {
  const checks = launchedFrom(draft.state, instance)?.healthChecks ?? [];
  const index = checks.findIndex(({ protocol }) => protocol === "COMMAND" || protocol.startsWith("MESOS_"));
  if (index === -1) return;
  const known = checksOf(draft.state, instance) ?? { health: [] };
  const health = [...known.health];
  health[index] = nextResult(
    known.health[index],
    { appId: instance.appId, instanceId: instance.id, check: index, alive },
    draft.now,
  );
  const wasHealthy = healthOf(draft.state, instance);
  draft.putChecks(instance, { ...known, health: Array.from(health) });
  tellHealth(draft, instance, wasHealthy);
}

function killIll(draft: Draft, instance: Instance, cause: string): void {
  draft.set("failures", instance.appId, {
    appId: instance.appId,
    host: instance.host,
    message: `Task was killed since health check failed. Reason: ${cause}`,
    state: "TASK_KILLED",
    taskId: instance.id,
    timestamp: draft.now,
    version: instance.version,
    slaveId: instance.agentId,
  });
  draft.tell("unhealthy_instance_kill_event", {
    appId: instance.appId,
    taskId: instance.id,
    instanceId: instance.id,
    version: instance.version,
    reason: cause,
    host: instance.host,
    slaveId: instance.agentId,
  });
  stopInstance(draft, instance);
}

function tellFailure(draft: Draft, instance: Instance, check: HealthCheck): void {
  draft.tell("failed_health_check_event", {
    appId: instance.appId,
    taskId: instance.id,
    instanceId: instance.id,
    healthCheck: { protocol: check.protocol, path: check.path ?? "" },
  });
}

function tellHealth(draft: Draft, instance: Instance, before: boolean | undefined): void {
  const now = healthOf(draft.state, instance);
  if (now === undefined || now === before) return;
  draft.tell("health_status_changed_event", {
    appId: instance.appId,
    taskId: instance.id,
    instanceId: instance.id,
    version: instance.version,
    alive: now,
  });
  draft.tell("instance_health_changed_event", {
    instanceId: instance.id,
    runSpecId: instance.appId,
    healthy: now,
    runSpecVersion: instance.version,
  });
}

export function handleReadiness(draft: Draft, result: ReadinessResult): void {
  const instance = instancesOf(draft.state, result.appId).get(result.instanceId);
  if (instance === undefined) return;
  const checks = checksOf(draft.state, instance) ?? { health: [] };
  if (checks.readiness?.ready === true) return;
  draft.putChecks(instance, {
    ...checks,
    readiness: {
      ready: result.ready,
      ...(result.status === undefined ? {} : { status: result.status }),
      ...(result.body === undefined ? {} : { body: result.body }),
    },
  });
}

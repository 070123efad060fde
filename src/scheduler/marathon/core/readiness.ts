/** Whether an instance serves, as health and readiness checks tell. */
import type { AppDefinition } from "../model/app.ts";
import type { Instance } from "../model/instance.ts";
import { definitionOf, type InstanceChecks, type MarathonState } from "./state.ts";

export const checksOf = (state: MarathonState, instance: Instance): InstanceChecks | undefined =>
  state.checks.get(instance.appId)?.get(instance.id);

/** The definition that an instance was launched from. */
export const launchedFrom = (state: MarathonState, instance: Instance): AppDefinition | undefined =>
  definitionOf(state, instance.appId, instance.version) ?? state.apps.get(instance.appId);

/** undefined: the app has checks and no result is there yet. Without checks a running instance is healthy. */
export function healthOf(state: MarathonState, instance: Instance): boolean | undefined {
  const checks = launchedFrom(state, instance)?.healthChecks ?? [];
  if (checks.length === 0) return instance.condition === "running";
  const results = checksOf(state, instance)?.health ?? [];
  if (checks.some((_, index) => results[index]?.alive === false)) return false;
  return checks.every((_, index) => results[index]?.alive === true) ? true : undefined;
}

export const isHealthy = (state: MarathonState, instance: Instance): boolean =>
  instance.condition === "running" && healthOf(state, instance) === true;

/** Healthy and, where the app has a readiness check, once said to be ready. */
export function isReady(state: MarathonState, instance: Instance): boolean {
  if (!isHealthy(state, instance)) return false;
  const definition = launchedFrom(state, instance);
  return (
    (definition?.readinessChecks.length ?? 0) === 0 || checksOf(state, instance)?.readiness?.ready === true
  );
}

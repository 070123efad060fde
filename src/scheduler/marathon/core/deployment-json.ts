/** Deployments as clients read them. */
import type { JsonObject, JsonValue } from "../../../base/json.ts";
import { affectedApps, type Deployment, type DeploymentAction } from "../model/deployment.ts";
import { checksOf, launchedFrom } from "./readiness.ts";
import { instancesOf, type MarathonState } from "./state.ts";

export const stepJson = (actions: readonly DeploymentAction[]): JsonObject => ({
  actions: actions.map(({ action, app }) => ({ action, app })),
});

export function deploymentInfoJson(state: MarathonState, deployment: Deployment): JsonObject {
  return {
    plan: planJson(deployment),
    id: deployment.id,
    affectedApps: affectedApps(deployment),
    currentActions: currentActionsJson(state, deployment),
  };
}

const planJson = (deployment: Deployment): JsonObject => ({
  id: deployment.id,
  version: deployment.version,
  steps: deployment.steps.map(stepJson),
});

export const deploymentJson = (state: MarathonState, deployment: Deployment): JsonObject => ({
  id: deployment.id,
  version: deployment.version,
  affectedApps: affectedApps(deployment),
  affectedPods: [],
  steps: deployment.steps.map(stepJson),
  currentActions: currentActionsJson(state, deployment),
  currentStep: Math.min(deployment.currentStep + 1, deployment.steps.length),
  totalSteps: deployment.steps.length,
});

function currentActionsJson(state: MarathonState, deployment: Deployment): JsonValue {
  return (deployment.steps[deployment.currentStep] ?? []).map(({ action, app }) => ({
    action,
    app,
    readinessCheckResults: readinessJson(state, app),
  }));
}

export function readinessJson(state: MarathonState, app: string): readonly JsonObject[] {
  return [...instancesOf(state, app).values()].flatMap((instance) => {
    const check = launchedFrom(state, instance)?.readinessChecks[0];
    const readiness = checksOf(state, instance)?.readiness;
    if (check === undefined || readiness === undefined) return [];
    const last =
      check.preserveLastResponse && readiness.status !== undefined
        ? { lastResponse: { status: readiness.status, body: readiness.body ?? "", contentType: "" } }
        : {};
    return [{ name: check.name, taskId: instance.id, ready: readiness.ready, ...last }];
  });
}

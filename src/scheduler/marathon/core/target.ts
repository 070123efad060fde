/** What an app's instances should come to right now, given the deployment that has it in hand. */
import type { AppDefinition, AppId } from "../model/app.ts";
import type { ActionName, Deployment } from "../model/deployment.ts";
import { definitionOf, type MarathonState } from "./state.ts";

export interface Target {
  /** Absent: the app has no right to any instance. */
  readonly definition: AppDefinition | undefined;
  readonly instances: number;
  /** upgrade: instances of other configurations give way. keep: they count like the others. */
  readonly mode: "keep" | "upgrade";
}

export function deploymentOf(
  state: Pick<MarathonState, "deployments">,
  appId: AppId,
): Deployment | undefined {
  for (const deployment of state.deployments.values()) {
    if (deployment.changes.some(({ app }) => app === appId)) return deployment;
  }
  return undefined;
}

export function targetOf(state: MarathonState, appId: AppId): Target {
  const deployment = deploymentOf(state, appId);
  if (deployment === undefined) return kept(state.apps.get(appId));
  const at = deployment.steps.findLastIndex((step, index) =>
    index <= deployment.currentStep ? step.some(({ app }) => app === appId) : false,
  );
  const change = deployment.changes.find(({ app }) => app === appId);
  if (at === -1) return kept(definitionOf(state, appId, change?.from));
  const action = deployment.steps[at]?.find(({ app }) => app === appId)?.action;
  return afterAction(action, definitionOf(state, appId, change?.to), at === deployment.currentStep);
}

const kept = (definition: AppDefinition | undefined): Target => ({
  definition,
  instances: definition?.instances ?? 0,
  mode: "keep",
});

function afterAction(
  action: ActionName | undefined,
  definition: AppDefinition | undefined,
  isAtWork: boolean,
): Target {
  if (action === "StopApplication") return kept(undefined);
  if (action === "StartApplication") return { definition, instances: 0, mode: "keep" };
  const target = kept(definition);
  return action === "RestartApplication" && isAtWork ? { ...target, mode: "upgrade" } : target;
}

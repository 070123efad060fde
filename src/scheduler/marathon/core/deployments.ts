/** Plans deployments and walks them: a step ends when each of its actions has come true. */
import type { AppDefinition, AppId } from "../model/app.ts";
import type { Deployment, DeploymentAction, DeploymentChange } from "../model/deployment.ts";
import { isWithin } from "../model/path-id.ts";
import { dependenciesOf } from "./dependencies.ts";
import { deploymentInfoJson, stepJson } from "./deployment-json.ts";
import type { Draft } from "./draft.ts";
import { isReady } from "./readiness.ts";
import { isFresh, livingOf } from "./reconcile-app.ts";
import { definitionOf, type GroupRecord, instancesOf, type MarathonState } from "./state.ts";

export interface AppChange {
  readonly id: AppId;
  readonly from: AppDefinition | undefined;
  readonly to: AppDefinition | undefined;
  /** Instances of a former app with this id are still living. */
  readonly hasLeftovers?: boolean;
}

/**
 * First what goes, then what stays or comes, dependencies before those who need them. An app that is new is started
 * (with nothing) and then scaled, as Marathon's clients expect to see it.
 */
export function planSteps(
  changes: readonly AppChange[],
  groups: ReadonlyMap<AppId, GroupRecord>,
): readonly (readonly DeploymentAction[])[] {
  const gone = changes.filter(({ to }) => to === undefined);
  const steps: DeploymentAction[][] = [];
  if (gone.length > 0) steps.push(gone.map(({ id }) => ({ action: "StopApplication", app: id })));
  for (const level of levelsOf(
    changes.filter(({ to }) => to !== undefined),
    groups,
  )) {
    const starts = level.filter(({ from, hasLeftovers }) => from === undefined && hasLeftovers !== true);
    if (starts.length > 0) steps.push(starts.map(({ id }) => ({ action: "StartApplication", app: id })));
    steps.push(level.map(actionOf));
  }
  return steps;
}

function actionOf({ id, from, to, hasLeftovers }: AppChange): DeploymentAction {
  const isOther = from !== undefined && from.lastConfigChangeAt !== to?.lastConfigChangeAt;
  const restarts = isOther || hasLeftovers === true;
  return { action: restarts ? "RestartApplication" : "ScaleApplication", app: id };
}

/** Apps in layers: each depends only on earlier ones. A cycle's members end in one layer. */
function levelsOf(
  changes: readonly AppChange[],
  groups: ReadonlyMap<AppId, GroupRecord>,
): readonly (readonly AppChange[])[] {
  const waiting = new Map(changes.map((change) => [change.id, change]));
  const levels: AppChange[][] = [];
  while (waiting.size > 0) {
    const free = [...waiting.values()].filter(
      (change) => !dependenciesOf(change.to, groups).some((id) => dependsOnOther(id, change.id, waiting)),
    );
    const level = free.length > 0 ? free : [...waiting.values()];
    for (const { id } of level) waiting.delete(id);
    levels.push(level);
  }
  return levels;
}

const dependsOnOther = (dependency: AppId, self: AppId, waiting: ReadonlyMap<AppId, AppChange>): boolean =>
  [...waiting.keys()].some((id) => id !== self && isWithin(id, dependency));

/** Moves a deployment on as far as it has come true; the last step done ends it. */
export function advanceDeployment(draft: Draft, id: string): void {
  let deployment = draft.state.deployments.get(id);
  while (deployment !== undefined && isStepDone(draft.state, deployment, draft.now)) {
    const next: Deployment = { ...deployment, currentStep: deployment.currentStep + 1 };
    draft.tell("deployment_step_success", {
      ...deploymentInfoJson(draft.state, deployment),
      currentStep: stepJson(deployment.steps[deployment.currentStep] ?? []),
    });
    if (next.currentStep >= next.steps.length) {
      finish(draft, next);
      return;
    }
    draft.putDeployment(next);
    draft.tell("deployment_info", {
      ...deploymentInfoJson(draft.state, next),
      currentStep: stepJson(next.steps[next.currentStep] ?? []),
    });
    deployment = next;
  }
}

function isStepDone(state: MarathonState, deployment: Deployment, now: number): boolean {
  const step = deployment.steps[deployment.currentStep] ?? [];
  return step.every((action) => isActionDone(state, deployment, action, now));
}

function isActionDone(
  state: MarathonState,
  deployment: Deployment,
  { action, app }: DeploymentAction,
  now: number,
): boolean {
  if (action === "StartApplication") return true;
  const change = deployment.changes.find((candidate) => candidate.app === app);
  const definition = definitionOf(state, app, change?.to);
  const all = [...instancesOf(state, app).values()];
  // What cannot be reached cannot hold a deployment up.
  const isEnding = all.some(({ goal, condition }) => goal === "stopped" && condition !== "unreachable");
  const living = livingOf(state, app, definition, now);
  if (isEnding) return false;
  if (action === "StopApplication" || definition === undefined) return living.length === 0;
  const counted = action === "RestartApplication" ? living.filter((one) => isFresh(one, definition)) : living;
  if (counted.length !== living.length || living.length !== definition.instances) return false;
  return living.every((instance) => isReady(state, instance));
}

function finish(draft: Draft, deployment: Deployment): void {
  const json = deploymentInfoJson(draft.state, deployment);
  draft.removeDeployment(deployment);
  forgetRemovedVersions(draft, deployment.changes);
  draft.tell("deployment_success", { ...json, id: deployment.id });
  for (const group of groupsChanged(deployment)) {
    draft.tell("group_change_success", { groupId: group, version: deployment.version });
  }
}

const groupsChanged = (deployment: Deployment): readonly AppId[] => [
  ...new Set(deployment.changes.map(({ app }) => app.slice(0, app.lastIndexOf("/")) || "/")),
];

/** Stops following a deployment; what it has done stays. */
export function cancelDeployment(draft: Draft, deployment: Deployment): void {
  const json = deploymentInfoJson(draft.state, deployment);
  draft.removeDeployment(deployment);
  draft.tell("deployment_failed", { ...json, id: deployment.id });
}

/** The definitions of apps that are gone for good leave the store. */
export function forgetRemovedVersions(draft: Draft, changes: readonly DeploymentChange[]): void {
  for (const { app } of changes) {
    if (draft.state.apps.has(app) || isNamed(draft.state, app)) continue;
    for (const definition of draft.state.versions.get(app) ?? []) {
      draft.writes.push({ kind: "version", id: app, version: definition.version, value: undefined });
    }
    draft.set("versions", app, undefined);
    draft.set("backoffs", app, undefined);
    draft.set("failures", app, undefined);
  }
}

const isNamed = (state: MarathonState, app: AppId): boolean =>
  [...state.deployments.values()].some(({ changes }) => changes.some((change) => change.app === app));

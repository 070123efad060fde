/** The one way in which apps and groups change: definitions, their versions, and the deployment that carries it out. */
import { invalidObject, locked, tooManyDeployments } from "../model/api-error.ts";
import {
  type AppDefinition,
  type AppId,
  type AppSpec,
  needsRestart,
  portsOf,
  type Version,
} from "../model/app.ts";
import type { Deployment } from "../model/deployment.ts";
import { type InstanceId, isToLive } from "../model/instance.ts";
import { violation } from "../model/validate-app.ts";
import { hasCycle } from "./dependencies.ts";
import { deploymentInfoJson, stepJson } from "./deployment-json.ts";
import { type AppChange, cancelDeployment, forgetRemovedVersions, planSteps } from "./deployments.ts";
import type { Draft } from "./draft.ts";
import { assignServicePorts, conflictingServicePort } from "./service-ports.ts";
import { type GroupRecord, instancesOf, type MarathonState } from "./state.ts";

export interface RootChange {
  /** undefined: the app goes. */
  readonly apps: ReadonlyMap<AppId, WantedApp | undefined>;
  readonly groups?: ReadonlyMap<AppId, GroupRecord | undefined>;
  readonly force: boolean;
  readonly toKill?: readonly InstanceId[];
  readonly reverts?: string;
}

export interface WantedApp {
  readonly spec: AppSpec;
  /** Every instance is to be replaced, changed or not. */
  readonly restart?: boolean;
  /** A former definition comes back: instances from then need no restart. */
  readonly configVersion?: Version;
}

export interface DeploymentRef {
  readonly deploymentId: string;
  readonly version: Version;
}

export function changeRoot(draft: Draft, change: RootChange): DeploymentRef {
  unlock(draft, change);
  if (draft.state.deployments.size >= draft.state.settings.maxRunningDeployments) {
    throw tooManyDeployments(draft.state.settings.maxRunningDeployments);
  }
  const version = draft.nextVersion();
  const changes = [...change.apps].flatMap(([id, wanted]) => changeOf(draft, id, wanted, version));
  for (const [id, group] of change.groups ?? []) draft.putGroup(id, group);
  for (const one of changes) applyChange(draft, one);
  if (hasCycle(draft.state, changes)) {
    throw invalidObject([violation("/", "Dependency graph has cyclic dependencies.")]);
  }
  const deployment = newDeployment(draft, change, changes, version);
  if (deployment.steps.length > 0) draft.putDeployment(deployment);
  else forgetRemovedVersions(draft, deployment.changes);
  draft.tell("deployment_info", {
    ...deploymentInfoJson(draft.state, deployment),
    currentStep: stepJson(deployment.steps[0] ?? []),
  });
  return { deploymentId: deployment.id, version };
}

function newDeployment(
  draft: Draft,
  change: RootChange,
  changes: readonly AppChange[],
  version: Version,
): Deployment {
  return {
    id: draft.uuid(),
    version,
    changes: changes.map(({ id, from, to }) => ({
      app: id,
      ...(from === undefined ? {} : { from: from.version }),
      ...(to === undefined ? {} : { to: to.version }),
    })),
    steps: planSteps(changes, draft.state.groups),
    currentStep: 0,
    ...(change.toKill === undefined ? {} : { toKill: change.toKill }),
    ...(change.reverts === undefined ? {} : { reverts: change.reverts }),
  };
}

/** An app that a deployment has in hand is locked; force ends that deployment. */
function unlock(draft: Draft, { apps, force }: RootChange): void {
  const blocking = [...draft.state.deployments.values()].filter(({ changes }) =>
    changes.some(({ app }) => apps.has(app)),
  );
  if (blocking.length === 0) return;
  if (!force) throw locked(blocking.map(({ id }) => id));
  for (const deployment of blocking) cancelDeployment(draft, deployment);
}

/** Nothing for an app that stays as it is. */
function changeOf(
  draft: Draft,
  id: AppId,
  wanted: WantedApp | undefined,
  version: Version,
): readonly AppChange[] {
  const from = draft.state.apps.get(id);
  if (wanted === undefined) return from === undefined ? [] : [{ id, from, to: undefined }];
  const used = usedPorts(draft.state, id);
  const spec = assignServicePorts(wanted.spec, from, used, draft.state.settings);
  const conflict = conflictingServicePort(spec, draft.state.apps);
  if (conflict !== undefined) {
    const sentence = `Requested service port ${conflict.port} conflicts with a service port in app ${conflict.id}`;
    throw invalidObject([violation("/portDefinitions", sentence)]);
  }
  const to = stamped(spec, from, wanted, version);
  if (from !== undefined && isUnchanged(from, to)) return [];
  // Later changes of the same request see this one's ports.
  draft.set("apps", id, to);
  const hasLeftovers =
    from === undefined && [...instancesOf(draft.state, id).values()].some((instance) => isToLive(instance));
  return [{ id, from, to, hasLeftovers }];
}

const isUnchanged = (from: AppDefinition, to: AppDefinition): boolean => {
  const fields = ({ version: _version, ...rest }: AppDefinition): string =>
    JSON.stringify(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1)));
  return fields(from) === fields(to);
};

function stamped(
  spec: AppSpec,
  from: AppDefinition | undefined,
  { restart, configVersion }: WantedApp,
  version: Version,
): AppDefinition {
  if (from === undefined) {
    return { ...spec, version, lastScalingAt: version, lastConfigChangeAt: configVersion ?? version };
  }
  const changed = restart === true || needsRestart(from, spec);
  return {
    ...spec,
    version,
    lastScalingAt: from.instances === spec.instances ? from.lastScalingAt : version,
    lastConfigChangeAt: configVersion ?? (changed ? version : from.lastConfigChangeAt),
  };
}

function usedPorts(state: MarathonState, except: AppId): ReadonlySet<number> {
  const used = new Set<number>();
  for (const app of state.apps.values()) {
    if (app.id === except) continue;
    for (const { servicePort } of portsOf(app)) used.add(servicePort);
  }
  return used;
}

function applyChange(draft: Draft, { id, to }: AppChange): void {
  draft.dirty.add(id);
  draft.set("apps", id, to);
  draft.writes.push({ kind: "app", id, version: to?.version });
  if (to === undefined) {
    draft.tell("app_terminated_event", { appId: id });
    return;
  }
  draft.writes.push({ kind: "version", id, version: to.version, value: to });
  draft.set("versions", id, pruned(draft, id, [...(draft.state.versions.get(id) ?? []), to]));
}

/** Keeps the newest, and all that instances or deployments still name. */
function pruned(draft: Draft, id: AppId, all: readonly AppDefinition[]): readonly AppDefinition[] {
  const surplus = all.length - draft.state.settings.maxVersions;
  if (surplus <= 0) return all;
  const needed = new Set<Version | undefined>();
  for (const { version } of instancesOf(draft.state, id).values()) needed.add(version);
  for (const { changes } of draft.state.deployments.values()) {
    for (const { app, from, to } of changes) if (app === id) needed.add(from).add(to);
  }
  const dropped = new Set(all.slice(0, surplus).filter(({ version }) => !needed.has(version)));
  for (const { version } of dropped) draft.writes.push({ kind: "version", id, version, value: undefined });
  return all.filter((definition) => !dropped.has(definition));
}

/** Commands on apps, tasks, deployments and the queue. Throws ApiError for what cannot be; nothing is changed then. */
import { appExists, invalidObject, message, unknownApp } from "../model/api-error.ts";
import type { AppDefinition, AppId, AppSpec } from "../model/app.ts";
import { type AppUpdate, applyUpdate } from "../model/app-update.ts";
import { appOfInstance, type Instance, isToLive } from "../model/instance.ts";
import { absoluteId, isWithin, parentOf } from "../model/path-id.ts";
import { validateApp, violation } from "../model/validate-app.ts";
import { resetBackoff } from "./backoff.ts";
import { changeRoot, type WantedApp } from "./change-root.ts";
import type { Command, CommandResult } from "./command.ts";
import { cancelDeployment } from "./deployments.ts";
import type { Draft } from "./draft.ts";
import { changeGroup, deleteGroup, enforceRole } from "./handle-group.ts";
import { stopInstance } from "./kill.ts";
import { definitionOf, instanceById } from "./state.ts";

type CommandOf<Kind extends Command["kind"]> = Extract<Command, { kind: Kind }>;

export function handleCommand(draft: Draft, command: Command): CommandResult {
  switch (command.kind) {
    case "createApp":
      return createApp(draft, command);
    case "updateApps":
      return updateApps(draft, command);
    case "deleteApp":
      existing(draft, command.id);
      return changeRoot(draft, { apps: new Map([[command.id, undefined]]), force: command.force });
    case "restartApp": {
      const wanted = { spec: existing(draft, command.id), restart: true };
      return changeRoot(draft, { apps: new Map([[command.id, wanted]]), force: command.force });
    }
    case "killTasks":
      return killTasks(draft, command);
    case "changeGroup":
      return changeGroup(draft, command);
    case "deleteGroup":
      return deleteGroup(draft, command);
    case "enforceRole":
      return enforceRole(draft, command);
    case "revertDeployment":
      return revertDeployment(draft, command);
    case "resetDelay":
      resetBackoff(draft, existing(draft, command.id).id);
      draft.dirty.add(command.id);
      return {};
  }
}

function existing(draft: Draft, id: AppId): AppDefinition {
  const app = draft.state.apps.get(id);
  if (app === undefined) throw unknownApp(id);
  return app;
}

function createApp(draft: Draft, { update, force }: CommandOf<"createApp">): CommandResult {
  const id = absoluteId(update.id ?? "");
  if (draft.state.apps.has(id)) throw appExists(id);
  const spec = newSpec(draft, id, update);
  return { ...changeRoot(draft, { apps: new Map([[id, { spec }]]), force }), created: true };
}

function newSpec(draft: Draft, id: AppId, update: AppUpdate): AppSpec {
  const { version: _ignored, ...said } = update;
  return checked(draft, withAbsoluteDependencies(applyUpdate(id, undefined, said)));
}

const withAbsoluteDependencies = (spec: AppSpec): AppSpec => ({
  ...spec,
  dependencies: spec.dependencies.map((id) => absoluteId(id, parentOf(spec.id))),
});

export function checked(draft: Draft, spec: AppSpec): AppSpec {
  validateApp(spec);
  const below = [...draft.state.apps.keys()].find((id) => id !== spec.id && isWithin(id, spec.id));
  const isGroup = below !== undefined || draft.state.groups.has(spec.id);
  const above = [...draft.state.apps.keys()].find((id) => id !== spec.id && isWithin(spec.id, id));
  if (isGroup)
    throw invalidObject([
      violation("/id", `Groups and Applications may not have the same identifier: ${spec.id}`),
    ]);
  if (above !== undefined) {
    throw invalidObject([
      violation("/id", `Groups and Applications may not have the same identifier: ${above}`),
    ]);
  }
  return spec;
}

function updateApps(draft: Draft, command: CommandOf<"updateApps">): CommandResult {
  const apps = new Map<AppId, WantedApp>();
  let created = false;
  for (const { id, update } of command.updates) {
    const base = draft.state.apps.get(id);
    if (base === undefined) {
      if (!command.create || update.version !== undefined) throw unknownApp(id);
      created = true;
      apps.set(id, { spec: newSpec(draft, id, update) });
    } else {
      apps.set(id, updated(draft, base, update, command.partial));
    }
  }
  return { ...changeRoot(draft, { apps, force: command.force }), created };
}

/** An existing app after an update; `{"version": …}` alone brings back an older definition. */
export function updated(draft: Draft, base: AppDefinition, update: AppUpdate, partial: boolean): WantedApp {
  if (update.version !== undefined) {
    const old = definitionOf(draft.state, base.id, update.version);
    if (old === undefined) throw unknownApp(base.id, update.version);
    return { spec: checked(draft, old), configVersion: old.lastConfigChangeAt };
  }
  const spec = applyUpdate(base.id, partial ? base : undefined, update);
  return { spec: checked(draft, withAbsoluteDependencies(spec)) };
}

function killTasks(draft: Draft, command: CommandOf<"killTasks">): CommandResult {
  const instances = command.ids.flatMap((id) => instanceById(draft.state, appOfInstance(id), id) ?? []);
  if (!command.scale) {
    for (const instance of instances) {
      stopInstance(draft, instance);
      if (command.wipe) draft.removeInstance(instance);
    }
    return { killed: instances };
  }
  const living = instances.filter((instance) => isToLive(instance));
  const apps = new Map<AppId, WantedApp>();
  for (const [id, count] of countByApp(living)) {
    const app = existing(draft, id);
    apps.set(id, { spec: { ...app, instances: Math.max(0, app.instances - count) } });
  }
  const reply = changeRoot(draft, { apps, force: command.force, toKill: living.map(({ id }) => id) });
  for (const instance of living) stopInstance(draft, instance);
  return { ...reply, killed: instances };
}

function countByApp(instances: readonly Instance[]): ReadonlyMap<AppId, number> {
  const counts = new Map<AppId, number>();
  for (const { appId } of instances) counts.set(appId, (counts.get(appId) ?? 0) + 1);
  return counts;
}

/** Takes a deployment back by a new one, or only stops following it. */
function revertDeployment(draft: Draft, { id, cancelOnly }: CommandOf<"revertDeployment">): CommandResult {
  const deployment = draft.state.deployments.get(id);
  if (deployment === undefined) throw message(404, `Deployment ${id} does not exist`);
  if (cancelOnly) {
    cancelDeployment(draft, deployment);
    return {};
  }
  const apps = new Map<AppId, WantedApp | undefined>();
  for (const { app, from } of deployment.changes) {
    const before = definitionOf(draft.state, app, from);
    apps.set(
      app,
      before === undefined ? undefined : { spec: before, configVersion: before.lastConfigChangeAt },
    );
  }
  return changeRoot(draft, { apps, force: true, reverts: id });
}

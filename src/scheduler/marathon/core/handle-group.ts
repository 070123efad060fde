/** Commands on groups: a group is changed with everything below it, in one deployment. */
import { invalidObject, message, unknownGroup } from "../model/api-error.ts";
import type { AppId } from "../model/app.ts";
import { type AppUpdate, applyUpdate } from "../model/app-update.ts";
import type { GroupUpdate } from "../model/group.ts";
import { absoluteId, idErrors, isWithin, parentOf, root } from "../model/path-id.ts";
import { validateApp, violation } from "../model/validate-app.ts";
import { changeRoot, type WantedApp } from "./change-root.ts";
import type { Command, CommandResult } from "./command.ts";
import { planSteps } from "./deployments.ts";
import type { Draft } from "./draft.ts";
import type { GroupRecord, MarathonState } from "./state.ts";

type CommandOf<Kind extends Command["kind"]> = Extract<Command, { kind: Kind }>;

interface Wanted {
  readonly apps: Map<AppId, WantedApp | undefined>;
  readonly groups: Map<AppId, GroupRecord | undefined>;
}

export const groupExists = (state: MarathonState, id: AppId): boolean =>
  id === root ||
  state.groups.has(id) ||
  [...state.apps.keys()].some((app) => app !== id && isWithin(app, id));

const appsWithin = (state: MarathonState, id: AppId): readonly AppId[] =>
  [...state.apps.keys()].filter((app) => isWithin(app, id));

export function changeGroup(draft: Draft, command: CommandOf<"changeGroup">): CommandResult {
  const { state } = draft;
  const id = command.id;
  const existed = groupExists(state, id) && id !== root;
  if (command.create && existed)
    throw message(409, `Group ${id} is already created. Use PUT to change this group.`);
  if (state.apps.has(id)) {
    throw invalidObject([
      violation("/id", `Groups and Applications may not have the same identifier: ${id}`),
    ]);
  }
  const wanted: Wanted = { apps: new Map(), groups: new Map() };
  if (command.update.scaleBy !== undefined) scale(state, id, command.update.scaleBy, wanted);
  else if (command.update.version !== undefined) rollBack(state, id, command.update.version, wanted);
  else replace(draft, id, command.update, wanted);
  if (command.dryRun) return { steps: dryRun(state, wanted) };
  const reply = changeRoot(draft, { ...wanted, force: command.force });
  return { ...reply, created: !existed };
}

function dryRun(state: MarathonState, { apps, groups }: Wanted) {
  const changes = [...apps].map(([id, app]) => {
    const from = state.apps.get(id);
    const version = "dry-run";
    const stamps = { version, lastScalingAt: version, lastConfigChangeAt: version };
    const to = app === undefined ? undefined : { ...app.spec, ...stamps };
    return { id, from, to };
  });
  const merged = new Map(state.groups);
  for (const [id, group] of groups) if (group !== undefined) merged.set(id, group);
  return planSteps(changes, merged);
}

function scale(state: MarathonState, id: AppId, factor: number, { apps }: Wanted): void {
  if (factor < 0) throw invalidObject([violation("/scaleBy", `got ${factor}, expected 0 or more`)]);
  if (!groupExists(state, id)) throw unknownGroup(id);
  for (const appId of appsWithin(state, id)) {
    const app = state.apps.get(appId);
    if (app !== undefined) {
      const spec = { ...app, instances: Math.ceil(app.instances * factor) };
      validateApp(spec);
      apps.set(appId, { spec });
    }
  }
}

/** Every app of the group as it was at that time; apps that came later go. */
function rollBack(state: MarathonState, id: AppId, version: string, { apps }: Wanted): void {
  const ids = new Set([
    ...appsWithin(state, id),
    ...[...state.versions.keys()].filter((app) => isWithin(app, id)),
  ]);
  let found = false;
  for (const appId of ids) {
    const then = state.versions.get(appId)?.findLast((definition) => definition.version <= version);
    found ||= then !== undefined;
    if (then === undefined && state.apps.has(appId)) apps.set(appId, undefined);
    if (then !== undefined) apps.set(appId, { spec: then, configVersion: then.lastConfigChangeAt });
  }
  if (!found) throw unknownGroup(id, version);
}

/** What is said is what is there afterwards: apps below the group that are not named go. */
function replace(draft: Draft, id: AppId, update: GroupUpdate, wanted: Wanted): void {
  if (id !== root) {
    const errors = idErrors(id);
    if (errors.length > 0) throw invalidObject(errors.map((error) => violation("/id", error)));
  }
  const kept = new Set<AppId>();
  collect(draft, id, update, { wanted, kept });
  const hasApps = update.apps !== undefined || update.groups !== undefined;
  if (!hasApps) return;
  for (const appId of appsWithin(draft.state, id)) {
    const isOurs = update.groups !== undefined || parentOf(appId) === id;
    if (!kept.has(appId) && isOurs) wanted.apps.set(appId, undefined);
  }
}

function collect(
  draft: Draft,
  id: AppId,
  update: GroupUpdate,
  into: { readonly wanted: Wanted; readonly kept: Set<AppId> },
): void {
  const before = draft.state.groups.get(id);
  into.wanted.groups.set(id, {
    id,
    dependencies: (update.dependencies ?? before?.dependencies ?? []).map((dependency) =>
      absoluteId(dependency, parentOf(id)),
    ),
    version: new Date(draft.now).toISOString(),
    ...(update.enforceRole === undefined ? {} : { enforceRole: update.enforceRole }),
  });
  for (const app of update.apps ?? []) collectApp(id, app, into);
  for (const group of update.groups ?? []) collect(draft, absoluteId(group.id ?? "", id), group, into);
}

function collectApp(
  group: AppId,
  { version: _ignored, ...update }: AppUpdate,
  { wanted, kept }: { readonly wanted: Wanted; readonly kept: Set<AppId> },
): void {
  const id = absoluteId(update.id ?? "", group);
  if (!isWithin(id, group)) {
    throw invalidObject([violation("/apps", `identifier ${id} is not child of '${group}'`)]);
  }
  if (kept.has(id)) throw invalidObject([violation("/apps", `identifier ${id} is not unique`)]);
  const spec = applyUpdate(id, undefined, update);
  const dependencies = spec.dependencies.map((dependency) => absoluteId(dependency, parentOf(id)));
  validateApp(spec);
  kept.add(id);
  wanted.apps.set(id, { spec: { ...spec, dependencies } });
}

export function deleteGroup(draft: Draft, { id, force }: CommandOf<"deleteGroup">): CommandResult {
  if (!groupExists(draft.state, id)) throw unknownGroup(id);
  const apps = new Map(appsWithin(draft.state, id).map((app) => [app, undefined]));
  const groups = new Map(
    [...draft.state.groups.keys()].filter((group) => isWithin(group, id)).map((group) => [group, undefined]),
  );
  return changeRoot(draft, { apps, groups, force });
}

export function enforceRole(
  draft: Draft,
  { id, enforceRole: value }: CommandOf<"enforceRole">,
): CommandResult {
  if (!groupExists(draft.state, id)) throw unknownGroup(id);
  const before = draft.state.groups.get(id);
  draft.putGroup(id, {
    id,
    dependencies: before?.dependencies ?? [],
    version: new Date(draft.now).toISOString(),
    enforceRole: value,
  });
  return {};
}

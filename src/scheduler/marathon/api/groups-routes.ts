/** /v2/groups */
import type { JsonObject } from "../../../base/json.ts";
import type { Route } from "../../http/http-server.ts";
import type { HttpRequest } from "../../http/request.ts";
import { emptyResponse, type HttpResponse, jsonResponse } from "../../http/response.ts";
import { stepJson } from "../core/deployment-json.ts";
import { groupExists } from "../core/handle-group.ts";
import type { MarathonState } from "../core/state.ts";
import { invalidJson, unknownGroup } from "../model/api-error.ts";
import type { AppId } from "../model/app.ts";
import { parseGroupUpdate } from "../model/group.ts";
import { absoluteId, ancestorsOf, isWithin, parentOf, root } from "../model/path-id.ts";
import { type ApiContext, bodyOf, deploymentResponse, force } from "./api-context.ts";
import { appInfo, type Embed, embedsOf } from "./app-info.ts";

export function groupsRoutes(context: ApiContext): readonly Route[] {
  const both = (method: string, tail: string, handle: Route["handle"]): readonly Route[] => [
    { method, path: `/v2/groups/*id${tail}`, handle },
    { method, path: `/v2/groups${tail}`, handle },
  ];
  return [
    ...both("GET", "/versions/:version", (request) => showVersion(context, request)),
    ...both("GET", "/versions", (request) => listVersions(context, request)),
    ...both("GET", "/apps", (request) => listApps(context, request)),
    ...both("GET", "", (request) => showGroup(context, request)),
    ...both("POST", "", (request) => change(context, request, true)),
    ...both("PUT", "", (request) => change(context, request, false)),
    ...both("PATCH", "", (request) => enforceRole(context, request)),
    ...both("DELETE", "", (request) => deleteGroup(context, request)),
  ];
}

const idOf = (request: HttpRequest): AppId => absoluteId(request.params.id ?? "");

function existing({ state }: ApiContext, request: HttpRequest): AppId {
  const id = idOf(request);
  if (!groupExists(state(), id)) throw unknownGroup(id);
  return id;
}

function showGroup(context: ApiContext, request: HttpRequest): HttpResponse {
  const embed = request.query.all("embed");
  const wants = (name: string): boolean => embed.length === 0 || embed.some((item) => item.startsWith(name));
  const view: GroupView = {
    state: context.state(),
    embeds: embedsOf(embed),
    apps: wants("group.apps") || wants("group.groups.apps"),
    groups: wants("group.groups"),
  };
  return jsonResponse(200, groupJson(view, existing(context, request)));
}

interface GroupView {
  readonly state: MarathonState;
  readonly embeds: ReadonlySet<Embed>;
  readonly apps: boolean;
  readonly groups: boolean;
}

function groupJson(view: GroupView, id: AppId): JsonObject {
  const { state } = view;
  const record = state.groups.get(id);
  const apps = [...state.apps.values()].filter((app) => parentOf(app.id) === id);
  const versions = [...state.apps.values()]
    .filter((app) => isWithin(app.id, id))
    .map(({ version }) => version);
  return {
    id,
    apps: view.apps ? apps.map((app) => appInfo(state, app, view.embeds)) : [],
    pods: [],
    groups: view.groups ? childrenOf(state, id).map((child) => groupJson(view, child)) : [],
    dependencies: record?.dependencies ?? [],
    version:
      [record?.version ?? "", ...versions].reduce((a, b) => (a > b ? a : b)) || new Date(0).toISOString(),
    enforceRole: record?.enforceRole ?? false,
  };
}

/** Groups right below this one: those that were made, and those that apps live in. */
function childrenOf(state: MarathonState, id: AppId): readonly AppId[] {
  const groups = new Set<AppId>();
  for (const group of state.groups.keys()) if (group !== root) groups.add(group);
  for (const app of state.apps.keys()) for (const ancestor of ancestorsOf(app)) groups.add(ancestor);
  for (const group of [...groups]) for (const ancestor of ancestorsOf(group)) groups.add(ancestor);
  return [...groups].filter((group) => group !== id && parentOf(group) === id).sort();
}

function listApps(context: ApiContext, request: HttpRequest): HttpResponse {
  const id = existing(context, request);
  const state = context.state();
  const embeds = embedsOf(request.query.all("embed"));
  const apps = [...state.apps.values()].filter((app) => isWithin(app.id, id));
  return jsonResponse(
    200,
    apps.map((app) => appInfo(state, app, embeds)),
  );
}

function versionsOf(state: MarathonState, id: AppId): readonly string[] {
  const found = new Set<string>();
  for (const [app, definitions] of state.versions) {
    if (isWithin(app, id)) for (const { version } of definitions) found.add(version);
  }
  return [...found].sort().reverse();
}

function listVersions(context: ApiContext, request: HttpRequest): HttpResponse {
  return jsonResponse(200, versionsOf(context.state(), existing(context, request)));
}

/** The group as it was: each app's last definition up to that time. */
function showVersion(context: ApiContext, request: HttpRequest): HttpResponse {
  const id = existing(context, request);
  const version = request.params.version ?? "";
  const state = context.state();
  if (!versionsOf(state, id).includes(version)) throw unknownGroup(id, version);
  const apps = new Map(
    [...state.versions].flatMap(([app, definitions]) => {
      const then = definitions.findLast((definition) => definition.version <= version);
      return then === undefined ? [] : [[app, then] as const];
    }),
  );
  const view = { state: { ...state, apps }, embeds: new Set<Embed>(), apps: true, groups: true };
  return jsonResponse(200, { ...groupJson(view, id), version });
}

async function change(context: ApiContext, request: HttpRequest, create: boolean): Promise<HttpResponse> {
  const update = parseGroupUpdate(await bodyOf(request));
  const base = idOf(request);
  const id = update.id === undefined ? base : absoluteId(update.id, create ? base : parentOf(base));
  if (create && update.id === undefined && base === root) {
    throw invalidJson([{ path: "/id", errors: ["error.path.missing"] }]);
  }
  const dryRun = request.query.flag("dryRun", false);
  const result = await context.run({
    kind: "changeGroup",
    id: create || base === root ? id : base,
    update,
    create,
    force: force(request),
    dryRun,
  });
  if (result.steps !== undefined) return jsonResponse(200, { steps: result.steps.map(stepJson) });
  return create ? deploymentResponse(result, 201, id) : deploymentResponse(result);
}

async function enforceRole(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const update = parseGroupUpdate(await bodyOf(request));
  if (update.enforceRole === undefined) {
    throw invalidJson([{ path: "/enforceRole", errors: ["error.path.missing"] }]);
  }
  await context.run({ kind: "enforceRole", id: idOf(request), enforceRole: update.enforceRole });
  return emptyResponse(200);
}

async function deleteGroup(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const command = { kind: "deleteGroup", id: existing(context, request), force: force(request) } as const;
  return deploymentResponse(await context.run(command));
}

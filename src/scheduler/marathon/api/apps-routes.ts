/** /v2/apps */
import type { JsonValue } from "../../../base/json.ts";
import type { Route } from "../../http/http-server.ts";
import type { HttpRequest } from "../../http/request.ts";
import { type HttpResponse, jsonResponse, textResponse } from "../../http/response.ts";
import { definitionOf, instancesOf, type MarathonState } from "../core/state.ts";
import { invalidJson, message, unknownApp, unknownTask } from "../model/api-error.ts";
import type { AppDefinition, AppId } from "../model/app.ts";
import { appJson } from "../model/app-json.ts";
import type { AppUpdate } from "../model/app-update.ts";
import type { Instance } from "../model/instance.ts";
import { parseAppUpdate } from "../model/parse-app.ts";
import { absoluteId, isWithin } from "../model/path-id.ts";
import { type ApiContext, bodyOf, deploymentResponse, force } from "./api-context.ts";
import { appInfo, embedsOf, tasksOf } from "./app-info.ts";
import { parseLabelSelector } from "./label-selector.ts";
import { endpointLines, taskJson } from "./task-json.ts";

export function appsRoutes(context: ApiContext): readonly Route[] {
  const route = (
    method: string,
    path: string,
    handle: (context: ApiContext, request: HttpRequest) => HttpResponse | Promise<HttpResponse>,
  ): Route => ({ method, path, handle: (request) => handle(context, request) });
  return [
    route("GET", "/v2/apps", listApps),
    route("POST", "/v2/apps", createApp),
    route("PUT", "/v2/apps", (c, r) => updateMany(c, r, true)),
    route("PATCH", "/v2/apps", (c, r) => updateMany(c, r, false)),
    route("POST", "/v2/apps/*id/restart", restartApp),
    route("GET", "/v2/apps/*id/tasks", listTasks),
    route("DELETE", "/v2/apps/*id/tasks/:task", killOne),
    route("DELETE", "/v2/apps/*id/tasks", killMany),
    route("GET", "/v2/apps/*id/versions/:version", showVersion),
    route("GET", "/v2/apps/*id/versions", listVersions),
    route("GET", "/v2/apps/*id", showApp),
    route("PUT", "/v2/apps/*id", (c, r) => updateOne(c, r, true)),
    route("PATCH", "/v2/apps/*id", (c, r) => updateOne(c, r, false)),
    route("DELETE", "/v2/apps/*id", deleteApp),
  ];
}

const idOf = (request: HttpRequest): AppId => absoluteId(request.params.id ?? "");

function existing(state: MarathonState, id: AppId): AppDefinition {
  const app = state.apps.get(id);
  if (app === undefined) throw unknownApp(id);
  return app;
}

/** The apps of "/group/*" or the one app. */
function appsAt(state: MarathonState, request: HttpRequest): readonly AppDefinition[] {
  const id = idOf(request);
  if (!id.endsWith("/*")) return [existing(state, id)];
  const group = id.slice(0, -2) || "/";
  return [...state.apps.values()].filter((app) => isWithin(app.id, group));
}

function listApps({ state }: ApiContext, { query }: HttpRequest): HttpResponse {
  const now = state();
  const [cmd, id, label] = [query.get("cmd"), query.get("id"), query.get("label")];
  const matches = label === undefined ? () => true : parseLabelSelector(label);
  const embeds = embedsOf(query.all("embed"));
  const apps = [...now.apps.values()].filter(
    (app) =>
      (cmd === undefined || contains(app.cmd ?? "", cmd)) &&
      (id === undefined || contains(app.id, id)) &&
      matches(app.labels),
  );
  return jsonResponse(200, { apps: apps.map((app) => appInfo(now, app, embeds)) });
}

const contains = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());

async function createApp(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const update = parseAppUpdate(withoutVersion(await bodyOf(request)));
  if (update.id === undefined) throw invalidJson([{ path: "/id", errors: ["error.path.missing"] }]);
  const result = await context.run({ kind: "createApp", update, force: force(request) });
  const id = absoluteId(update.id);
  const app = existing(context.state(), id);
  tellPost(context, request, app);
  const body = {
    ...appInfo(context.state(), app, new Set()),
    tasksStaged: 0,
    tasksRunning: 0,
    tasksHealthy: 0,
    tasksUnhealthy: 0,
    deployments: [{ id: result.deploymentId }],
    tasks: [],
  };
  return jsonResponse(201, body, {
    Location: id,
    "Marathon-Deployment-Id": result.deploymentId ?? "",
  });
}

/** A new app may name the version that it was copied with. */
function withoutVersion(body: JsonValue): JsonValue {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  return Object.fromEntries(Object.entries(body).filter(([key]) => key !== "version")) as JsonValue;
}

function tellPost({ hub, now }: ApiContext, request: HttpRequest, app: AppDefinition): void {
  hub.publish({
    eventType: "api_post_event",
    timestamp: new Date(now()).toISOString(),
    clientIp: request.remoteAddress,
    uri: request.path,
    appDefinition: appJson(app),
  });
}

async function updateOne(context: ApiContext, request: HttpRequest, create: boolean): Promise<HttpResponse> {
  const id = idOf(request);
  const update = parseAppUpdate(await bodyOf(request));
  if (id.endsWith("/*")) return await updateGroupApps(context, request, update);
  if (update.id !== undefined && absoluteId(update.id) !== id) {
    throw message(400, `The id '${update.id}' in the body is not the one in the path, '${id}'`);
  }
  const result = await context.run({
    kind: "updateApps",
    updates: [{ id, update }],
    partial: !create || request.query.flag("partialUpdate", true),
    create,
    force: force(request),
  });
  tellPost(context, request, existing(context.state(), id));
  return deploymentResponse(
    result,
    result.created === true ? 201 : 200,
    result.created === true ? id : undefined,
  );
}

async function updateGroupApps(
  context: ApiContext,
  request: HttpRequest,
  update: AppUpdate,
): Promise<HttpResponse> {
  const updates = appsAt(context.state(), request).map(({ id }) => ({ id, update }));
  const result = await context.run({
    kind: "updateApps",
    updates,
    partial: true,
    create: false,
    force: force(request),
  });
  return deploymentResponse(result);
}

async function updateMany(context: ApiContext, request: HttpRequest, create: boolean): Promise<HttpResponse> {
  const body = await bodyOf(request);
  if (!Array.isArray(body)) throw invalidJson([{ path: "/", errors: ["error.expected.jsarray"] }]);
  const updates = (body as readonly JsonValue[]).map((item, index) => {
    const update = parseAppUpdate(item);
    if (update.id === undefined) {
      throw invalidJson([{ path: `(${index})/id`, errors: ["error.path.missing"] }]);
    }
    return { id: absoluteId(update.id), update };
  });
  const partial = !create || request.query.flag("partialUpdate", true);
  return deploymentResponse(
    await context.run({ kind: "updateApps", updates, partial, create, force: force(request) }),
  );
}

function showApp({ state }: ApiContext, request: HttpRequest): HttpResponse {
  const now = state();
  const embeds = embedsOf(["app.tasks", "app.lastTaskFailure", ...request.query.all("embed")]);
  const infos = appsAt(now, request).map((app) => appInfo(now, app, embeds));
  return jsonResponse(200, idOf(request).endsWith("/*") ? { "*": infos } : { app: infos[0] });
}

async function deleteApp(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const command = { kind: "deleteApp", id: idOf(request), force: force(request, true) } as const;
  return deploymentResponse(await context.run(command));
}

async function restartApp(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const command = { kind: "restartApp", id: idOf(request), force: force(request) } as const;
  return deploymentResponse(await context.run(command));
}

function listVersions({ state }: ApiContext, request: HttpRequest): HttpResponse {
  const id = existing(state(), idOf(request)).id;
  const versions = (state().versions.get(id) ?? []).map(({ version }) => version);
  return jsonResponse(200, { versions: versions.toReversed() });
}

function showVersion({ state }: ApiContext, request: HttpRequest): HttpResponse {
  const id = existing(state(), idOf(request)).id;
  const version = request.params.version ?? "";
  const definition = definitionOf(state(), id, version);
  if (definition === undefined) throw unknownApp(id, version);
  return jsonResponse(200, appJson(definition));
}

export const wantsText = (request: HttpRequest): boolean => {
  const accept = request.header("accept") ?? "";
  return accept.includes("text/plain") && !accept.includes("application/json");
};

function listTasks({ state }: ApiContext, request: HttpRequest): HttpResponse {
  const now = state();
  const apps = appsAt(now, request);
  if (wantsText(request)) return textResponse(200, endpointLines(now, apps));
  return jsonResponse(200, { tasks: apps.flatMap(({ id }) => tasksOf(now, id)) });
}

async function killMany(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const host = request.query.get("host");
  const all = appsAt(context.state(), request).flatMap(({ id }) => [
    ...instancesOf(context.state(), id).values(),
  ]);
  const chosen = all.filter((instance) => host === undefined || instance.host === host);
  return await kill(context, request, chosen, (tasks) => ({ tasks }));
}

async function killOne(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const app = existing(context.state(), idOf(request));
  const task = request.params.task ?? "";
  const instance = instancesOf(context.state(), app.id).get(task);
  if (instance === undefined) throw unknownTask(task);
  return await kill(context, request, [instance], ([first]) => ({ task: first }));
}

export async function kill(
  context: ApiContext,
  request: HttpRequest,
  instances: readonly Instance[],
  body: (tasks: readonly unknown[]) => unknown,
): Promise<HttpResponse> {
  const scale = request.query.flag("scale", false);
  const wipe = request.query.flag("wipe", false);
  if (scale && wipe) throw message(400, "You cannot use scale and wipe at the same time.");
  const tasks = instances.map((instance) => taskJson(context.state(), instance));
  const ids = instances.map(({ id }) => id);
  const result = await context.run({ kind: "killTasks", ids, scale, wipe, force: force(request) });
  return scale ? deploymentResponse(result) : jsonResponse(200, body(tasks));
}

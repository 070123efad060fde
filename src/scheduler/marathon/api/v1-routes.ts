/** What is left of the first interface, for scripts that still speak it. */
import { isJsonObject } from "../../../base/json.ts";
import type { Route } from "../../http/http-server.ts";
import type { HttpRequest } from "../../http/request.ts";
import { emptyResponse, type HttpResponse, jsonResponse, textResponse } from "../../http/response.ts";
import { instancesOf, type MarathonState } from "../core/state.ts";
import { invalidJson, message, unknownApp } from "../model/api-error.ts";
import { type AppDefinition, portsOf } from "../model/app.ts";
import { appJson } from "../model/app-json.ts";
import { parseAppUpdate } from "../model/parse-app.ts";
import { absoluteId, safeId } from "../model/path-id.ts";
import { type ApiContext, bodyOf } from "./api-context.ts";
import { tasksOf } from "./app-info.ts";
import { runningOf, taskJson } from "./task-json.ts";

export const v1Routes = (context: ApiContext): readonly Route[] => [
  {
    method: "GET",
    path: "/v1/apps",
    handle: () => jsonResponse(200, [...context.state().apps.values()].map(appJson)),
  },
  { method: "POST", path: "/v1/apps/start", handle: (request) => start(context, request) },
  { method: "POST", path: "/v1/apps/stop", handle: (request) => stop(context, request) },
  { method: "POST", path: "/v1/apps/scale", handle: (request) => scale(context, request) },
  { method: "GET", path: "/v1/apps/search", handle: (request) => search(context, request) },
  { method: "GET", path: "/v1/apps/*id/tasks", handle: (request) => appTasks(context, request) },
  { method: "GET", path: "/v1/tasks", handle: () => allTasks(context) },
  { method: "POST", path: "/v1/tasks/kill", handle: (request) => killTasks(context, request) },
  { method: "GET", path: "/v1/debug/isLeader", handle: () => jsonResponse(200, context.isLeader()) },
  { method: "GET", path: "/v1/debug/leaderUrl", handle: () => textResponse(200, context.leader() ?? "") },
  { method: "GET", path: "/v1/endpoints", handle: (request) => endpoints(context, request) },
  { method: "GET", path: "/v1/endpoints/*id", handle: (request) => endpoints(context, request) },
];

async function idIn(request: HttpRequest): Promise<string> {
  const body = await bodyOf(request);
  const id = isJsonObject(body) ? body.id : undefined;
  if (typeof id !== "string") throw invalidJson([{ path: "/id", errors: ["error.path.missing"] }]);
  return absoluteId(id);
}

async function start(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const update = parseAppUpdate(await bodyOf(request));
  if (update.id === undefined) throw invalidJson([{ path: "/id", errors: ["error.path.missing"] }]);
  await context.run({ kind: "createApp", update, force: false });
  return emptyResponse(204);
}

async function stop(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  await context.run({ kind: "deleteApp", id: await idIn(request), force: true });
  return emptyResponse(204);
}

async function scale(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const { instances } = parseAppUpdate(await bodyOf(request));
  if (instances === undefined) throw invalidJson([{ path: "/instances", errors: ["error.path.missing"] }]);
  const updates = [{ id: await idIn(request), update: { instances } }];
  await context.run({ kind: "updateApps", updates, partial: true, create: false, force: true });
  return emptyResponse(204);
}

function search({ state }: ApiContext, { query }: HttpRequest): HttpResponse {
  const [id = "", cmd = ""] = [query.get("id"), query.get("cmd")];
  const found = [...state().apps.values()].filter(
    (app) => app.id.includes(id) && (app.cmd ?? "").includes(cmd),
  );
  return jsonResponse(200, found.map(appJson));
}

const plainId = (id: string): string => id.slice(1);

function appTasks({ state }: ApiContext, request: HttpRequest): HttpResponse {
  const id = absoluteId(request.params.id ?? "");
  return jsonResponse(200, { [plainId(id)]: tasksOf(state(), id) });
}

function allTasks({ state }: ApiContext): HttpResponse {
  const now = state();
  const entries = [...now.apps.keys()].map((id) => [plainId(id), tasksOf(now, id)] as const);
  return jsonResponse(200, Object.fromEntries(entries));
}

async function killTasks(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const { query } = request;
  const [appId = "", host, id] = [query.get("appId"), query.get("host"), query.get("id")];
  const state = context.state();
  const chosen = [...instancesOf(state, absoluteId(appId)).values()].filter(
    (one) =>
      (host === undefined || host === "*" || one.host === host) &&
      (id === undefined || id === "*" || one.id === id),
  );
  if (chosen.length === 0) throw message(404, "No tasks matched your filters");
  const tasks = chosen.map((instance) => taskJson(state, instance));
  await context.run({
    kind: "killTasks",
    ids: chosen.map((instance) => instance.id),
    scale: query.flag("scale", false),
    wipe: false,
    force: true,
  });
  return jsonResponse(200, tasks);
}

function endpoints({ state }: ApiContext, request: HttpRequest): HttpResponse {
  const now = state();
  const id = request.params.id;
  const only = id === undefined ? undefined : now.apps.get(absoluteId(id));
  if (id !== undefined && only === undefined) throw unknownApp(absoluteId(id));
  const apps = only === undefined ? [...now.apps.values()] : [only];
  if ((request.header("accept") ?? "").includes("application/json")) {
    return jsonResponse(
      200,
      apps.map((app) => endpointJson(now, app)),
    );
  }
  return textResponse(200, apps.map((app) => endpointText(now, app)).join(""));
}

const endpointJson = (state: MarathonState, app: AppDefinition) => ({
  id: plainId(app.id),
  ports: portsOf(app).map(({ servicePort }) => servicePort),
  instances: runningOf(state, app.id).map(({ id, host, hostPorts }) => ({
    id,
    host,
    ports: hostPorts.flatMap((port) => port ?? []),
  })),
});

function endpointText(state: MarathonState, app: AppDefinition): string {
  const name = safeId(app.id);
  const running = runningOf(state, app.id);
  const ports = portsOf(app);
  if (ports.length === 0) return `${name}   ${running.map(({ host }) => `${host} `).join("")}\n`;
  return ports
    .map(({ servicePort }, index) => {
      const places = running.flatMap(({ host, hostPorts }) => {
        const port = hostPorts[index];
        return port === undefined || port === null ? [] : [`${host}:${port} `];
      });
      return `${name}_${servicePort} ${servicePort} ${places.join("")}\n`;
    })
    .join("");
}

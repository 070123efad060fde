/** /v2/tasks, /v2/deployments, /v2/queue, and what tells of this Marathon itself. */
import { isJsonObject } from "../../../base/json.ts";
import type { Route } from "../../http/http-server.ts";
import type { HttpRequest } from "../../http/request.ts";
import {
  emptyResponse,
  type HttpResponse,
  jsonResponse,
  redirectResponse,
  textResponse,
} from "../../http/response.ts";
import { launchableAt } from "../core/backoff.ts";
import { deploymentJson } from "../core/deployment-json.ts";
import { definitionOf, instanceById, type MarathonState, type QueueEntry } from "../core/state.ts";
import { invalidJson, message } from "../model/api-error.ts";
import type { AppDefinition } from "../model/app.ts";
import { appJson } from "../model/app-json.ts";
import { appOfInstance, type Instance, isToLive } from "../model/instance.ts";
import { absoluteId } from "../model/path-id.ts";
import { type ApiContext, bodyOf, deploymentResponse, force } from "./api-context.ts";
import { kill, wantsText } from "./apps-routes.ts";
import { metricsJson, prometheusText } from "./metrics.ts";
import { endpointLines, taskJson } from "./task-json.ts";

export const otherRoutes = (context: ApiContext): readonly Route[] => [
  { method: "GET", path: "/v2/tasks", handle: (request) => listTasks(context, request) },
  { method: "POST", path: "/v2/tasks/delete", handle: (request) => deleteTasks(context, request) },
  { method: "GET", path: "/v2/deployments", handle: () => listDeployments(context) },
  { method: "DELETE", path: "/v2/deployments/:id", handle: (request) => endDeployment(context, request) },
  { method: "GET", path: "/v2/queue", handle: () => jsonResponse(200, { queue: queueJson(context) }) },
  { method: "DELETE", path: "/v2/queue/*id/delay", handle: (request) => resetDelay(context, request) },
  { method: "GET", path: "/v2/info", handle: () => jsonResponse(200, infoJson(context)) },
  { method: "GET", path: "/v2/leader", handle: () => showLeader(context) },
  { method: "DELETE", path: "/v2/leader", handle: () => abdicate(context) },
  { method: "GET", path: "/v2/plugins", handle: () => jsonResponse(200, { plugins: [] }) },
  { method: "GET", path: "/v2/pods", handle: () => jsonResponse(200, []) },
  { method: "GET", path: "/ping", handle: ping },
  { method: "GET", path: "/metrics", handle: () => jsonResponse(200, metricsJson(stateOrNone(context))) },
  {
    method: "GET",
    path: "/metrics/prometheus",
    handle: () => textResponse(200, prometheusText(stateOrNone(context))),
  },
  { method: "GET", path: "/config", handle: () => jsonResponse(200, context.info.marathonConfig) },
  { method: "GET", path: "/", handle: () => redirectResponse(302, "/ui/") },
  { method: "GET", path: "/help", handle: () => redirectResponse(302, "/ui/") },
];

const allInstances = (state: MarathonState): readonly Instance[] =>
  [...state.instances.values()].flatMap((instances) => [...instances.values()]);

function listTasks({ state }: ApiContext, request: HttpRequest): HttpResponse {
  const now = state();
  if (wantsText(request)) return textResponse(200, endpointLines(now, now.apps.values()));
  const statuses = request.query.all("status");
  const tasks = allInstances(now).filter((instance) => {
    const isRunning = instance.condition === "running" && isToLive(instance);
    const isStaging = ["launching", "staging", "starting"].includes(instance.condition);
    return (
      statuses.length === 0 ||
      (statuses.includes("running") && isRunning) ||
      (statuses.includes("staging") && isStaging)
    );
  });
  return jsonResponse(200, { tasks: tasks.map((instance) => taskJson(now, instance)) });
}

async function deleteTasks(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const body = await bodyOf(request);
  const ids = isJsonObject(body) ? body.ids : undefined;
  if (!Array.isArray(ids)) throw invalidJson([{ path: "/ids", errors: ["error.expected.jsarray"] }]);
  const names = ids.filter((id): id is string => typeof id === "string");
  const instances = names.flatMap((id) => instanceById(context.state(), appOfInstance(id), id) ?? []);
  return await kill(context, request, instances, (tasks) => ({ tasks }));
}

const listDeployments = ({ state }: ApiContext): HttpResponse => {
  const now = state();
  return jsonResponse(
    200,
    [...now.deployments.values()].map((deployment) => deploymentJson(now, deployment)),
  );
};

async function endDeployment(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const cancelOnly = force(request);
  const id = request.params.id ?? "";
  const result = await context.run({ kind: "revertDeployment", id, cancelOnly });
  return cancelOnly ? emptyResponse(202) : deploymentResponse(result);
}

function queueJson({ state, now }: ApiContext): readonly unknown[] {
  const current = state();
  return [...current.queue].flatMap(([appId, entry]) => {
    const app = definitionOf(current, appId, entry.version);
    return app === undefined ? [] : [queueEntryJson(current, app, entry, now())];
  });
}

function queueEntryJson(state: MarathonState, app: AppDefinition, entry: QueueEntry, now: number) {
  const leftMs = Math.max(0, launchableAt(state, app) - now);
  return {
    count: entry.count,
    delay: { timeLeftSeconds: Math.ceil(leftMs / 1000), overdue: leftMs === 0 },
    since: new Date(entry.since).toISOString(),
    role: state.settings.role,
    processedOffersSummary: {
      processedOffersCount: entry.processedOffers,
      unusedOffersCount: entry.unusedOffers,
      rejectSummaryLastOffers: summaryJson(entry.lastOffers.rejections, entry.lastOffers.processed),
      rejectSummaryLaunchAttempt: summaryJson(entry.rejections, entry.processedOffers),
    },
    app: appJson(app),
  };
}

const summaryJson = (rejections: Readonly<Record<string, number>>, processed: number) =>
  Object.entries(rejections).map(([reason, declined]) => ({ reason, declined, processed }));

async function resetDelay(context: ApiContext, request: HttpRequest): Promise<HttpResponse> {
  const id = absoluteId(request.params.id ?? "");
  if (!context.state().queue.has(id)) throw message(404, `Application ${id} not found in tasks queue.`);
  await context.run({ kind: "resetDelay", id });
  return emptyResponse(204);
}

function infoJson(context: ApiContext) {
  const { info } = context;
  return {
    name: "marathon",
    version: info.version,
    buildref: "provision",
    elected: context.isLeader(),
    leader: context.leader() ?? null,
    frameworkId: stateOrNone(context)?.frameworkId ?? null,
    marathon_config: info.marathonConfig,
    zookeeper_config: info.zookeeperConfig,
    http_config: info.httpConfig,
    event_subscriber: info.acceptsCallbacks ? { type: "http_callback", http_endpoints: [] } : null,
  };
}

function stateOrNone(context: ApiContext): MarathonState | undefined {
  return context.isLeader() ? context.state() : undefined;
}

function showLeader(context: ApiContext): HttpResponse {
  const leader = context.leader();
  if (leader === undefined) throw message(404, "There is no leader");
  return jsonResponse(200, { leader });
}

function abdicate(context: ApiContext): HttpResponse {
  if (!context.isLeader()) throw message(404, "There is no leader");
  context.abdicate();
  return jsonResponse(200, { message: "Leadership abdicated" });
}

/** "pong" in what the client asks for. */
function ping(request: HttpRequest): HttpResponse {
  if (request.accepts("text/plain")) return textResponse(200, "pong");
  if (request.accepts("application/json")) return jsonResponse(200, "pong");
  return emptyResponse(204);
}

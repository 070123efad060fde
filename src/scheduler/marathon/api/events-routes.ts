/** /v2/events as a stream, and /v2/eventSubscriptions for the tools of before. */

import { eventStreamResponse } from "../../http/event-stream.ts";
import type { Route } from "../../http/http-server.ts";
import type { HttpRequest } from "../../http/request.ts";
import { type HttpResponse, jsonResponse } from "../../http/response.ts";
import type { MarathonEvent } from "../core/draft.ts";
import { message } from "../model/api-error.ts";
import type { ApiContext } from "./api-context.ts";

export const eventsRoutes = (context: ApiContext): readonly Route[] => [
  { method: "GET", path: "/v2/events", handle: (request) => streamEvents(context, request) },
  { method: "GET", path: "/v2/eventSubscriptions", handle: () => listCallbacks(context) },
  { method: "POST", path: "/v2/eventSubscriptions", handle: (request) => subscribe(context, request) },
  { method: "DELETE", path: "/v2/eventSubscriptions", handle: (request) => unsubscribe(context, request) },
];

function streamEvents(context: ApiContext, request: HttpRequest): HttpResponse {
  const accept = request.header("accept") ?? "";
  if (!accept.includes("text/event-stream")) {
    throw message(405, "This endpoint only answers with Accept: text/event-stream");
  }
  const types = new Set(request.query.all("event_type"));
  const remoteAddress = request.remoteAddress;
  const about = (eventType: string): MarathonEvent => ({
    eventType,
    remoteAddress,
    timestamp: new Date(context.now()).toISOString(),
  });
  return eventStreamResponse({
    start: (writer) => {
      const stop = context.hub.listen((event) => {
        if (types.size > 0 && !types.has(event.eventType)) return;
        if (!writer.send(event.eventType, JSON.stringify(event))) stop();
      });
      writer.closed.addEventListener(
        "abort",
        () => {
          stop();
          context.hub.publish(about("event_stream_detached"));
        },
        { once: true },
      );
      context.hub.publish(about("event_stream_attached"));
    },
  });
}

function needsCallbacks({ info }: ApiContext): void {
  if (!info.acceptsCallbacks) {
    throw message(400, "http event callback system is not running on this Marathon instance");
  }
}

function listCallbacks(context: ApiContext): HttpResponse {
  needsCallbacks(context);
  return jsonResponse(200, { callbackUrls: context.hub.callbackUrls });
}

function urlOf(request: HttpRequest): string {
  const url = request.query.get("callbackUrl") ?? "";
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) throw message(400, `'${url}' is no callbackUrl`);
  return url;
}

function subscribe(context: ApiContext, request: HttpRequest): HttpResponse {
  needsCallbacks(context);
  const url = urlOf(request);
  if (!context.hub.addCallback(url)) throw message(400, "Too many callback URLs");
  return told(context, request, "subscribe_event", url);
}

function unsubscribe(context: ApiContext, request: HttpRequest): HttpResponse {
  needsCallbacks(context);
  const url = urlOf(request);
  context.hub.removeCallback(url);
  return told(context, request, "unsubscribe_event", url);
}

function told(
  context: ApiContext,
  request: HttpRequest,
  eventType: string,
  callbackUrl: string,
): HttpResponse {
  const timestamp = new Date(context.now()).toISOString();
  const event = { eventType, callbackUrl, clientIp: request.remoteAddress, timestamp };
  context.hub.publish(event);
  return jsonResponse(200, event);
}

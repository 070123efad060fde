/** `POST /api/v1/scheduler`: frameworks subscribe to a stream and make their calls. */
import { randomUUID } from "node:crypto";
import type { Route } from "../../http/http-server.ts";
import { recordStreamResponse } from "../../http/record-stream.ts";
import type { HttpRequest } from "../../http/request.ts";
import { emptyResponse, type HttpResponse, textResponse } from "../../http/response.ts";
import { streamIdHeader } from "../protocol/agent-link.ts";
import { schedulerCallSchema } from "../protocol/scheduler-call.ts";
import { parseWire, WireError } from "../protocol/wire.ts";
import { onLeader } from "./leader-guard.ts";
import type { MasterDaemon } from "./master-daemon.ts";
import type { Answer, SubscribeCall } from "./turn.ts";

export const jsonType = "application/json";

export const schedulerRoute = (daemon: MasterDaemon): Route => ({
  method: "*",
  path: "/api/v1/scheduler",
  handle: onLeader(daemon, (request) => answer(daemon, request)),
});

async function answer(daemon: MasterDaemon, request: HttpRequest): Promise<HttpResponse> {
  const refusal = refuseRequest(request);
  if (refusal !== undefined) return refusal;
  const call = await readJson(request, (json) => parseWire(schedulerCallSchema, json));
  if ("problem" in call)
    return textResponse(400, `Failed to parse body into Scheduler::Call: ${call.problem}`);
  if (!request.accepts(jsonType)) return textResponse(406, `Expecting 'Accept' to allow ${jsonType}`);
  const stream = request.header(streamIdHeader);
  if (call.value.type !== "SUBSCRIBE")
    return toResponse(daemon.ask({ is: "call", stream, call: call.value }));
  if (stream !== undefined)
    return textResponse(400, `Subscribe calls should not include the '${streamIdHeader}' header`);
  return subscribe(daemon, call.value);
}

function subscribe(daemon: MasterDaemon, call: SubscribeCall): HttpResponse {
  const stream = randomUUID();
  const outlet = daemon.openStream(stream);
  const answered = daemon.ask({ is: "subscribe", stream, call });
  if (answered.status !== 202) {
    daemon.dropStream(stream);
    return toResponse(answered);
  }
  return recordStreamResponse(jsonType, { [streamIdHeader]: stream }, (writer) => outlet.attach(writer));
}

export const toResponse = ({ status, message }: Answer): HttpResponse =>
  message === undefined ? emptyResponse(status) : textResponse(status, message);

/** Method and content type, in the order that clients know. */
export function refuseRequest(request: HttpRequest): HttpResponse | undefined {
  if (request.method !== "POST")
    return { ...textResponse(405, "Expecting one of { 'POST' }"), headers: { Allow: "POST" } };
  const type = request.header("content-type");
  if (type === undefined) return textResponse(400, "Expecting 'Content-Type' to be present");
  if (type.split(";")[0]?.trim().toLowerCase() !== jsonType)
    return textResponse(415, `Expecting 'Content-Type' of ${jsonType}`);
  return undefined;
}

export async function readJson<T>(
  request: HttpRequest,
  parse: (json: unknown) => T,
): Promise<{ readonly value: T } | { readonly problem: string }> {
  try {
    return { value: parse(JSON.parse(await request.text())) };
  } catch (error) {
    if (error instanceof WireError || error instanceof SyntaxError) return { problem: error.message };
    throw error;
  }
}

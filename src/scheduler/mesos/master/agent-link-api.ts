/** The master's end of the link to the agents: see protocol/agent-link.ts. */
import { randomUUID } from "node:crypto";
import type { Route } from "../../http/http-server.ts";
import { recordStreamResponse } from "../../http/record-stream.ts";
import type { HttpRequest } from "../../http/request.ts";
import { type HttpResponse, textResponse } from "../../http/response.ts";
import { post } from "../daemon/common-routes.ts";
import {
  agentHelloSchema,
  agentLinkPath,
  agentMessageSchema,
  agentMessagesPath,
  streamIdHeader,
} from "../protocol/agent-link.ts";
import { parseWire } from "../protocol/wire.ts";
import { onLeader } from "./leader-guard.ts";
import type { MasterDaemon } from "./master-daemon.ts";
import { jsonType, readJson, toResponse } from "./scheduler-api.ts";

export const agentLinkRoutes = (daemon: MasterDaemon): Route[] => [
  post(
    agentLinkPath,
    onLeader(daemon, (request) => welcome(daemon, request)),
  ),
  post(
    agentMessagesPath,
    onLeader(daemon, (request) => hear(daemon, request)),
  ),
];

async function welcome(daemon: MasterDaemon, request: HttpRequest): Promise<HttpResponse> {
  const hello = await readJson(request, (json) => parseWire(agentHelloSchema, json));
  if ("problem" in hello) return textResponse(400, `Not a hello of an agent: ${hello.problem}`);
  const session = randomUUID();
  const outlet = daemon.openSession(session);
  const answered = daemon.ask({ is: "agent-hello", session, hello: hello.value });
  if (answered.status !== 202) {
    daemon.dropSession(session);
    return toResponse(answered);
  }
  return recordStreamResponse(jsonType, { [streamIdHeader]: session }, (writer) => outlet.attach(writer));
}

async function hear(daemon: MasterDaemon, request: HttpRequest): Promise<HttpResponse> {
  const message = await readJson(request, (json) => parseWire(agentMessageSchema, json));
  if ("problem" in message) return textResponse(400, `Not a message of an agent: ${message.problem}`);
  const session = request.header(streamIdHeader);
  if (session === undefined) return textResponse(400, `Expecting '${streamIdHeader}' to be present`);
  return toResponse(daemon.ask({ is: "agent-message", session, message: message.value }));
}

/**
 * Marathon's REST interface: routes by subject, each a function of this context. Reading looks at the leader's state;
 * changing goes through the engine and answers once the change is stored.
 */
import type { JsonObject, JsonValue } from "../../../base/json.ts";
import type { HttpRequest } from "../../http/request.ts";
import { type HttpResponse, jsonResponse } from "../../http/response.ts";
import type { Command, CommandResult } from "../core/command.ts";
import type { MarathonState } from "../core/state.ts";
import { unparsableJson } from "../model/api-error.ts";
import type { EventHub } from "./event-hub.ts";

export interface ApiContext {
  /** Throws ApiError 503 while this Marathon does not lead. */
  state(): MarathonState;
  run(command: Command): Promise<CommandResult>;
  readonly hub: EventHub;
  now(): number;
  /** host:port of whoever leads, as far as known. */
  leader(): string | undefined;
  isLeader(): boolean;
  abdicate(): void;
  readonly self: string;
  readonly info: MarathonInfo;
}

export interface MarathonInfo {
  readonly version: string;
  readonly marathonConfig: JsonObject;
  readonly zookeeperConfig: JsonObject;
  readonly httpConfig: JsonObject;
  readonly acceptsCallbacks: boolean;
}

/** The body as JSON; Marathon's own 400 where it is none. */
export async function bodyOf(request: HttpRequest): Promise<JsonValue> {
  const text = await request.text();
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw unparsableJson(error instanceof Error ? error.message : String(error));
  }
}

/** What every call that starts a deployment answers. */
export function deploymentResponse(result: CommandResult, status = 200, location?: string): HttpResponse {
  const body = { version: result.version ?? "", deploymentId: result.deploymentId ?? "" };
  return jsonResponse(status, body, {
    "Marathon-Deployment-Id": body.deploymentId,
    ...(location === undefined ? {} : { Location: location }),
  });
}

export const force = (request: HttpRequest, absent = false): boolean => request.query.flag("force", absent);

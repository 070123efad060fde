import type { IncomingHttpHeaders } from "node:http";
import type { JsonValue } from "../../base/json.ts";
import { HttpCallError, requestBytes, type WholeCallOptions } from "./http-client.ts";

export interface JsonCallOptions extends Omit<WholeCallOptions, "body"> {
  /** Sent as JSON. */
  readonly json?: unknown;
}

export interface JsonAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Undefined if the body is empty. A body of another type than JSON, as error pages are, comes as a string. */
  readonly json: JsonValue | undefined;
}

/** A call in JSON with its whole answer, whatever the status. Throws HttpCallError only. */
export async function requestJson({ json, ...options }: JsonCallOptions): Promise<JsonAnswer> {
  const headers = { Accept: "application/json", ...options.headers };
  const {
    status,
    headers: found,
    bytes,
  } = await requestBytes({
    ...options,
    headers: json === undefined ? headers : { "Content-Type": "application/json", ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = bytes.toString("utf8");
  if (text === "") return { status, headers: found, json: undefined };
  if (!/\bjson\b/.test(found["content-type"] ?? "")) return { status, headers: found, json: text };
  try {
    return { status, headers: found, json: JSON.parse(text) as JsonValue };
  } catch (cause) {
    throw new HttpCallError({ url: options.url, message: "the answer is no valid JSON", sent: true, cause });
  }
}

import { request as httpRequest, type IncomingMessage } from "node:http";
import { HttpError } from "./http-error.ts";
import type { HttpRequest } from "./request.ts";
import { type HttpResponse, streamResponse } from "./response.ts";

export interface ProxyTarget {
  readonly host: string;
  readonly port: number;
  /** The name of the header that carries the way taken, e.g. "X-Marathon-Via". */
  readonly viaHeader: string;
  /** How this server names itself there: `host:port`. */
  readonly self: string;
  readonly connectTimeoutMs?: number;
  readonly answerTimeoutMs?: number;
}

const defaultConnectTimeoutMs = 5_000;
const defaultAnswerTimeoutMs = 60_000;
/** These speak of one connection, not of the message. */
const hopHeaders = new Set([
  "connection",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Sends a request on as it is, streaming both ways. 502 on a loop or if the target does not answer. */
export async function proxyRequest(request: HttpRequest, target: ProxyTarget): Promise<HttpResponse> {
  const via = `1.1 ${target.self}`;
  const ways = (request.header(target.viaHeader) ?? "").split(",").map((way) => way.trim());
  if (ways.includes(via)) throw new HttpError({ status: 502, message: "Detected proxying loop." });
  const answer = await forward(request, target, [...ways.filter((way) => way !== ""), via].join(", "));
  const headers = { ...messageHeaders(answer), [target.viaHeader]: via };
  if (request.method === "HEAD") answer.resume();
  return streamResponse(answer.statusCode ?? 502, headers, async (sink) => {
    sink.closed.addEventListener("abort", () => answer.destroy(), { once: true });
    await sink.pipe(answer);
  });
}

function forward(request: HttpRequest, target: ProxyTarget, via: string): Promise<IncomingMessage> {
  const { incoming } = request;
  const from = [request.header("x-forwarded-for"), request.remoteAddress].filter(Boolean).join(", ");
  const headers = { ...messageHeaders(incoming), [target.viaHeader]: via, "X-Forwarded-For": from };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      host: target.host,
      port: target.port,
      method: request.method,
      path: incoming.url,
      headers,
      agent: false,
    });
    const fail = (cause: unknown): void => {
      const message = `Could not reach ${target.host}:${target.port}`;
      reject(new HttpError({ status: 502, message, cause }));
      outgoing.destroy();
    };
    const connecting = setTimeout(
      () => fail(new Error("connect timeout")),
      target.connectTimeoutMs ?? defaultConnectTimeoutMs,
    );
    const answering = setTimeout(
      () => fail(new Error("answer timeout")),
      target.answerTimeoutMs ?? defaultAnswerTimeoutMs,
    );
    const gone = (): void => void outgoing.destroy();
    incoming.socket.once("close", gone);
    outgoing.once("socket", (socket) => socket.once("connect", () => clearTimeout(connecting)));
    outgoing.once("response", (response) => {
      clearTimeout(answering);
      resolve(response);
    });
    outgoing.on("error", fail);
    outgoing.once("close", () => {
      clearTimeout(connecting);
      clearTimeout(answering);
      incoming.socket.removeListener("close", gone);
    });
    incoming.pipe(outgoing);
  });
}

function messageHeaders(message: IncomingMessage): Record<string, string | string[]> {
  const named = new Set(
    (message.headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase()),
  );
  const kept = Object.entries(message.headers).filter(
    (entry): entry is [string, string | string[]] =>
      entry[1] !== undefined && !hopHeaders.has(entry[0]) && !named.has(entry[0]),
  );
  return Object.fromEntries(kept);
}

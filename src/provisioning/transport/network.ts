/** TCP and HTTP as a host would do them: over sockets that the session opens (directly, or through ssh). */

import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpAnswer, HttpRequest } from "../host/question.ts";
import type { Env } from "../host/step.ts";
import type { Network } from "./base-session.ts";
import { limits } from "./limits.ts";
import { listenTo } from "./listen.ts";

/** Connects or rejects; the socket belongs to the caller. */
export type Dial = (host: string, port: number, signal: AbortSignal) => Promise<Duplex>;

export type DialSocket = (path: string, signal: AbortSignal) => Promise<Duplex>;

export const dialDirectly: Dial = (host, port, signal) => opened(connect({ host, port }), signal);
const dialSocketDirectly: DialSocket = (path, signal) => opened(connect({ path }), signal);

const opened = (socket: Socket, signal: AbortSignal): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    const abort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
    socket.once("error", reject);
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      resolve(socket);
    });
  });

export interface Ways {
  readonly dial: Dial;
  readonly dialSocket: DialSocket;
  /** The task's environment: proxies. */
  readonly env: Env;
}

export function networkOver(dial: Dial, dialSocket: DialSocket): Network {
  return {
    http: (request, env) => fetchOver({ dial, dialSocket, env }, request),
    tcp: async ({ host, port, timeoutMs, listen }) => {
      try {
        const socket = await dial(host, port, AbortSignal.timeout(timeoutMs));
        socket.on("error", () => undefined);
        const said = listen === undefined ? {} : { said: await listenTo(socket, listen) };
        socket.destroy();
        return { open: true, ...said };
      } catch (error) {
        return { open: false, failure: failureText(error, timeoutMs) };
      }
    },
  };
}

export const directNetwork: Network = networkOver(dialDirectly, dialSocketDirectly);

export const forbiddenNetwork = (failure: string): Network => ({
  http: async ({ url }) => noAnswer(url, failure, 0),
  tcp: async () => ({ open: false, failure }),
});

const noAnswer = (url: string, failure: string, elapsedMs: number): HttpAnswer => ({
  status: -1,
  headers: {},
  body: new Uint8Array(),
  url,
  elapsedMs,
  failure,
});

function failureText(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${timeoutMs / 1000} s`;
  if (error instanceof Error && error.message !== "") return error.message;
  return String((error as { code?: unknown } | null)?.code ?? error);
}

async function fetchOver(ways: Ways, request: HttpRequest): Promise<HttpAnswer> {
  const started = performance.now();
  const signal = AbortSignal.timeout(request.timeoutMs);
  const { requestOnce } = await import("./http-request.ts");
  let { url, method, body, headers, tls } = request;
  try {
    for (let hop = 0; hop <= limits.redirects; hop++) {
      const own = { ...request, url, method, headers, body, tls };
      const answer = await requestOnce(ways, own, signal);
      const next = redirectOf(request, method, answer.status, answer.headers.location);
      if (next === undefined) return { ...answer, url, elapsedMs: performance.now() - started };
      const target = new URL(next.location, url);
      headers = passedOn(request, headers, target.origin === new URL(url).origin);
      if (target.origin !== new URL(url).origin) tls = tls?.ca === undefined ? undefined : { ca: tls.ca };
      url = target.href;
      if (next.method !== method) body = undefined;
      method = next.method;
    }
    return noAnswer(url, `more than ${limits.redirects} redirects`, performance.now() - started);
  } catch (error) {
    return noAnswer(url, failureText(error, request.timeoutMs), performance.now() - started);
  }
}

/** Credentials stay with the address that they were meant for. */
function passedOn(
  { unredirected = [] }: HttpRequest,
  headers: HttpRequest["headers"],
  isSameOrigin: boolean,
): HttpRequest["headers"] {
  const own = new Set(unredirected.map((name) => name.toLowerCase()));
  const kept = Object.entries(headers).filter(([name]) => {
    const lower = name.toLowerCase();
    return !own.has(lower) && (isSameOrigin || !["authorization", "cookie", "host"].includes(lower));
  });
  return Object.fromEntries(kept);
}

/** "safe" follows for GET and HEAD only. 303, and by custom 301 and 302 after POST, turn into GET. */
function redirectOf(
  { followRedirects }: HttpRequest,
  method: string,
  status: number,
  location: string | undefined,
): { location: string; method: string } | undefined {
  const isSafe = method === "GET" || method === "HEAD";
  if (location === undefined || ![301, 302, 303, 307, 308].includes(status)) return undefined;
  if (followRedirects === "none" || (followRedirects === "safe" && !isSafe)) return undefined;
  const keeps = isSafe || status === 307 || status === 308;
  return { location, method: keeps ? method : "GET" };
}

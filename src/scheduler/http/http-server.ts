/**
 * HTTP for the daemons, on node:http: a router and what Mesos' and Marathon's interfaces need of HTTP (RecordIO,
 * server-sent events, JSONP, proxying to the leader), each in a file of its own, plus the client side of the same.
 *
 * A request flows: `authenticate` → `before` (redirects, proxying to a leader; the body is still unread) → the first
 * route whose path and method match → its handler gives an HttpResponse (data) → sent. What a handler throws goes
 * through `onError` and becomes an HttpResponse too. Nothing here knows Mesos or Marathon, and nothing reads files
 * relative to the source: pages are embedded strings.
 */
import { createServer as createNodeServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { HttpError } from "./http-error.ts";
import { HttpRequest } from "./request.ts";
import { type Headers, type HttpResponse, jsonResponse } from "./response.ts";
import { compilePattern, type Params, type RoutePattern, splitPath } from "./route-pattern.ts";
import { checkJsonp, sendResponse } from "./send-response.ts";

export type Handler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse>;

export interface Route {
  /** "GET" (also serves HEAD), "POST", …; "*" takes any. */
  readonly method: string;
  /** See route-pattern.ts. Routes are tried in order: put `/v2/apps/*id/tasks` before `/v2/apps/*id`. */
  readonly path: string;
  readonly handle: Handler;
}

export interface ServerLimits {
  readonly maxBodyBytes: number;
  /** How far the reader of a streamed answer may fall behind before it is dropped. */
  readonly maxPendingBytes: number;
  readonly maxConnections: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How long `close` lets running answers end. */
  readonly closeGraceMs: number;
}

const defaultServerLimits: ServerLimits = {
  maxBodyBytes: 16 * 1024 * 1024,
  maxPendingBytes: 8 * 1024 * 1024,
  maxConnections: 10_000,
  headersTimeoutMs: 30_000,
  requestTimeoutMs: 120_000,
  keepAliveTimeoutMs: 75_000,
  closeGraceMs: 2_000,
};

export interface ServerOptions {
  readonly routes: readonly Route[];
  /** Runs before routing; an answer ends the request. The place for redirecting or proxying to a leader. */
  readonly before?: (request: HttpRequest) => HttpResponse | undefined | Promise<HttpResponse | undefined>;
  /** Who is calling. Throws HttpError 401 or 403; see basic-auth.ts. */
  readonly authenticate?: (request: HttpRequest) => string | undefined | Promise<string | undefined>;
  /** On every answer, errors included. */
  readonly headers?: (request: HttpRequest) => Headers;
  /** Turns what a handler threw into an answer. Default: `{message, details}`; other throws are a logged 500. */
  readonly onError?: (error: unknown, request: HttpRequest) => HttpResponse | undefined;
  /** Told of defects: throws that are no HttpError, and answers that broke off. */
  readonly log?: (line: string, error?: unknown) => void;
  readonly limits?: Partial<ServerLimits>;
}

export interface HttpServer {
  /** Port 0 takes any free port. */
  listen(port: number, host?: string): Promise<AddressInfo>;
  /** Stops listening, lets running answers end for closeGraceMs, then cuts them. */
  close(): Promise<void>;
  /** The address while listening. */
  readonly address: AddressInfo | undefined;
}

interface CompiledRoute {
  readonly route: Route;
  readonly pattern: RoutePattern;
}

export function createServer(options: ServerOptions): HttpServer {
  const limits = { ...defaultServerLimits, ...options.limits };
  const routes = options.routes.map((route) => ({ route, pattern: compilePattern(route.path) }));
  const sockets = new Set<Socket>();
  const node = createNodeServer({
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    noDelay: true,
  });
  node.maxConnections = limits.maxConnections;
  node.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  node.on("request", (incoming, response) => {
    void serve({ options, limits, routes }, incoming, response);
  });
  const address = (): AddressInfo | undefined => {
    const found = node.address();
    return typeof found === "object" && found !== null ? found : undefined;
  };
  return {
    get address() {
      return address();
    },
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        node.once("error", reject);
        node.listen(port, host, () => {
          node.removeListener("error", reject);
          node.on("error", (error) => options.log?.("HTTP server", error));
          resolve(address() as AddressInfo);
        });
      }),
    close: () =>
      new Promise((resolve) => {
        const cut = setTimeout(() => {
          for (const socket of sockets) socket.destroy();
        }, limits.closeGraceMs);
        node.close(() => {
          clearTimeout(cut);
          resolve();
        });
        node.closeIdleConnections();
      }),
  };
}

interface Serving {
  readonly options: ServerOptions;
  readonly limits: ServerLimits;
  readonly routes: readonly CompiledRoute[];
}

/** Never rejects: whatever goes wrong ends as an answer, or as a cut connection and a line in the log. */
async function serve(serving: Serving, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, limits } = serving;
  const request = new HttpRequest(incoming, limits.maxBodyBytes);
  try {
    const answer = await answerOrError(serving, request);
    for (const [name, value] of Object.entries(options.headers?.(request) ?? {})) {
      response.setHeader(name, value);
    }
    await sendResponse(request, answer, response, limits.maxPendingBytes);
    // A body that nobody read would block the connection's next request.
    if (!incoming.readableEnded) incoming.resume();
  } catch (error) {
    const isClientGone = response.destroyed || incoming.destroyed;
    if (!isClientGone) options.log?.(`${request.method} ${request.path} broke off`, error);
    response.destroy();
  }
}

async function answerOrError(serving: Serving, request: HttpRequest): Promise<HttpResponse> {
  try {
    return await answerRequest(serving, request);
  } catch (error) {
    const own = serving.options.onError?.(error, request);
    if (own !== undefined) return own;
    if (!(error instanceof HttpError))
      serving.options.log?.(`${request.method} ${request.path} failed`, error);
    return errorResponse(error);
  }
}

/** `{message, details}`, as Marathon words its errors. What is no HttpError is a 500 without inner words. */
function errorResponse(error: unknown): HttpResponse {
  if (!(error instanceof HttpError)) return jsonResponse(500, { message: "Internal server error" });
  const details = error.details === undefined ? {} : { details: error.details };
  return jsonResponse(error.status, { message: error.message, ...details }, error.headers);
}

async function answerRequest({ options, routes }: Serving, request: HttpRequest): Promise<HttpResponse> {
  const segments = splitPath(request.path);
  if (segments === undefined) throw new HttpError({ status: 400, message: "The path is not valid" });
  checkJsonp(request);
  const principal = await options.authenticate?.(request);
  const known = principal === undefined ? request : request.with({ principal });
  const early = await options.before?.(known);
  if (early !== undefined) return early;
  const { route, params } = findRoute(routes, request.method, segments);
  return await route.handle(known.with({ params }));
}

function findRoute(
  routes: readonly CompiledRoute[],
  method: string,
  segments: readonly string[],
): { readonly route: Route; readonly params: Params } {
  const wanted = method === "HEAD" ? "GET" : method;
  const allowed = new Set<string>();
  for (const { route, pattern } of routes) {
    const params = pattern.match(segments);
    if (params === undefined) continue;
    if (route.method === wanted || route.method === "*") return { route, params };
    allowed.add(route.method);
  }
  if (allowed.size === 0) throw new HttpError({ status: 404, message: "URI not found" });
  const headers = { Allow: [...allowed].sort().join(", ") };
  throw new HttpError({ status: 405, message: `Method ${method} is not allowed here`, headers });
}

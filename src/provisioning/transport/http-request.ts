/** One HTTP request over a socket that was dialled for it. */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, Agent as TlsAgent } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { createGunzip } from "node:zlib";
import type { HttpAnswer, HttpRequest } from "../host/question.ts";
import { type HttpProxy, proxyFor, tunnel } from "./http-proxy.ts";
import type { Ways } from "./network.ts";
import { readBody } from "./spool.ts";

type Answered = Omit<HttpAnswer, "url" | "elapsedMs">;
/** undefined where a redirect took something away. */
type Asked = Omit<HttpRequest, "body" | "tls"> & {
  readonly body: Uint8Array | undefined;
  readonly tls: HttpRequest["tls"] | undefined;
};

export async function requestOnce(ways: Ways, request: Asked, signal: AbortSignal): Promise<Answered> {
  const url = new URL(request.url);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new Error(`"${url.protocol}" is neither http nor https`);
  const isTls = url.protocol === "https:";
  const name = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || (isTls ? 443 : 80));
  const direct = request.unixSocket !== undefined || request.useProxy !== true;
  const proxy = direct ? undefined : proxyFor(url, ways.env);
  const raw =
    request.unixSocket === undefined
      ? await ways.dial(proxy?.host ?? name, proxy?.port ?? port, signal)
      : await ways.dialSocket(request.unixSocket, signal);
  raw.on("error", () => undefined);
  try {
    if (proxy !== undefined && isTls) await tunnel({ socket: raw, proxy, name, port, signal });
    const socket = isTls ? await secured(raw, name, request, signal) : raw;
    return await exchange({ url, request, socket, signal, proxy: isTls ? undefined : proxy });
  } finally {
    raw.destroy();
  }
}

function secured(raw: Duplex, name: string, request: Asked, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const servername = isIP(name) === 0 ? { servername: name } : {};
    const pem = Object.fromEntries(
      Object.entries(request.tls ?? {}).map(([what, bytes]) => [what, Buffer.from(bytes)]),
    );
    const socket = connectTls({
      ...{ socket: raw, host: name, ...servername, ...pem },
      rejectUnauthorized: request.validateCerts,
    });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

interface Exchange {
  readonly url: URL;
  readonly request: Asked;
  readonly socket: Duplex;
  readonly signal: AbortSignal;
  /** Asked for the whole address. */
  readonly proxy: HttpProxy | undefined;
}

function exchange({ url, request, socket, signal, proxy }: Exchange): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const isTls = url.protocol === "https:";
    const send = isTls ? httpsRequest : httpRequest;
    const agent = isTls ? new TlsAgent({ keepAlive: false }) : new Agent({ keepAlive: false });
    // The socket is ready, whatever kind of Duplex it is.
    agent.createConnection = () => socket as ReturnType<typeof agent.createConnection>;
    const credentials =
      url.username === "" ? {} : { auth: decodeURIComponent(`${url.username}:${url.password}`) };
    const length = request.body ? { "content-length": String(request.body.length) } : {};
    const outgoing = send({
      ...{ agent, signal, ...credentials, method: request.method },
      ...{ host: url.hostname, port: url.port },
      path: `${proxy === undefined ? "" : `http://${url.host}`}${url.pathname}${url.search}`,
      headers: { host: url.host, connection: "close", ...length, ...proxy?.headers, ...request.headers },
    });
    outgoing.once("error", (error) => reject(signal.aborted ? signal.reason : error));
    outgoing.once("response", (incoming) => answered(incoming, request).then(resolve, reject));
    outgoing.end(request.body);
  });
}

async function answered(incoming: IncomingMessage, request: Asked): Promise<Answered> {
  const packed = request.decompress === true && incoming.headers["content-encoding"] === "gzip";
  const stream = packed ? incoming.compose(createGunzip()) : incoming;
  const body = await readBody(stream as AsyncIterable<Buffer>, request);
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  return { status: incoming.statusCode ?? -1, headers, ...body };
}

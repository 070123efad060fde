/** One HTTP request over a socket that was dialled for it. */
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, Agent as TlsAgent } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { HttpAnswer, HttpRequest } from "../host/question.ts";
import type { Dial } from "./network.ts";

type Answered = Omit<HttpAnswer, "url" | "elapsedMs">;

export async function requestOnce(dial: Dial, request: HttpRequest, signal: AbortSignal): Promise<Answered> {
  const url = new URL(request.url);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new Error(`"${url.protocol}" is neither http nor https`);
  const isTls = url.protocol === "https:";
  const name = url.hostname.replace(/^\[|\]$/g, "");
  const raw = await dial(name, Number(url.port || (isTls ? 443 : 80)), signal);
  raw.on("error", () => undefined);
  try {
    const socket = isTls ? await secured(raw, name, request.validateCerts, signal) : raw;
    return await exchange({ url, request, socket, signal });
  } finally {
    raw.destroy();
  }
}

function secured(raw: Duplex, name: string, validate: boolean, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const servername = isIP(name) === 0 ? { servername: name } : {};
    const socket = connectTls({ socket: raw, host: name, ...servername, rejectUnauthorized: validate });
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

interface Exchange {
  readonly url: URL;
  readonly request: HttpRequest;
  readonly socket: Duplex;
  readonly signal: AbortSignal;
}

function exchange({ url, request, socket, signal }: Exchange): Promise<Answered> {
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
      ...{ host: url.hostname, port: url.port, path: url.pathname + url.search },
      headers: { host: url.host, connection: "close", ...length, ...request.headers },
    });
    outgoing.once("error", (error) => reject(signal.aborted ? signal.reason : error));
    outgoing.once("response", (incoming) => readBody(incoming, request.maxBodyBytes).then(resolve, reject));
    outgoing.end(request.body);
  });
}

async function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Answered> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += (chunk as Buffer).length;
    if (bytes > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(", ") : (value ?? ""),
    ]),
  );
  return { status: incoming.statusCode ?? -1, headers, body: Buffer.concat(chunks) };
}

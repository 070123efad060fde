import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

export interface CallOptions {
  readonly url: string;
  /** Default GET, or POST with a body. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** `user:password` for basic authentication. */
  readonly credentials?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Until the TCP (and TLS) connection stands. */
  readonly connectTimeoutMs?: number;
  /** Until the head of the answer is here. */
  readonly answerTimeoutMs?: number;
  /** Longest silence while the body is coming. 0: none. */
  readonly silenceTimeoutMs?: number;
}

/** The call got no (whole) answer. `sent` says whether the other side may have seen it. */
export class HttpCallError extends Error {
  override readonly name = "HttpCallError";
  readonly url: string;
  readonly sent: boolean;

  constructor(options: { url: string; message: string; sent: boolean; cause?: unknown }) {
    super(`${options.url}: ${options.message}`, { cause: options.cause });
    this.url = options.url;
    this.sent = options.sent;
  }
}

class StaleConnection extends HttpCallError {}

const isReset = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");

const defaults = { connectTimeoutMs: 5_000, answerTimeoutMs: 30_000, silenceTimeoutMs: 60_000 };
const plainAgent = new Agent({ keepAlive: true, maxFreeSockets: 16, timeout: 60_000 });
const tlsAgent = new HttpsAgent({ keepAlive: true, maxFreeSockets: 16, timeout: 60_000 });

/** Sends a request and resolves with the head of its answer; the body is still to be read. */
export async function openCall(options: CallOptions, ownConnection = false): Promise<IncomingMessage> {
  try {
    return await openOnce(options, ownConnection);
  } catch (error) {
    // A connection kept from before may be closed by the server in the moment that we use it.
    const isStale = error instanceof StaleConnection && ["GET", "HEAD"].includes(methodOf(options));
    if (!isStale) throw error;
    return await openOnce(options, true);
  }
}

function openOnce(options: CallOptions, ownConnection: boolean): Promise<IncomingMessage> {
  const limits = { ...defaults, ...withoutUndefined(options) };
  const url = new URL(options.url);
  const isTls = url.protocol === "https:";
  const send = isTls ? httpsRequest : httpRequest;
  const agent = ownConnection ? false : isTls ? tlsAgent : plainAgent;
  return new Promise((resolve, reject) => {
    let isSent = false;
    const request = send(url, { method: methodOf(options), headers: headersOf(options, url), agent });
    const fail = (message: string, cause?: unknown): void => {
      const Failure = request.reusedSocket && isReset(cause) ? StaleConnection : HttpCallError;
      reject(new Failure({ url: options.url, message, sent: isSent, cause }));
      request.destroy();
    };
    const connecting = setTimeout(() => fail("no connection in time"), limits.connectTimeoutMs);
    const answering = setTimeout(() => fail("no answer in time"), limits.answerTimeoutMs);
    const stopTimers = (): void => {
      clearTimeout(connecting);
      clearTimeout(answering);
    };
    const abort = (): void => {
      request.destroy(new HttpCallError({ url: options.url, message: "aborted", sent: isSent }));
    };
    options.signal?.addEventListener("abort", abort, { once: true });
    request.once("close", () => options.signal?.removeEventListener("abort", abort));
    request.once("socket", (socket) => {
      const connected = (): void => {
        isSent = true;
        clearTimeout(connecting);
      };
      if (!socket.connecting) connected();
      else socket.once(isTls ? "secureConnect" : "connect", connected);
    });
    request.on("error", (error) => {
      stopTimers();
      fail(error.message, error);
    });
    request.once("response", (response) => {
      stopTimers();
      if (limits.silenceTimeoutMs > 0) {
        response.setTimeout(limits.silenceTimeoutMs, () =>
          response.destroy(new Error("silent for too long")),
        );
      }
      resolve(response);
    });
    if (options.signal?.aborted === true) abort();
    else request.end(options.body);
  });
}

const methodOf = (options: CallOptions): string =>
  options.method ?? (options.body === undefined ? "GET" : "POST");

const withoutUndefined = (options: CallOptions): Partial<CallOptions> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));

function headersOf(options: CallOptions, url: URL): Record<string, string> {
  const headers: Record<string, string> = { ...options.headers };
  const inUrl =
    url.username === ""
      ? undefined
      : `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const credentials = options.credentials ?? inUrl;
  if (credentials !== undefined) {
    headers.Authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  }
  if (options.body !== undefined) headers["Content-Length"] = String(Buffer.byteLength(options.body));
  return headers;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
}

export interface WholeCallOptions extends CallOptions {
  readonly maxBodyBytes?: number;
  /** For the whole call, from the start to the last byte. */
  readonly timeoutMs?: number;
}

const defaultMaxBodyBytes = 256 * 1024 * 1024;
const defaultTimeoutMs = 30_000;

/** A call with its whole answer, whatever the status. Throws HttpCallError only. */
export async function requestBytes(options: WholeCallOptions): Promise<Answer> {
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const limit = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]);
  try {
    const response = await openCall({ answerTimeoutMs: timeoutMs, ...options, signal });
    const bytes = await readAll(options, response, signal);
    return { status: response.statusCode ?? 0, headers: response.headers, bytes };
  } catch (error) {
    if (!limit.aborted || !(error instanceof HttpCallError)) throw error;
    const message = `no whole answer within ${timeoutMs} ms`;
    throw new HttpCallError({ url: options.url, message, sent: error.sent, cause: error });
  }
}

async function readAll(
  options: WholeCallOptions,
  response: IncomingMessage,
  signal: AbortSignal,
): Promise<Buffer> {
  const maxBodyBytes = options.maxBodyBytes ?? defaultMaxBodyBytes;
  const abort = (): void => void response.destroy(new Error("aborted"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBodyBytes) throw new Error(`the answer is larger than ${maxBodyBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, size);
  } catch (cause) {
    response.destroy();
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new HttpCallError({ url: options.url, message, sent: true, cause });
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

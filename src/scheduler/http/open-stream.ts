import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { EventDecoder, type ServerSentEvent } from "./event-stream.ts";
import { type CallOptions, HttpCallError, openCall } from "./http-client.ts";
import { defaultMaxRecordBytes, RecordDecoder } from "./record-io.ts";

/** The stream was refused: an answer came, but not the wanted one (a redirect to the leader, an error). */
export class StreamRefused extends Error {
  override readonly name = "StreamRefused";
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;

  constructor(url: string, response: IncomingMessage, body: string) {
    super(`${url}: answered ${response.statusCode} ${body.slice(0, 200)}`.trim());
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.body = body;
  }
}

/** An open stream from a server. */
export interface OpenStream {
  readonly headers: IncomingHttpHeaders;
  /** Resolves when the server has ended the stream, or `close` or the signal did; rejects if it broke off. */
  readonly done: Promise<void>;
  close(): void;
}

export interface RecordStreamOptions extends CallOptions {
  /** Called for each record, in order. What it throws closes the stream and rejects `done`. */
  readonly onRecord: (record: Buffer) => void;
  readonly maxRecordBytes?: number;
}

/** Opens a RecordIO stream; resolves once the server has said yes. Throws HttpCallError or StreamRefused. */
export async function openRecordStream(options: RecordStreamOptions): Promise<OpenStream> {
  const decoder = new RecordDecoder(options.maxRecordBytes ?? defaultMaxRecordBytes);
  return await openStream(options, (chunk) => {
    for (const record of decoder.push(chunk)) options.onRecord(record);
  });
}

export interface EventStreamCallOptions extends CallOptions {
  readonly onEvent: (event: ServerSentEvent) => void;
  /** Anything came in, heartbeats too. */
  readonly onActivity?: () => void;
}

/** Opens a stream of server-sent events. Throws HttpCallError or StreamRefused. */
export async function openEventStream(options: EventStreamCallOptions): Promise<OpenStream> {
  const decoder = new EventDecoder();
  const text = new TextDecoder();
  const headers = { Accept: "text/event-stream", ...options.headers };
  return await openStream({ ...options, headers }, (chunk) => {
    options.onActivity?.();
    for (const event of decoder.push(text.decode(chunk, { stream: true }))) options.onEvent(event);
  });
}

const maxRefusalBytes = 64 * 1024;

async function openStream(options: CallOptions, onChunk: (chunk: Buffer) => void): Promise<OpenStream> {
  const response = await openCall(options, true);
  if (response.statusCode !== 200) throw await refusal(options.url, response);
  let isClosed = false;
  const close = (): void => {
    isClosed = true;
    response.destroy();
  };
  if (options.signal?.aborted === true) close();
  options.signal?.addEventListener("abort", close, { once: true });
  const done = readStream(options.url, response, onChunk, () => isClosed).finally(() =>
    options.signal?.removeEventListener("abort", close),
  );
  // Whoever does not look at `done` must not bring the process down by it.
  done.catch(() => undefined);
  return { headers: response.headers, done, close };
}

async function readStream(
  url: string,
  response: IncomingMessage,
  onChunk: (chunk: Buffer) => void,
  isClosed: () => boolean,
): Promise<void> {
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) onChunk(chunk);
  } catch (cause) {
    response.destroy();
    if (isClosed()) return;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new HttpCallError({ url, message: `the stream broke off: ${message}`, sent: true, cause });
  }
}

async function refusal(url: string, response: IncomingMessage): Promise<Error> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > maxRefusalBytes) break;
    }
  } catch (cause) {
    const message = `answered ${response.statusCode}, then broke off`;
    return new HttpCallError({ url, message, sent: true, cause });
  }
  return new StreamRefused(url, response, Buffer.concat(chunks).toString("utf8"));
}

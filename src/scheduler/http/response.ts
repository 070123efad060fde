import type { Readable } from "node:stream";

export type Headers = Readonly<Record<string, string | readonly string[]>>;

/** What a handler gives back: data, sent by the server. */
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Headers;
  readonly body?: ResponseBody;
}

export type ResponseBody =
  | { readonly json: unknown }
  | { readonly text: string; readonly type: string }
  | { readonly bytes: Uint8Array; readonly type: string }
  /** Called once the head is on its way; the response lives until the sink is ended or closed. */
  | { readonly stream: (sink: ResponseSink) => void | Promise<void> };

/** The open end of a streamed response. */
export interface ResponseSink {
  /** One write is one HTTP chunk. False: the response is closed, or was dropped because its reader is too slow. */
  write(chunk: Uint8Array | string): boolean;
  /** Copies all of `source` at the reader's pace. */
  pipe(source: Readable): Promise<void>;
  end(): void;
  /** Aborted when the response is over, whoever ended it. */
  readonly closed: AbortSignal;
}

export const jsonResponse = (status: number, json: unknown, headers: Headers = {}): HttpResponse => ({
  status,
  headers,
  body: { json },
});

export const textResponse = (status: number, text: string, headers: Headers = {}): HttpResponse => ({
  status,
  headers,
  body: { text, type: "text/plain; charset=utf-8" },
});

export const emptyResponse = (status: number, headers: Headers = {}): HttpResponse => ({ status, headers });

export const redirectResponse = (status: 301 | 302 | 303 | 307 | 308, location: string): HttpResponse => ({
  status,
  headers: { Location: location },
});

export const streamResponse = (
  status: number,
  headers: Headers,
  stream: (sink: ResponseSink) => void | Promise<void>,
): HttpResponse => ({ status, headers, body: { stream } });

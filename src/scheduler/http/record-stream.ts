import { encodeRecord } from "./record-io.ts";
import { type Headers, type HttpResponse, type ResponseSink, streamResponse } from "./response.ts";

/** The sending side of a RecordIO stream. */
export interface RecordWriter {
  /** False: the reader is gone, or was dropped for being too slow. */
  send(record: Uint8Array | string): boolean;
  end(): void;
  readonly closed: AbortSignal;
}

/** Answers with an endless stream of records; `start` gets the writer once the head is on its way. */
export function recordStreamResponse(
  type: string,
  headers: Headers,
  start: (writer: RecordWriter) => void,
): HttpResponse {
  return streamResponse(200, { "Content-Type": type, ...headers }, (sink) => start(recordWriter(sink)));
}

const recordWriter = (sink: ResponseSink): RecordWriter => ({
  closed: sink.closed,
  end: () => sink.end(),
  send: (record) => sink.write(encodeRecord(record)),
});

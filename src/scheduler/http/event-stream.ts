import { type Headers, type HttpResponse, streamResponse } from "./response.ts";

/** The sending side of a stream of server-sent events. */
export interface EventWriter {
  /** False: the reader is gone, or was dropped for being too slow. */
  send(event: string, data: string): boolean;
  end(): void;
  readonly closed: AbortSignal;
}

export interface EventStreamOptions {
  readonly headers?: Headers;
  /** An empty line this often keeps proxies from closing a quiet stream. */
  readonly heartbeatMs?: number;
  readonly start: (writer: EventWriter) => void;
}

const defaultHeartbeatMs = 10_000;

/** Answers with server-sent events in Jetty's framing, which Marathon's clients know: CR LF line ends. */
export function eventStreamResponse({ headers, heartbeatMs, start }: EventStreamOptions): HttpResponse {
  const head = { "Content-Type": "text/event-stream;charset=utf-8", "Cache-Control": "no-cache", ...headers };
  return streamResponse(200, head, (sink) => {
    const beat = setInterval(() => sink.write("\r\n"), heartbeatMs ?? defaultHeartbeatMs);
    beat.unref();
    sink.closed.addEventListener("abort", () => clearInterval(beat), { once: true });
    start({
      closed: sink.closed,
      end: () => sink.end(),
      send: (event, data) => sink.write(frameEvent(event, data)),
    });
  });
}

export function frameEvent(event: string, data: string): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\r\n`);
  return `event: ${event.replace(/[\r\n]/g, "")}\r\n${lines.join("")}\r\n`;
}

export interface ServerSentEvent {
  readonly event: string;
  readonly data: string;
}

/** The reading side: text in as it comes, whole events out. Any line end counts. */
export class EventDecoder {
  readonly #maxEventChars: number;
  #rest = "";
  #event = "";
  #data: string[] = [];
  #chars = 0;

  constructor(maxEventChars = 64 * 1024 * 1024) {
    this.#maxEventChars = maxEventChars;
  }

  push(text: string): ServerSentEvent[] {
    const joined = this.#rest + text;
    // A CR at the very end may be half of a CR LF: it waits for what follows.
    const usable = joined.endsWith("\r") ? joined.length - 1 : joined.length;
    const lines = joined.slice(0, usable).split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? "") + joined.slice(usable);
    const events = lines.flatMap((line) => this.#line(line));
    if (this.#rest.length + this.#chars > this.#maxEventChars) {
      throw new RangeError(`An event has more than ${this.#maxEventChars} characters`);
    }
    return events;
  }

  #line(line: string): ServerSentEvent[] {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    if (field === "data") {
      this.#data.push(value);
      this.#chars += value.length;
    }
    return [];
  }

  #dispatch(): ServerSentEvent[] {
    const ready =
      this.#data.length > 0 ? [{ event: this.#event || "message", data: this.#data.join("\n") }] : [];
    this.#event = "";
    this.#data = [];
    this.#chars = 0;
    return ready;
  }
}

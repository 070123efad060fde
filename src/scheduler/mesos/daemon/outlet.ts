/** The sending end of a stream that may not be open yet: what is sent before waits, within a limit. */
import type { RecordWriter } from "../../http/record-stream.ts";

const maxWaiting = 10_000;

export class Outlet {
  #writer: RecordWriter | undefined;
  #waiting: string[] = [];
  #ended = false;
  readonly #onClosed: () => void;

  /** `onClosed` is called once, when the reader is gone; not for an `end` of our own. */
  constructor(onClosed: () => void) {
    this.#onClosed = onClosed;
  }

  attach(writer: RecordWriter): void {
    this.#writer = writer;
    writer.closed.addEventListener("abort", () => this.#close(), { once: true });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const record of waiting) if (!writer.send(record)) this.#close();
    if (this.#ended) writer.end();
    else if (writer.closed.aborted) this.#close();
  }

  send(message: object): void {
    if (this.#ended) return;
    const record = JSON.stringify(message);
    if (this.#writer !== undefined) {
      if (!this.#writer.send(record)) this.#close();
    } else if (this.#waiting.length < maxWaiting) this.#waiting.push(record);
    else this.#close();
  }

  end(): void {
    this.#ended = true;
    this.#writer?.end();
  }

  #close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#writer?.end();
    this.#onClosed();
  }
}

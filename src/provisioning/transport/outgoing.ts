/**
 * What leaves for a shell, in its order: text as soon as the shell may be spoken to, files piece by piece, as fast as
 * the other side takes them, and only once it is known who reads there.
 */
import { createReadStream } from "node:fs";
import type { Channel } from "./channel.ts";
import { limits } from "./limits.ts";
import type { StreamedInput } from "./session.ts";
import { type Part, pieceOf } from "./shell-text.ts";

export interface OutgoingEvents {
  /** Another piece of that frame's stream has left. */
  progress(id: number): void;
  /** The controller's file could not be read to its end: the script sees less than was promised. */
  unreadable(id: number, error: Error): void;
  failed(error: unknown): void;
}

export class Outgoing {
  readonly #channel: Channel;
  readonly #nonce: string;
  readonly #events: OutgoingEvents;
  readonly #stopped = new Set<number>();
  #parts: Part[] = [];
  #allowed: "nothing" | "text" | "all" = "nothing";
  #isStreaming = false;
  #isClosed = false;

  constructor(channel: Channel, nonce: string, events: OutgoingEvents) {
    this.#channel = channel;
    this.#nonce = nonce;
    this.#events = events;
  }

  push(parts: readonly Part[]): void {
    this.#parts.push(...parts);
    this.#flush();
  }

  allow(what: "text" | "all"): void {
    if (this.#allowed !== "all") this.#allowed = what;
    this.#flush();
  }

  /** What is left of that frame's stream is not sent. */
  stop(id: number): void {
    this.#stopped.add(id);
  }

  close(): void {
    this.#isClosed = true;
    this.#parts = [];
  }

  #flush(): void {
    if (this.#isStreaming || this.#isClosed || this.#allowed === "nothing") return;
    const at = this.#parts.findIndex((part) => !(part instanceof Uint8Array));
    const texts = this.#parts.splice(0, at === -1 ? this.#parts.length : at);
    const bytes = Buffer.concat(texts.filter((part) => part instanceof Uint8Array));
    if (bytes.length > 0) this.#write(bytes).catch((error: unknown) => this.#events.failed(error));
    const [next] = this.#parts;
    if (next === undefined || next instanceof Uint8Array || this.#allowed !== "all") return;
    this.#parts.shift();
    this.#isStreaming = true;
    this.#stream(next.id, next.stream)
      .then(() => {
        this.#isStreaming = false;
        this.#flush();
      })
      .catch((error: unknown) => this.#events.failed(error));
  }

  /** A connection that has gone takes nothing, and says so elsewhere. */
  async #write(bytes: Uint8Array): Promise<void> {
    if (!this.#isClosed) await this.#channel.write(bytes);
  }

  async #stream(id: number, stream: StreamedInput): Promise<void> {
    const pieces = piecesOf(stream);
    while (!this.#isClosed && !this.#stopped.has(id)) {
      const piece = await pieces.next().catch((error: unknown) => {
        if (!(error instanceof Error)) throw error;
        this.#events.unreadable(id, error);
        return { done: true as const, value: undefined };
      });
      if (piece.done === true) break;
      await this.#write(pieceOf(this.#nonce, piece.value));
      this.#events.progress(id);
    }
    await pieces.return(undefined);
    await this.#write(pieceOf(this.#nonce, new Uint8Array()));
  }
}

/** A file that grows meanwhile is sent as long as it was. */
async function* piecesOf({ from, sizeBytes }: StreamedInput): AsyncGenerator<Uint8Array, undefined> {
  const size = limits.transferChunkBytes;
  if (typeof from !== "string") {
    for (let at = 0; at < from.length; at += size) yield from.subarray(at, at + size);
  } else if (sizeBytes > 0) {
    yield* createReadStream(from, { end: sizeBytes - 1, highWaterMark: size }) as AsyncIterable<Buffer>;
  }
  return undefined;
}

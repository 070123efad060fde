/** Splits one stream of a shell into data and marks, however it is cut into chunks. */
export interface MarkEvents {
  data(bytes: Buffer): void;
  mark(words: readonly string[]): void;
}

const newline = 10;

export class MarkReader {
  readonly #marker: Buffer;
  readonly #events: MarkEvents;
  #carry: Buffer = Buffer.alloc(0);

  constructor(nonce: string, events: MarkEvents) {
    this.#marker = Buffer.from(`\n${nonce} `);
    this.#events = events;
  }

  feed(chunk: Buffer): void {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    let from = 0;
    for (;;) {
      const at = bytes.indexOf(this.#marker, from);
      if (at === -1) break;
      const end = bytes.indexOf(newline, at + this.#marker.length);
      if (end === -1) {
        this.#emit(bytes.subarray(from, at));
        this.#carry = bytes.subarray(at);
        return;
      }
      this.#emit(bytes.subarray(from, at));
      this.#events.mark(bytes.toString("latin1", at + this.#marker.length, end).split(" "));
      from = end + 1;
    }
    const keep = this.#beginningOfMark(bytes, from);
    this.#emit(bytes.subarray(from, keep));
    this.#carry = bytes.subarray(keep);
  }

  /** Gives out what was held back because a mark might have begun there: nothing more is coming. */
  flush(): void {
    const rest = this.#carry;
    this.#carry = Buffer.alloc(0);
    this.#emit(rest);
  }

  /** Where a mark may have begun that the next chunk completes. */
  #beginningOfMark(bytes: Buffer, from: number): number {
    const first = Math.max(from, bytes.length - this.#marker.length + 1);
    for (let at = bytes.indexOf(newline, first); at !== -1; at = bytes.indexOf(newline, at + 1)) {
      if (bytes.subarray(at).equals(this.#marker.subarray(0, bytes.length - at))) return at;
    }
    return bytes.length;
  }

  #emit(bytes: Buffer): void {
    if (bytes.length > 0) this.#events.data(bytes);
  }
}

/** Jute, ZooKeeper's binary encoding: big-endian numbers, buffers and strings behind a length of four bytes. */
export class JuteWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  int(value: number): this {
    this.#length = this.#room(4).writeInt32BE(value, this.#length);
    return this;
  }

  long(value: bigint): this {
    this.#length = this.#room(8).writeBigInt64BE(value, this.#length);
    return this;
  }

  bool(value: boolean): this {
    this.#length = this.#room(1).writeUInt8(value ? 1 : 0, this.#length);
    return this;
  }

  /** `undefined` is written as null (length −1). */
  buffer(value: Uint8Array | undefined): this {
    if (value === undefined) return this.int(-1);
    this.int(value.length);
    this.#room(value.length).set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  string(value: string): this {
    return this.buffer(Buffer.from(value));
  }

  vector<T>(values: readonly T[], write: (value: T) => void): this {
    this.int(values.length);
    for (const value of values) write(value);
    return this;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(size: number): Buffer {
    if (this.#length + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + size));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

export class JuteError extends Error {
  override readonly name = "JuteError";
}

export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#step(4));
  }

  long(): bigint {
    return this.#bytes.readBigInt64BE(this.#step(8));
  }

  bool(): boolean {
    return this.#bytes.readUInt8(this.#step(1)) !== 0;
  }

  /** A null buffer reads as an empty one. The bytes are a copy: frames are large and soon let go. */
  buffer(): Buffer {
    const length = this.int();
    if (length < 0) return Buffer.alloc(0);
    const from = this.#step(length);
    return Buffer.from(this.#bytes.subarray(from, from + length));
  }

  string(): string {
    const length = this.int();
    if (length < 0) return "";
    const from = this.#step(length);
    return this.#bytes.toString("utf8", from, from + length);
  }

  vector<T>(read: () => T): T[] {
    const length = this.int();
    if (length > this.#bytes.length) throw new JuteError(`A vector of ${length} does not fit its frame`);
    return Array.from({ length: Math.max(length, 0) }, read);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  #step(size: number): number {
    const from = this.#at;
    if (from + size > this.#bytes.length) throw new JuteError("An answer is shorter than its fields");
    this.#at = from + size;
    return from;
  }
}

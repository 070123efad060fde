/**
 * RecordIO, the framing of Mesos' streams: `<length in bytes>\n<record>`. A record is always given out as one
 * buffer, to be written as one chunk: some clients refuse a chunk that holds other than one record.
 */
export class RecordIoError extends Error {
  override readonly name = "RecordIoError";
}

export const defaultMaxRecordBytes = 64 * 1024 * 1024;
const maxLengthDigits = 20;
const newline = 10;

export function encodeRecord(record: Uint8Array | string): Buffer {
  const data = typeof record === "string" ? Buffer.from(record) : record;
  return Buffer.concat([Buffer.from(`${data.length}\n`), data]);
}

/** Takes chunks as they come off the wire and gives whole records. */
export class RecordDecoder {
  readonly #maxRecordBytes: number;
  #chunks: Buffer[] = [];
  #buffered = 0;
  /** The length of the record being read; undefined while its length line is. */
  #wanted: number | undefined;

  constructor(maxRecordBytes: number = defaultMaxRecordBytes) {
    this.#maxRecordBytes = maxRecordBytes;
  }

  push(chunk: Uint8Array): Buffer[] {
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#buffered += chunk.length;
    const records: Buffer[] = [];
    for (;;) {
      this.#wanted ??= this.#readLength();
      if (this.#wanted === undefined || this.#buffered < this.#wanted) return records;
      records.push(this.#take(this.#wanted));
      this.#wanted = undefined;
    }
  }

  /** Whether the stream may end here: no record has begun. */
  get isBetweenRecords(): boolean {
    return this.#buffered === 0 && this.#wanted === undefined;
  }

  #readLength(): number | undefined {
    const held = this.#join();
    const end = held.subarray(0, maxLengthDigits + 1).indexOf(newline);
    if (end < 0) {
      if (held.length > maxLengthDigits) throw new RecordIoError("A record's length has too many digits");
      return undefined;
    }
    const digits = held.toString("latin1", 0, end);
    if (!/^\d+$/.test(digits)) throw new RecordIoError(`A record's length is ${JSON.stringify(digits)}`);
    const length = Number(digits);
    if (length > this.#maxRecordBytes) {
      throw new RecordIoError(`A record has ${digits} bytes, more than ${this.#maxRecordBytes}`);
    }
    this.#take(end + 1);
    return length;
  }

  #take(length: number): Buffer {
    const held = this.#join();
    this.#chunks = length === held.length ? [] : [held.subarray(length)];
    this.#buffered -= length;
    return held.subarray(0, length);
  }

  #join(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const joined = Buffer.concat(this.#chunks, this.#buffered);
    this.#chunks = [joined];
    return joined;
  }
}

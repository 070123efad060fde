import { crc32 } from "node:zlib";

/** One change as the journal keeps it: absolute, so that reading it twice does no harm. */
export type JournalEntry =
  | { readonly op: "put"; readonly key: string; readonly version: number; readonly value: Uint8Array }
  | { readonly op: "delete"; readonly key: string };

/** At the start of every journal; the digit is the format's version. */
export const journalMagic = Buffer.from("PRVJRNL1");
const headBytes = 8;
const opPut = 1;
const opDelete = 2;

/** A record: length, checksum, entries. It counts whole or not at all. */
export function encodeRecord(entries: readonly JournalEntry[]): Buffer {
  const body = Buffer.concat(entries.flatMap(encodeEntry));
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(body.length, 0);
  head.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([head, body]);
}

function encodeEntry(entry: JournalEntry): Uint8Array[] {
  const key = Buffer.from(entry.key);
  const head = Buffer.alloc(13);
  head.writeUInt8(entry.op === "put" ? opPut : opDelete, 0);
  head.writeUInt32BE(key.length, 1);
  if (entry.op === "delete") return [head, key];
  head.writeUInt32BE(entry.version, 5);
  head.writeUInt32BE(entry.value.length, 9);
  return [head, key, entry.value];
}

export interface JournalContent {
  readonly entries: readonly JournalEntry[];
  /** Up to where the journal is whole. What follows was being written when the machine stopped. */
  readonly wholeBytes: number;
}

export class JournalDamaged extends Error {
  override readonly name = "JournalDamaged";
}

/** Only the end may be torn: a bad record that others follow was acknowledged once, and is a damage to be told. */
export function decodeJournal(bytes: Buffer, path: string): JournalContent {
  if (bytes.length < journalMagic.length) return { entries: [], wholeBytes: 0 };
  if (!bytes.subarray(0, journalMagic.length).equals(journalMagic)) {
    throw new JournalDamaged(`Cannot read "${path}": it is no journal of this program`);
  }
  const entries: JournalEntry[] = [];
  let at = journalMagic.length;
  for (;;) {
    const next = recordEnd(bytes, at);
    if (next === undefined) break;
    entries.push(...decodeEntries(bytes.subarray(at + headBytes, next)));
    at = next;
  }
  const claimed = at + headBytes <= bytes.length ? at + headBytes + bytes.readUInt32BE(at) : bytes.length;
  if (claimed > at + headBytes && recordEnd(bytes, claimed) !== undefined) {
    throw new JournalDamaged(
      `Cannot read "${path}": the record at byte ${at} is damaged, and others follow it`,
    );
  }
  return { entries, wholeBytes: at };
}

/** Where the record at `at` ends, or undefined if it is not whole. An empty record is none: zeros look like it. */
function recordEnd(bytes: Buffer, at: number): number | undefined {
  if (at + headBytes > bytes.length) return undefined;
  const length = bytes.readUInt32BE(at);
  const end = at + headBytes + length;
  if (length === 0 || end > bytes.length) return undefined;
  return crc32(bytes.subarray(at + headBytes, end)) === bytes.readUInt32BE(at + 4) ? end : undefined;
}

function decodeEntries(body: Buffer): JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (let at = 0; at < body.length; ) {
    const op = body.readUInt8(at);
    const keyEnd = at + 13 + body.readUInt32BE(at + 1);
    const key = body.toString("utf8", at + 13, keyEnd);
    if (op === opDelete) {
      entries.push({ op: "delete", key });
      at = keyEnd;
    } else {
      const end = keyEnd + body.readUInt32BE(at + 9);
      const value = Buffer.from(body.subarray(keyEnd, end));
      entries.push({ op: "put", key, version: body.readUInt32BE(at + 5), value });
      at = end;
    }
  }
  return entries;
}

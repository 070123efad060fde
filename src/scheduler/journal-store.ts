import { type FileHandle, mkdir, open, readFile, rename, rm, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { decodeJournal, encodeRecord, type JournalEntry, journalMagic } from "./journal-format.ts";
import { KeyIndex } from "./key-index.ts";
import { lockFolder } from "./lock-folder.ts";
import {
  checkStoreKey,
  checkStoreOperations,
  type Store,
  StoreConflict,
  type StoredValue,
  type StoreOperation,
  StoreUnavailable,
} from "./store.ts";

export interface JournalStoreOptions {
  /** Held by one process at a time. Made if it is missing. */
  readonly folder: string;
  readonly log?: (line: string) => void;
  /** Below this size a journal is not worth writing anew. */
  readonly compactFromBytes?: number;
}

const defaultCompactFromBytes = 4 * 1024 * 1024;
/** Written anew when it is so many times as large as what it says. */
const compactRatio = 4;
const snapshotRecordBytes = 1024 * 1024;

interface Waiting {
  readonly entries: readonly JournalEntry[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A Store in one append-only file. A commit is acknowledged after fsync; commits that come while the disk is busy
 * share the next one. What was torn by a crash is cut off at the start. All values are in memory as well.
 */
export class JournalStore implements Store {
  readonly #path: string;
  readonly #options: JournalStoreOptions;
  readonly #unlock: () => Promise<void>;
  readonly #values = new Map<string, StoredValue>();
  readonly #index = new KeyIndex();
  #file: FileHandle;
  #fileBytes: number;
  #liveBytes = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #broken: unknown;

  static async open(options: JournalStoreOptions): Promise<JournalStore> {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    const unlock = await lockFolder(options.folder);
    try {
      const path = join(options.folder, "journal");
      await rm(`${path}.new`, { force: true });
      const bytes = await readFile(path).catch(ignoreMissing);
      const { entries, wholeBytes } = decodeJournal(bytes, path);
      if (wholeBytes < bytes.length) {
        options.log?.(
          `"${path}": cutting off ${bytes.length - wholeBytes} bytes that a crash left half-written`,
        );
        await truncate(path, wholeBytes);
      }
      const file = await open(path, "a", 0o600);
      if (wholeBytes === 0) await file.write(journalMagic);
      await file.sync();
      await syncFolder(options.folder);
      const fileBytes = Math.max(wholeBytes, journalMagic.length);
      return new JournalStore({ options, path, unlock, file, fileBytes, entries });
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  private constructor(parts: {
    readonly options: JournalStoreOptions;
    readonly path: string;
    readonly unlock: () => Promise<void>;
    readonly file: FileHandle;
    readonly fileBytes: number;
    readonly entries: readonly JournalEntry[];
  }) {
    this.#options = parts.options;
    this.#path = parts.path;
    this.#unlock = parts.unlock;
    this.#file = parts.file;
    this.#fileBytes = parts.fileBytes;
    for (const entry of parts.entries) this.#apply(entry);
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkStoreKey(key);
    return this.#values.get(key);
  }

  async list(key: string): Promise<readonly string[]> {
    if (key !== "/") checkStoreKey(key);
    return this.#index.list(key);
  }

  async commit(operations: readonly StoreOperation[]): Promise<void> {
    checkStoreOperations(operations);
    this.#refuseIfBroken();
    const entries = operations.flatMap((operation) => this.#decide(operation));
    if (entries.length === 0) return;
    for (const entry of entries) this.#apply(entry);
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ entries, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    this.#broken ??= new Error("the store is closed");
    await this.#file.close();
    await this.#unlock();
  }

  #refuseIfBroken(): void {
    if (this.#broken === undefined) return;
    const state = this.#broken instanceof Error ? this.#broken.message : String(this.#broken);
    throw new StoreUnavailable(`Cannot write "${this.#path}": ${state}`, { cause: this.#broken });
  }

  #decide(operation: StoreOperation): JournalEntry[] {
    const { key, version: wanted } = operation;
    const found = this.#values.get(key)?.version;
    if (wanted !== undefined && wanted !== (found ?? -1)) {
      throw new StoreConflict(`Cannot commit: "${key}" is at version ${found ?? "none"}, not at ${wanted}`);
    }
    if (operation.op === "delete") return found === undefined ? [] : [{ op: "delete", key }];
    const value = Buffer.from(operation.value);
    return [{ op: "put", key, version: found === undefined ? 0 : found + 1, value }];
  }

  #apply(entry: JournalEntry): void {
    const { key } = entry;
    const old = this.#values.get(key);
    if (old !== undefined) this.#liveBytes -= key.length + old.value.length;
    if (entry.op === "delete") {
      if (this.#values.delete(key)) this.#index.remove(key);
      return;
    }
    this.#values.set(key, { value: entry.value, version: entry.version });
    this.#liveBytes += key.length + entry.value.length;
    if (old === undefined) this.#index.add(key);
  }

  /** Writes what waits, and what comes meanwhile, until nothing is left. Never rejects. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        this.#refuseIfBroken();
        await this.#append(encodeRecord(batch.flatMap(({ entries }) => entries)));
        for (const { resolve } of batch) resolve();
        await this.#compactIfWorth();
      } catch (error) {
        // After a failed write nobody knows what the disk holds; memory is ahead of it. Only a restart can tell.
        this.#broken ??= error;
        for (const { reject } of batch) reject(unavailable(this.#path, error));
      }
    }
    this.#writing = undefined;
  }

  async #append(record: Buffer): Promise<void> {
    let from = 0;
    while (from < record.length) from += (await this.#file.write(record, from)).bytesWritten;
    await this.#file.datasync();
    this.#fileBytes += record.length;
  }

  async #compactIfWorth(): Promise<void> {
    const least = this.#options.compactFromBytes ?? defaultCompactFromBytes;
    if (this.#fileBytes < least || this.#fileBytes < compactRatio * this.#liveBytes) return;
    const temporary = `${this.#path}.new`;
    const next = await open(temporary, "w", 0o600);
    let size = journalMagic.length;
    await next.write(journalMagic);
    for (const record of this.#snapshot()) {
      await next.appendFile(record);
      size += record.length;
    }
    await next.sync();
    await rename(temporary, this.#path);
    await syncFolder(dirname(this.#path));
    const old = this.#file;
    this.#file = next;
    this.#fileBytes = size;
    await old.close();
  }

  /** Commits that wait to be written may be in it already: their records say the same once more. */
  *#snapshot(): Generator<Buffer> {
    let entries: JournalEntry[] = [];
    let size = 0;
    for (const [key, { version, value }] of this.#values) {
      entries.push({ op: "put", key, version, value });
      size += value.length;
      if (size < snapshotRecordBytes) continue;
      yield encodeRecord(entries);
      entries = [];
      size = 0;
    }
    if (entries.length > 0) yield encodeRecord(entries);
  }
}

const unavailable = (path: string, cause: unknown): StoreUnavailable => {
  if (cause instanceof StoreUnavailable) return cause;
  const state = cause instanceof Error ? cause.message : String(cause);
  return new StoreUnavailable(`Cannot write "${path}": ${state}`, { cause, mayHaveHappened: true });
};

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ignoreMissing(error: unknown): Buffer {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return Buffer.alloc(0);
  throw error;
}

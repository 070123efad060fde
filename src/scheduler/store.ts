/**
 * What a daemon must not lose. Two implementations: ZooKeeper for a cluster, a journal on local disk for
 * `provision standalone`. Keys are paths like "/apps/www"; values are bytes. A key may have a value, keys below it,
 * or both.
 */
export interface Store {
  get(key: string): Promise<StoredValue | undefined>;
  /** Direct children's names: of keys, and of what leads to deeper keys. */
  list(key: string): Promise<readonly string[]>;
  /** All operations or none; a key at most once. A wrong `version` fails the whole with StoreConflict. */
  commit(operations: readonly StoreOperation[]): Promise<void>;
}
export interface StoredValue {
  readonly value: Uint8Array;
  /** 0 when the key is new, one more with each put. */
  readonly version: number;
}
export type StoreOperation =
  /** With `version` only over that version; −1: only if there is none yet. */
  | { readonly op: "put"; readonly key: string; readonly value: Uint8Array; readonly version?: number }
  /** Without `version` a missing key is fine. */
  | { readonly op: "delete"; readonly key: string; readonly version?: number };

/** Somebody else changed what this commit was decided on. Nothing was written. */
export class StoreConflict extends Error {
  override readonly name = "StoreConflict";
}

export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  /** Whether the commit may have been written all the same: read again before deciding on. */
  readonly mayHaveHappened: boolean;

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly mayHaveHappened?: boolean } = {},
  ) {
    super(message, { cause: options.cause });
    this.mayHaveHappened = options.mayHaveHappened ?? false;
  }
}

/** A programmer's mistake, found before anything is written. */
export function checkStoreOperations(operations: readonly StoreOperation[]): void {
  const seen = new Set<string>();
  for (const { key } of operations) {
    checkStoreKey(key);
    if (seen.has(key)) throw new TypeError(`Key "${key}" stands twice in one commit`);
    seen.add(key);
  }
}

export function checkStoreKey(key: string): void {
  const parts = key.split("/").slice(1);
  const isFine = key.startsWith("/") && parts.every((part) => part !== "" && !part.startsWith("."));
  if (!isFine) throw new TypeError(`"${key}" is no key of a store`);
}

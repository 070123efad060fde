/**
 * What a daemon must not lose. Two implementations: ZooKeeper for a cluster, a journal on local disk for
 * `provision standalone`. Keys are paths like "/apps/www"; values are bytes.
 */
export interface Store {
  get(key: string): Promise<StoredValue | undefined>;
  /** Direct children's names. */
  list(key: string): Promise<readonly string[]>;
  /** All operations or none. A wrong `version` fails the whole with StoreConflict. */
  commit(operations: readonly StoreOperation[]): Promise<void>;
}
export interface StoredValue {
  readonly value: Uint8Array;
  readonly version: number;
}
export type StoreOperation =
  | { readonly op: "put"; readonly key: string; readonly value: Uint8Array; readonly version?: number }
  | { readonly op: "delete"; readonly key: string; readonly version?: number };

export class StoreConflict extends Error {
  override readonly name = "StoreConflict";
}
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
}

import {
  type Store,
  StoreConflict,
  type StoredValue,
  type StoreOperation,
} from "../../../src/scheduler/store.ts";

/** A Store that forgets. */
export class MemoryStore implements Store {
  readonly values = new Map<string, StoredValue>();

  get(key: string): Promise<StoredValue | undefined> {
    return Promise.resolve(this.values.get(key));
  }

  list(key: string): Promise<readonly string[]> {
    const prefix = `${key}/`;
    const names = [...this.values.keys()].filter((each) => each.startsWith(prefix));
    return Promise.resolve([...new Set(names.map((each) => each.slice(prefix.length).split("/")[0] ?? ""))]);
  }

  commit(operations: readonly StoreOperation[]): Promise<void> {
    for (const { key, version } of operations)
      if (version !== undefined && this.values.get(key)?.version !== version)
        return Promise.reject(new StoreConflict(key));
    for (const operation of operations) {
      if (operation.op === "delete") this.values.delete(operation.key);
      else
        this.values.set(operation.key, {
          value: operation.value,
          version: (this.values.get(operation.key)?.version ?? 0) + 1,
        });
    }
    return Promise.resolve();
  }
}

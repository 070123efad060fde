import {
  type Store,
  StoreConflict,
  type StoredValue,
  type StoreOperation,
} from "../../src/scheduler/store.ts";

/** A Store that forgets, with faults on demand. */
export class MemoryStore implements Store {
  readonly values = new Map<string, StoredValue>();
  /** Thrown by the next commits while set. */
  fault: Error | undefined;
  commits = 0;

  get(key: string): Promise<StoredValue | undefined> {
    return Promise.resolve(this.values.get(key));
  }

  list(key: string): Promise<readonly string[]> {
    const prefix = key === "/" ? "/" : `${key}/`;
    const names = [...this.values.keys()]
      .filter((candidate) => candidate.startsWith(prefix))
      .map((candidate) => candidate.slice(prefix.length).split("/")[0] ?? "");
    return Promise.resolve([...new Set(names)].sort());
  }

  async commit(operations: readonly StoreOperation[]): Promise<void> {
    await Promise.resolve();
    if (this.fault !== undefined) throw this.fault;
    this.commits += 1;
    for (const operation of operations) {
      const now = this.values.get(operation.key)?.version ?? -1;
      if (operation.version !== undefined && operation.version !== now)
        throw new StoreConflict(operation.key);
    }
    for (const operation of operations) {
      if (operation.op === "delete") this.values.delete(operation.key);
      else {
        const version = (this.values.get(operation.key)?.version ?? -1) + 1;
        this.values.set(operation.key, { value: operation.value, version });
      }
    }
  }
}

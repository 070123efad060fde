/**
 * Writes that only the newest leader can make. Each commit also moves on the node /leader from the version that this
 * leader saw last; a leader that was replaced and does not know it yet fails there, and nothing of its commit is kept.
 */
import { type Store, StoreConflict, type StoreOperation } from "../../store.ts";

const key = "/leader";
/** ZooKeeper refuses a request beyond 1 MB; what is larger goes in parts, in order. */
const maxCommitBytes = 512 * 1024;
const maxCommitOperations = 500;

export class FencedStore {
  readonly #store: Store;
  readonly #holder: Uint8Array;
  #version: number | undefined;

  private constructor(store: Store, holder: string) {
    this.#store = store;
    this.#holder = new TextEncoder().encode(JSON.stringify({ leader: holder }));
  }

  /** Takes the fence over: from now on the leader before cannot commit. */
  static async take(store: Store, holder: string): Promise<FencedStore> {
    const fenced = new FencedStore(store, holder);
    await store.commit([{ op: "put", key, value: fenced.#holder }]);
    await fenced.#look();
    return fenced;
  }

  async #look(): Promise<void> {
    const stored = await this.#store.get(key);
    if (stored === undefined || !same(stored.value, this.#holder)) throw new StoreConflict("another leader");
    this.#version = stored.version;
  }

  async commit(operations: readonly StoreOperation[]): Promise<void> {
    for (const part of partsOf(operations)) {
      const version = this.#version;
      const fence: StoreOperation = {
        op: "put",
        key,
        value: this.#holder,
        ...(version === undefined ? {} : { version }),
      };
      await this.#store.commit([fence, ...part]);
      if (version === undefined) await this.#look();
      else this.#version = version + 1;
    }
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function partsOf(operations: readonly StoreOperation[]): readonly (readonly StoreOperation[])[] {
  const parts: StoreOperation[][] = [[]];
  let size = 0;
  for (const operation of operations) {
    const weight = operation.key.length + (operation.op === "put" ? operation.value.length : 0);
    const part = parts.at(-1);
    if (part === undefined || part.length >= maxCommitOperations || size + weight > maxCommitBytes) {
      parts.push([operation]);
      size = weight;
    } else {
      part.push(operation);
      size += weight;
    }
  }
  return parts.filter((part) => part.length > 0);
}

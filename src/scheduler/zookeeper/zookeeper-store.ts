import { randomBytes } from "node:crypto";
import {
  checkStoreKey,
  checkStoreOperations,
  type Store,
  StoreConflict,
  type StoredValue,
  type StoreOperation,
  StoreUnavailable,
} from "../store.ts";
import {
  cutIntoParts,
  decodeNode,
  encodeParts,
  encodeWhole,
  joinParts,
  maxNodeBytes,
  type PackedValue,
  type PartsList,
  packValue,
} from "./stored-node.ts";
import type { Operation, ZooKeeperClient } from "./zookeeper-client.ts";
import { isUnavailable, isZooKeeperError } from "./zookeeper-error.ts";

export interface ZooKeeperStoreOptions {
  readonly client: ZooKeeperClient;
  /** The node under which all keys stand: "/state". "/" takes the chroot itself. */
  readonly root: string;
  /**
   * Our election's node (LeaderElection.ownPath). Given, nothing is committed unless it still stands: a leader of the
   * past cannot write, whatever it believes. `undefined` from it means that we do not lead.
   */
  readonly guard?: () => string | undefined;
}

/** What a commit may hold in all, with room for what frames it: the servers refuse requests beyond 1 MB. */
const maxCommitBytes = 900 * 1024;
const perOperationBytes = 200;
const maxTries = 4;
/** Parts whose commit never came are left alone this long: it may still be under way. */
const orphanAgeMs = 10 * 60_000;
const parallelReads = 512;

interface Seen {
  readonly exists: boolean;
  readonly isFolder: boolean;
  readonly version: number;
  readonly childrenCount: number;
  readonly parts: PartsList | undefined;
}

/** A Store in ZooKeeper: a key is a node; a commit is one multi. */
export class ZooKeeperStore implements Store {
  readonly #client: ZooKeeperClient;
  readonly #root: string;
  readonly #guard: (() => string | undefined) | undefined;
  readonly #folders = new Set<string>();
  #isSwept = false;

  constructor({ client, root, guard }: ZooKeeperStoreOptions) {
    this.#client = client;
    this.#root = root === "/" ? "" : root;
    this.#guard = guard;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkStoreKey(key);
    return await available(`read "${key}"`, async () => {
      for (let left = maxTries; left > 0; left--) {
        const found = await this.#read(key);
        if (found !== "changed") return found;
      }
      throw new StoreUnavailable(`Cannot read "${key}": it changes faster than it can be read`);
    });
  }

  async list(key: string): Promise<readonly string[]> {
    if (key !== "/") checkStoreKey(key);
    return await available(`list "${key}"`, async () => {
      const path = this.#path(key);
      const names = await this.#client.getChildren(path).catch(ignoreNoNode);
      const shown = (names ?? []).filter((name) => !name.startsWith(".")).sort();
      const kept = await inBatches(shown, async (name) => {
        const stat = await this.#client.exists(path === "/" ? `/${name}` : `${path}/${name}`);
        return stat !== undefined && (stat.dataLength > 0 || stat.childrenCount > 0) ? [name] : [];
      });
      return kept.flat();
    });
  }

  async commit(operations: readonly StoreOperation[]): Promise<void> {
    checkStoreOperations(operations);
    if (operations.length === 0) return;
    await available("commit", async () => {
      for (let left = maxTries; left > 0; left--) {
        if (await this.#tryCommit(operations)) return;
      }
      throw new StoreConflict(
        `Cannot commit: ${operations[0]?.key} and others are being changed by somebody else`,
      );
    });
  }

  async #read(key: string): Promise<StoredValue | undefined | "changed"> {
    const found = await this.#client.getData(this.#path(key)).catch(ignoreNoNode);
    if (found === undefined) return undefined;
    const { version } = found.stat;
    const node = decodeNode(found.data);
    if (node.form === "folder") return undefined;
    if (node.form === "whole") return { value: node.value, version };
    const { id, count, isGzip } = node.parts;
    const parts = await inBatches(
      Array.from({ length: count }, (_, index) => `${this.#partsPath(id)}/${index}`),
      async (path) => (await this.#client.getData(path).catch(ignoreNoNode))?.data,
    );
    if (!parts.every((part) => part !== undefined)) return "changed";
    return { value: joinParts(parts, isGzip), version };
  }

  /** False: what was seen before has changed under it; look and try again. */
  async #tryCommit(operations: readonly StoreOperation[]): Promise<boolean> {
    const seen = await inBatches(operations, ({ key }) => this.#see(key));
    await this.#makeFolders(operations, seen);
    const written: string[] = [];
    try {
      const values = await this.#spill(operations, written);
      const { multi, guards } = this.#multiOf(operations, seen, values);
      if (multi.length > guards) await this.#client.multi(multi);
      await this.#dropParts(seen.flatMap(({ parts }) => parts?.id ?? []));
      await this.#prune(operations);
      return true;
    } catch (error) {
      // If the commit may have happened, its parts must stay.
      if (!isUnavailable(error) || !error.mayHaveHappened) await this.#dropParts(written);
      return this.#judge(error, operations, this.#guard === undefined ? 0 : 1);
    }
  }

  #judge(error: unknown, operations: readonly StoreOperation[], guards: number): false {
    if (!isZooKeeperError(error, "BadVersion", "NoNode", "NodeExists", "NotEmpty")) throw error;
    const { operationIndex } = error;
    if (guards > 0 && operationIndex === 0) {
      throw new StoreUnavailable("Cannot commit: another process leads now", { cause: error });
    }
    this.#folders.clear();
    const versioned = operations.some(({ version }) => version !== undefined);
    if (error.reason === "BadVersion" && versioned) {
      throw new StoreConflict(`Cannot commit: ${error.message}`, { cause: error });
    }
    return false;
  }

  async #see(key: string): Promise<Seen> {
    const found = await this.#client.getData(this.#path(key)).catch(ignoreNoNode);
    if (found === undefined) {
      return { exists: false, isFolder: false, version: -1, childrenCount: 0, parts: undefined };
    }
    const { version, childrenCount } = found.stat;
    const isFolder = found.data.length === 0;
    const node = found.data[0] === 2 ? decodeNode(found.data) : undefined;
    return {
      exists: true,
      isFolder,
      version,
      childrenCount,
      parts: node?.form === "parts" ? node.parts : undefined,
    };
  }

  async #makeFolders(operations: readonly StoreOperation[], seen: readonly Seen[]): Promise<void> {
    for (const [index, { op, key }] of operations.entries()) {
      if (op === "delete" || seen[index]?.exists === true) continue;
      const path = this.#path(key);
      const folder = path.slice(0, path.lastIndexOf("/")) || "/";
      if (this.#folders.has(folder)) continue;
      await this.#client.createRecursive(folder);
      this.#folders.add(folder);
    }
  }

  /** Values as they stand in their nodes. The largest go to parts of their own, as many as it takes to fit. */
  async #spill(
    operations: readonly StoreOperation[],
    written: string[],
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const values = new Map<string, Uint8Array>();
    let size = operations.length * perOperationBytes;
    const packed = operations
      .flatMap((operation) =>
        operation.op === "put" ? [{ key: operation.key, packed: packValue(operation.value) }] : [],
      )
      .sort((left, right) => left.packed.bytes.length - right.packed.bytes.length);
    for (const { key, packed: value } of packed) {
      const fits = value.bytes.length <= maxNodeBytes && size + value.bytes.length <= maxCommitBytes;
      const data = fits ? encodeWhole(value) : encodeParts(await this.#writeParts(key, value, written));
      size += data.length;
      values.set(key, data);
    }
    return values;
  }

  async #writeParts(key: string, { bytes, isGzip }: PackedValue, written: string[]): Promise<PartsList> {
    if (!this.#isSwept) await this.#sweep();
    const id = randomBytes(12).toString("hex");
    const parts = cutIntoParts(bytes);
    await this.#client.createRecursive(`${this.#root}/.parts`);
    written.push(id);
    await this.#client.create(this.#partsPath(id), Buffer.from(key));
    for (const [index, part] of parts.entries()) {
      await this.#client.create(`${this.#partsPath(id)}/${index}`, part);
    }
    return { id, count: parts.length, isGzip };
  }

  /** Removes parts that no value refers to: those of commits that broke off. */
  async #sweep(): Promise<void> {
    this.#isSwept = true;
    const ids = (await this.#client.getChildren(`${this.#root}/.parts`).catch(ignoreNoNode)) ?? [];
    for (const id of ids) {
      const found = await this.#client.getData(this.#partsPath(id)).catch(ignoreNoNode);
      if (found === undefined || Date.now() - found.stat.createdAt < orphanAgeMs) continue;
      const owner = await this.#see(found.data.toString());
      if (owner.parts?.id !== id) await this.#dropParts([id]);
    }
  }

  async #dropParts(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const path = this.#partsPath(id);
      const names = (await this.#client.getChildren(path).catch(ignoreUnavailable)) ?? [];
      // What cannot be removed now is found by the next sweep.
      for (const name of names) await this.#client.delete(`${path}/${name}`).catch(ignoreUnavailable);
      await this.#client.delete(path).catch(ignoreUnavailable);
    }
  }

  /** Removes folders that lead nowhere any more. One that is left standing does no harm. */
  async #prune(operations: readonly StoreOperation[]): Promise<void> {
    for (const { op, key } of operations) {
      if (op !== "delete") continue;
      for (let folder = key; folder !== ""; folder = folder.slice(0, folder.lastIndexOf("/"))) {
        if (!(await this.#removeIfEmpty(this.#path(folder)))) break;
      }
    }
  }

  async #removeIfEmpty(path: string): Promise<boolean> {
    try {
      const stat = await this.#client.exists(path);
      if (stat === undefined) return true;
      if (stat.dataLength > 0 || stat.childrenCount > 0) return false;
      this.#folders.delete(path);
      await this.#client.delete(path, stat.version);
      return true;
    } catch (error) {
      if (!isZooKeeperError(error)) throw error;
      return false;
    }
  }

  #multiOf(
    operations: readonly StoreOperation[],
    seen: readonly Seen[],
    values: ReadonlyMap<string, Uint8Array>,
  ): { readonly multi: readonly Operation[]; readonly guards: number } {
    const guards = this.#guardOperations();
    const changes = operations.flatMap((operation, index) => {
      const now = seen[index];
      if (now === undefined) return [];
      return operation.op === "put"
        ? this.#putOperation(operation, now, values.get(operation.key) ?? Buffer.alloc(0))
        : this.#deleteOperation(operation, now, leadsToAny(operation.key, operations));
    });
    return { multi: [...guards, ...changes], guards: guards.length };
  }

  #guardOperations(): readonly Operation[] {
    if (this.#guard === undefined) return [];
    const path = this.#guard();
    if (path === undefined) throw new StoreUnavailable("Cannot commit: this process does not lead");
    return [{ op: "check", path }];
  }

  #putOperation(
    { key, version }: Extract<StoreOperation, { op: "put" }>,
    now: Seen,
    data: Uint8Array,
  ): Operation[] {
    const path = this.#path(key);
    const isThere = now.exists && !now.isFolder;
    if (version !== undefined && (version < 0 ? isThere : !isThere || now.version !== version)) {
      throw conflict(key, version, isThere ? now.version : undefined);
    }
    if (!now.exists) return [{ op: "create", path, data }];
    return [{ op: "set", path, data, ...(version === undefined ? {} : { version: now.version }) }];
  }

  /** A node that others stand below, or will after this commit, stays as a folder. */
  #deleteOperation(
    { key, version }: Extract<StoreOperation, { op: "delete" }>,
    now: Seen,
    leadsToOthers: boolean,
  ): Operation[] {
    const path = this.#path(key);
    const isThere = now.exists && !now.isFolder;
    if (version !== undefined && (!isThere || now.version !== version)) {
      throw conflict(key, version, isThere ? now.version : undefined);
    }
    if (!isThere) return [];
    const at = version === undefined ? {} : { version };
    if (now.childrenCount > 0 || leadsToOthers) return [{ op: "set", path, data: Buffer.alloc(0), ...at }];
    return [{ op: "delete", path, ...at }];
  }

  #path(key: string): string {
    return key === "/" ? this.#root || "/" : this.#root + key;
  }

  #partsPath(id: string): string {
    return `${this.#root}/.parts/${id}`;
  }
}

const leadsToAny = (folder: string, operations: readonly StoreOperation[]): boolean =>
  operations.some(({ op, key }) => op === "put" && key.startsWith(`${folder}/`));

const conflict = (key: string, wanted: number, found: number | undefined): StoreConflict =>
  new StoreConflict(
    `Cannot commit: "${key}" is at version ${found ?? "none"}, not at ${wanted < 0 ? "none" : wanted}`,
  );

/** Store errors instead of ZooKeeper's, where the connection is at fault. */
async function available<T>(action: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    const { message, mayHaveHappened } = error;
    throw new StoreUnavailable(`Cannot ${action}: ${message}`, { cause: error, mayHaveHappened });
  }
}

async function inBatches<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < values.length; from += parallelReads) {
    results.push(...(await Promise.all(values.slice(from, from + parallelReads).map(work))));
  }
  return results;
}

function ignoreNoNode(error: unknown): undefined {
  if (!isZooKeeperError(error, "NoNode")) throw error;
}

function ignoreUnavailable(error: unknown): undefined {
  if (!isZooKeeperError(error)) throw error;
}

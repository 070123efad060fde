/**
 * A small client of ZooKeeper, and what the daemons build on it: leader election, leader detection, a Store.
 *
 * Bytes flow: zookeeper-client (operations, chroot) → session (one session over changing servers, pings, expiry) →
 * operation-queue (limits, deadlines) → frame-connection (one TCP connection) → protocol and jute (encoding).
 * Deciding who leads is pure (election-decision.ts); leader-election.ts does what it says.
 *
 * What it promises: an operation always ends, within operationTimeoutMs. Reads outlive a lost connection; a change
 * that fails with `mayHaveHappened` is never repeated by the client. Watches outlive reconnects and end with "lost"
 * when the session does. A session that expired is replaced by a new one; ephemeral nodes are the caller's to make
 * again. Not here: what nodes mean.
 */
import { type Clock, type Random, systemClock } from "../../base/clock.ts";
import type { ZooKeeperServer } from "./connect-string.ts";
import {
  type Acl,
  type CreateMode,
  creatorAllAnyoneReadAcl,
  type MultiOperation,
  type MultiResult,
  openAcl,
  readAcl,
  readMulti,
  readStat,
  requests,
  type Stat,
} from "./protocol.ts";
import { Session, type SessionEvent } from "./session.ts";
import type { Watcher, WatchKind } from "./watch-registry.ts";
import { isZooKeeperError, serverError, ZooKeeperError } from "./zookeeper-error.ts";

export interface ZooKeeperOptions {
  readonly servers: readonly ZooKeeperServer[];
  readonly sessionTimeoutMs?: number;
  /** Put before every path: "/mesos". */
  readonly chroot?: string;
  readonly auth?: { readonly scheme: "digest"; readonly credentials: string } | undefined;
  /** How long an operation may take, waiting for a connection included. */
  readonly operationTimeoutMs?: number;
  readonly maxOperations?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: (line: string) => void;
}

export interface WatchOption {
  readonly watch?: Watcher | undefined;
}

/** One part of a `multi`; acl and mode as in `create`. */
export type Operation =
  | {
      readonly op: "create";
      readonly path: string;
      readonly data?: Uint8Array;
      readonly mode?: CreateMode;
      readonly acl?: readonly Acl[];
    }
  | { readonly op: "delete"; readonly path: string; readonly version?: number }
  | { readonly op: "set"; readonly path: string; readonly data: Uint8Array; readonly version?: number }
  | { readonly op: "check"; readonly path: string; readonly version?: number };

const defaultSessionTimeoutMs = 10_000;
const defaultOperationTimeoutMs = 10_000;
const defaultMaxOperations = 20_000;
const anyVersion = -1;
const nothing = Buffer.alloc(0);

export class ZooKeeperClient {
  readonly #session: Session;
  readonly #chroot: string;
  readonly #acl: readonly Acl[];

  /** Starts connecting and goes on until closed; operations wait for the connection. */
  static open(options: ZooKeeperOptions): ZooKeeperClient {
    return new ZooKeeperClient(options);
  }

  /** As `open`, but waits for the first session. Fails with Timeout, and closes. */
  static async connect(options: ZooKeeperOptions, startTimeoutMs = 30_000): Promise<ZooKeeperClient> {
    const client = new ZooKeeperClient(options);
    try {
      await client.connected(startTimeoutMs);
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  private constructor(options: ZooKeeperOptions) {
    const chroot = (options.chroot ?? "").replace(/\/+$/, "");
    this.#chroot = chroot;
    this.#acl = options.auth === undefined ? openAcl : creatorAllAnyoneReadAcl;
    this.#session = new Session({
      servers: options.servers,
      sessionTimeoutMs: options.sessionTimeoutMs ?? defaultSessionTimeoutMs,
      operationTimeoutMs: options.operationTimeoutMs ?? defaultOperationTimeoutMs,
      maxOperations: options.maxOperations ?? defaultMaxOperations,
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
      auth: options.auth === undefined ? [] : [options.auth],
      log: options.log ?? (() => undefined),
      ownPath: (full) => this.#own(full),
    });
  }

  get sessionId(): bigint {
    return this.#session.id;
  }

  /** As granted by the servers; before the first session, as asked for. */
  get sessionTimeoutMs(): number {
    return this.#session.timeoutMs;
  }

  get isConnected(): boolean {
    return this.#session.isConnected;
  }

  get isClosed(): boolean {
    return this.#session.isClosed;
  }

  /** When (monotonic clock) the newest request was sent that this session has had an answer to. */
  get lastAnsweredSentAt(): number {
    return this.#session.lastAnsweredSentAt;
  }

  /** What becomes of the connection and the session. Returns how to stop listening. */
  onSession(listener: (event: SessionEvent) => void): () => void {
    return this.#session.listen(listener);
  }

  /** Resolves when there is a connection, at once if there is one. */
  connected(timeoutMs: number): Promise<void> {
    if (this.isConnected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        unlisten();
      };
      const fail = (reason: "Timeout" | "Closed", state: string): void => {
        stop();
        reject(new ZooKeeperError({ reason, action: "connect to ZooKeeper", state }));
      };
      const timer = setTimeout(() => fail("Timeout", `no server answered within ${timeoutMs} ms`), timeoutMs);
      const unlisten = this.onSession((event) => {
        if (event.type === "closed") fail("Closed", event.why);
        if (event.type !== "connected") return;
        stop();
        resolve();
      });
    });
  }

  /** Ends the session: its ephemeral nodes vanish at once. */
  close(): Promise<void> {
    return this.#session.close();
  }

  addAuth(scheme: string, credentials: string): void {
    this.#session.addAuth(scheme, credentials);
  }

  /** Gives the node's path: sequential modes add ten digits. */
  async create(
    path: string,
    data: Uint8Array = nothing,
    {
      mode = "persistent",
      acl = this.#acl,
    }: { readonly mode?: CreateMode; readonly acl?: readonly Acl[] } = {},
  ): Promise<string> {
    const created = await this.#session.submit({
      action: `create ${path}`,
      request: requests.create({ op: "create", path: this.#full(path), data, mode, acl }),
      decode: (reader) => reader.string(),
    });
    return this.#own(created);
  }

  /** Makes the persistent node and those above it, as far as they are missing. */
  async createRecursive(path: string): Promise<void> {
    const parts = this.#full(path).split("/").slice(1);
    for (const [index] of parts.entries()) {
      const full = `/${parts.slice(0, index + 1).join("/")}`;
      if (full === "/") return;
      const request = requests.create({
        op: "create",
        path: full,
        data: nothing,
        mode: "persistent",
        acl: this.#acl,
      });
      const made = this.#session.submit({
        action: `create ${full}`,
        request,
        decode: (reader) => reader.string(),
      });
      await made.catch((error: unknown) => {
        // Without the right to create here, an existing node shows as NoAuth in some versions; the last one decides.
        const isLast = index === parts.length - 1;
        if (isZooKeeperError(error, "NodeExists") || (!isLast && isZooKeeperError(error, "NoAuth"))) return;
        throw error;
      });
    }
  }

  async delete(path: string, version = anyVersion): Promise<void> {
    await this.#session.submit({
      action: `delete ${path}`,
      request: requests.delete(this.#full(path), version),
      decode: () => undefined,
    });
  }

  /** The node's Stat, or undefined if there is none; a watch is set in both cases. */
  async exists(path: string, { watch }: WatchOption = {}): Promise<Stat | undefined> {
    const full = this.#full(path);
    const found = this.#session.submit({
      action: `look at ${path}`,
      isRead: true,
      request: requests.exists(full, watch !== undefined),
      decode: readStat,
      onAnswer: (error) => {
        if (error === 0) this.#watch("data", path, watch);
        else if (error === noNode) this.#watch("exists", path, watch);
      },
    });
    try {
      return await found;
    } catch (error) {
      if (isZooKeeperError(error, "NoNode")) return undefined;
      throw error;
    }
  }

  async getData(
    path: string,
    { watch }: WatchOption = {},
  ): Promise<{ readonly data: Buffer; readonly stat: Stat }> {
    return await this.#session.submit({
      action: `read ${path}`,
      isRead: true,
      request: requests.getData(this.#full(path), watch !== undefined),
      decode: (reader) => ({ data: reader.buffer(), stat: readStat(reader) }),
      onAnswer: (error) => void (error === 0 && this.#watch("data", path, watch)),
    });
  }

  async setData(path: string, data: Uint8Array, version = anyVersion): Promise<Stat> {
    return await this.#session.submit({
      action: `write ${path}`,
      request: requests.setData(this.#full(path), data, version),
      decode: readStat,
    });
  }

  /** Names, without the path, in no order. */
  async getChildren(path: string, { watch }: WatchOption = {}): Promise<readonly string[]> {
    return await this.#session.submit({
      action: `list ${path}`,
      isRead: true,
      request: requests.getChildren(this.#full(path), watch !== undefined),
      decode: (reader) => reader.vector(() => reader.string()),
      onAnswer: (error) => void (error === 0 && this.#watch("children", path, watch)),
    });
  }

  /** All or none. Fails with the first part's error that stood in the way. */
  async multi(operations: readonly Operation[]): Promise<readonly MultiResult[]> {
    const action = `change ${operations
      .map(({ path }) => path)
      .slice(0, 3)
      .join(", ")}`;
    const results = await this.#session.submit({
      action: operations.length > 3 ? `${action} and ${operations.length - 3} more` : action,
      request: requests.multi(operations.map((operation) => this.#complete(operation))),
      decode: readMulti,
    });
    for (const [index, result] of results.entries()) {
      if (result.op !== "error" || result.error === 0) continue;
      const part = operations[index];
      throw serverError(result.error, part === undefined ? action : `${part.op} ${part.path}`, index);
    }
    return results.map((result) =>
      result.op === "create" ? { op: "create", path: this.#own(result.path) } : result,
    );
  }

  /** What is read after this is at least as new as what any client had written before it. */
  async sync(path = "/"): Promise<void> {
    await this.#session.submit({
      action: `sync ${path}`,
      isRead: true,
      request: requests.sync(this.#full(path)),
      decode: () => undefined,
    });
  }

  async getAcl(path: string): Promise<{ readonly acl: readonly Acl[]; readonly stat: Stat }> {
    return await this.#session.submit({
      action: `read the access list of ${path}`,
      isRead: true,
      request: requests.getAcl(this.#full(path)),
      decode: (reader) => ({ acl: readAcl(reader), stat: readStat(reader) }),
    });
  }

  async setAcl(path: string, acl: readonly Acl[], version = anyVersion): Promise<Stat> {
    return await this.#session.submit({
      action: `set the access list of ${path}`,
      request: requests.setAcl(this.#full(path), acl, version),
      decode: readStat,
    });
  }

  /** The same function watching the same node twice is told once. */
  #watch(kind: WatchKind, path: string, watch: Watcher | undefined): void {
    if (watch !== undefined) this.#session.watches.add(kind, this.#full(path), watch);
  }

  #complete(operation: Operation): MultiOperation {
    const path = this.#full(operation.path);
    if (operation.op === "create") {
      const { data = nothing, mode = "persistent", acl = this.#acl } = operation;
      return { op: "create", path, data, mode, acl };
    }
    return { ...operation, path, version: operation.version ?? anyVersion };
  }

  #full(path: string): string {
    if (!path.startsWith("/")) throw new TypeError(`"${path}" is no path of a ZooKeeper node`);
    return path === "/" ? this.#chroot || "/" : this.#chroot + path;
  }

  #own(full: string): string {
    return full.slice(this.#chroot.length) || "/";
  }
}

const noNode = -101;

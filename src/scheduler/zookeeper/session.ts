import { setTimeout as pause } from "node:timers/promises";
import type { Clock, Random } from "../../base/clock.ts";
import { callListener } from "./call-listener.ts";
import { formatServer, type ZooKeeperServer } from "./connect-string.ts";
import { type FrameConnection, openConnection } from "./frame-connection.ts";
import { JuteReader } from "./jute.ts";
import { OperationQueue, type Submission } from "./operation-queue.ts";
import { frameRequest, readHead, readWatchEvent, requests, xid } from "./protocol.ts";
import { ReconnectPlan } from "./reconnect-plan.ts";
import { WatchRegistry } from "./watch-registry.ts";

export interface SessionOptions {
  readonly servers: readonly ZooKeeperServer[];
  /** What is asked for; the servers may grant another (2 to 20 of their ticks). */
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly auth: readonly { readonly scheme: string; readonly credentials: string }[];
  readonly operationTimeoutMs: number;
  readonly maxOperations: number;
  readonly log: (line: string) => void;
  /** A node's path as the client's user knows it: without the chroot. */
  readonly ownPath: (full: string) => string;
}

export type SessionEvent =
  | { readonly type: "connected"; readonly isNewSession: boolean; readonly server: string }
  | { readonly type: "disconnected"; readonly why: string }
  /** The session and its ephemeral nodes and watches are gone. A new one is being opened. */
  | { readonly type: "expired"; readonly why: string }
  | { readonly type: "closed"; readonly why: string };

/** Connection attempts are cut after this share of the session, so that the others get their turn in time. */
const minConnectTimeoutMs = 500;
const maxConnectTimeoutMs = 5_000;
/** A connection that did not live this long counts as a failed attempt. */
const shortLifeMs = 1_000;
const maxAnswerBytes = 64 * 1024 * 1024;
const closeTimeoutMs = 1_000;
/** After so many session times without any server the session is given up, in case the ensemble forgot it. */
const giveUpSessions = 6;
const setWatchesBatch = 500;
const pingPartOfSession = 6;
const silencePartOfSession = 3;
const tickPartOfSession = 24;

/**
 * One ZooKeeper session over changing connections. Pings after a sixth of the session time without a request; a server
 * that is silent for a third is left for another, early enough that a leader whose server lost its power has its node
 * proven through another one before it must step down. When the session has expired, a new one is opened.
 */
export class Session {
  readonly watches = new WatchRegistry();
  readonly #options: SessionOptions;
  readonly #plan: ReconnectPlan<ZooKeeperServer>;
  readonly #operations: OperationQueue;
  readonly #listeners = new Set<(event: SessionEvent) => void>();
  readonly #auth: { readonly scheme: string; readonly credentials: string }[];
  readonly #stop = new AbortController();
  #connection: FrameConnection | undefined;
  #id = 0n;
  #password: Uint8Array = Buffer.alloc(16);
  #timeoutMs: number;
  #lastZxid = 0n;
  #lastAnsweredSentAt = Number.NEGATIVE_INFINITY;
  #wasEstablished = false;
  #pingsSentAt: number[] = [];
  #lastSentAt = 0;
  #lastHeardAt: number;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#plan = new ReconnectPlan(options.servers, options.random, options.sessionTimeoutMs);
    this.#operations = new OperationQueue(options);
    this.#auth = [...options.auth];
    this.#timeoutMs = options.sessionTimeoutMs;
    this.#lastHeardAt = options.clock.monotonic();
    void this.#run();
  }

  /** 0 while there is none. */
  get id(): bigint {
    return this.#id;
  }

  /** As granted by the servers. */
  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** When (monotonic) the newest request was sent of those that this session has had answered. */
  get lastAnsweredSentAt(): number {
    return this.#lastAnsweredSentAt;
  }

  listen(listener: (event: SessionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  submit<T>(submission: Submission<T>): Promise<T> {
    const promise = this.#operations.add(submission);
    this.#flush();
    return promise;
  }

  addAuth(scheme: string, credentials: string): void {
    this.#auth.push({ scheme, credentials });
    this.#write(frameRequest(xid.auth, requests.auth(scheme, credentials)));
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    const connection = this.#connection;
    if (connection !== undefined) {
      const closing = this.submit({
        action: "close the session",
        request: requests.close(),
        decode: () => undefined,
      });
      const quiet = closing.catch(() => undefined);
      await Promise.race([quiet, connection.closed, pause(closeTimeoutMs, undefined, { ref: false })]);
    }
    this.#end("closed by this program");
  }

  #end(why: string): void {
    if (this.isClosed) return;
    this.#stop.abort();
    this.#connection?.destroy(why);
    this.#operations.failAll("Closed", why);
    for (const [watcher, path] of this.watches.takeAll())
      callListener(() => watcher({ type: "lost", path: this.#options.ownPath(path) }));
    this.#emit({ type: "closed", why });
  }

  async #run(): Promise<void> {
    while (!this.isClosed) {
      const { server, waitMs } = this.#plan.next();
      if (waitMs > 0) await pause(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.isClosed) return;
      const startedAt = this.#now();
      const why = await this.#serveOn(server).catch((error: unknown) => String(error));
      if (this.#now() - startedAt < shortLifeMs || !this.#wasEstablished) this.#plan.failed();
      this.#options.log(`ZooKeeper ${formatServer(server)}: ${why}`);
      this.#giveUpIfForgotten();
    }
  }

  /** Works on one server until the connection ends; resolves with why. */
  async #serveOn(server: ZooKeeperServer): Promise<string> {
    this.#wasEstablished = false;
    const sentAt = this.#now();
    const connection = await openConnection({
      server,
      connectTimeoutMs: this.#connectTimeout(),
      maxAnswerBytes,
      signal: this.#stop.signal,
      onFrame: (frame) => this.#receive(frame),
      hello: {
        lastZxid: this.#lastZxid,
        timeoutMs: this.#options.sessionTimeoutMs,
        sessionId: this.#id,
        password: this.#password,
      },
    });
    if (this.isClosed || connection.answer.timeoutMs <= 0) {
      connection.destroy("the session has expired");
      if (!this.isClosed) this.#expire("ZooKeeper says so");
      return "the session has expired";
    }
    const ticking = this.#establish(connection, server, sentAt);
    const why = (await connection.closed).message;
    clearInterval(ticking);
    this.#connection = undefined;
    this.#operations.failInFlight(why);
    if (!this.isClosed) this.#emit({ type: "disconnected", why });
    return why;
  }

  #connectTimeout(): number {
    const share = this.#timeoutMs / this.#options.servers.length / 1.5;
    return Math.min(maxConnectTimeoutMs, Math.max(minConnectTimeoutMs, share));
  }

  #establish(connection: FrameConnection, server: ZooKeeperServer, sentAt: number): NodeJS.Timeout {
    const { answer } = connection;
    const isNewSession = answer.sessionId !== this.#id;
    this.#wasEstablished = true;
    this.#plan.succeeded();
    this.#connection = connection;
    this.#id = answer.sessionId;
    this.#password = answer.password;
    this.#timeoutMs = answer.timeoutMs;
    this.#pingsSentAt = [];
    this.#lastSentAt = sentAt;
    this.#lastHeardAt = this.#now();
    this.#answered(sentAt);
    for (const { scheme, credentials } of this.#auth) {
      this.#write(frameRequest(xid.auth, requests.auth(scheme, credentials)));
    }
    this.#restoreWatches();
    this.#emit({ type: "connected", isNewSession, server: formatServer(server) });
    this.#flush();
    const tickMs = Math.max(10, this.#timeoutMs / tickPartOfSession);
    return setInterval(() => this.#tick(tickMs), tickMs);
  }

  #restoreWatches(): void {
    const { watches } = this;
    const all = (["data", "exists", "children"] as const).flatMap((kind) =>
      watches.paths(kind).map((path) => ({ kind, path })),
    );
    for (let from = 0; from < all.length; from += setWatchesBatch) {
      const batch = all.slice(from, from + setWatchesBatch);
      const of = (kind: string): string[] =>
        batch.filter((each) => each.kind === kind).map(({ path }) => path);
      const paths = { data: of("data"), exists: of("exists"), children: of("children") };
      this.#write(frameRequest(xid.setWatches, requests.setWatches({ lastZxid: this.#lastZxid, ...paths })));
    }
  }

  #tick(tickMs: number): void {
    const now = this.#now();
    if (now - this.#lastHeardAt > this.#timeoutMs / silencePartOfSession) {
      this.#connection?.destroy(`silent for ${Math.round(now - this.#lastHeardAt)} ms`);
    } else if (now - this.#lastSentAt > this.#timeoutMs / pingPartOfSession - tickMs) {
      this.#pingsSentAt.push(now);
      this.#write(frameRequest(xid.ping, requests.ping()));
    }
  }

  #flush(): void {
    if (this.#connection === undefined) return;
    for (const frame of this.#operations.takeFrames(this.#now())) this.#write(frame);
  }

  #write(frame: Buffer): void {
    if (this.#connection === undefined) return;
    this.#lastSentAt = this.#now();
    this.#connection.write(frame);
  }

  #receive(frame: Buffer): void {
    this.#lastHeardAt = this.#now();
    const reader = new JuteReader(frame);
    const head = readHead(reader);
    if (head.zxid > this.#lastZxid) this.#lastZxid = head.zxid;
    if (head.xid === xid.watchEvent) this.#fire(reader);
    else if (head.xid === xid.ping) this.#answered(this.#pingsSentAt.shift());
    else if (head.xid === xid.auth) this.#authAnswered(head.error);
    else if (head.xid !== xid.setWatches) this.#answered(this.#operations.answer(head, reader));
  }

  #answered(sentAt: number | undefined): void {
    if (sentAt !== undefined && sentAt > this.#lastAnsweredSentAt) this.#lastAnsweredSentAt = sentAt;
  }

  #authAnswered(error: number): void {
    if (error !== 0) this.#end(`ZooKeeper refused the credentials (error ${error})`);
  }

  #fire(reader: JuteReader): void {
    const event = readWatchEvent(reader);
    if (event === undefined) return;
    const told = { type: event.type, path: this.#options.ownPath(event.path) };
    for (const watcher of this.watches.take(event.type, event.path)) callListener(() => watcher(told));
  }

  #expire(why: string): void {
    this.#id = 0n;
    this.#password = Buffer.alloc(16);
    this.#lastZxid = 0n;
    this.#lastAnsweredSentAt = Number.NEGATIVE_INFINITY;
    this.#timeoutMs = this.#options.sessionTimeoutMs;
    this.#operations.failAll("SessionExpired", "the session has expired");
    const watchers = this.watches.takeAll();
    this.#emit({ type: "expired", why });
    for (const [watcher, path] of watchers)
      callListener(() => watcher({ type: "lost", path: this.#options.ownPath(path) }));
  }

  /** A wiped ensemble refuses a client that has seen newer states, for ever: then the old session is worth nothing. */
  #giveUpIfForgotten(): void {
    const silentMs = this.#now() - this.#lastHeardAt;
    if (this.#id === 0n || this.isClosed || silentMs < giveUpSessions * this.#timeoutMs) return;
    this.#expire(`no server answered for ${Math.round(silentMs)} ms`);
  }

  #emit(event: SessionEvent): void {
    for (const listener of [...this.#listeners]) callListener(() => listener(event));
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}

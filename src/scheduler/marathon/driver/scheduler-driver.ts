/**
 * Marathon's side of the v1 scheduler API: finds the leading master, subscribes, hands its events on, sends calls in
 * order. Whatever breaks (the stream, a call, a silent master, a new leader) ends in a new subscription. Calls that
 * could not be sent are dropped: after the next SUBSCRIBED the core reconciles and asks anew for all it needs.
 */

import { HttpCallError, requestBytes } from "../../http/http-client.ts";
import { type OpenStream, openRecordStream, StreamRefused } from "../../http/open-stream.ts";
import type { FrameworkInfo } from "../../mesos/protocol/framework.ts";
import {
  ignoredEventTypes,
  type SchedulerEvent,
  schedulerEventSchema,
} from "../../mesos/protocol/scheduler-event.ts";
import { parseWire } from "../../mesos/protocol/wire.ts";
import type { MesosCall } from "../core/draft.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where the leading master is, now and whenever that changes. */
export interface MasterDetector {
  readonly current: HostPort | undefined;
  /** Returns how to stop listening. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export interface DriverOptions {
  readonly detector: MasterDetector;
  readonly framework: FrameworkInfo;
  readonly frameworkId: () => string | undefined;
  readonly credentials?: string | undefined;
  readonly onSubscribed: (frameworkId: string, master: HostPort) => void;
  readonly onEvent: (event: SchedulerEvent) => void;
  readonly onDisconnected: () => void;
  /** The master removed the framework: its id is worth nothing any more. */
  readonly onError: (message: string) => void;
  readonly log: (line: string, error?: unknown) => void;
}

const firstRetryMs = 100;
const maxRetryMs = 2_000;
const defaultHeartbeatMs = 15_000;
/** So many heartbeats may be missed before the master counts as silent. */
const missedHeartbeats = 3;
const callTimeoutMs = 10_000;
const connectTimeoutMs = 2_000;
const maxQueuedCalls = 100_000;

export class SchedulerDriver {
  readonly #options: DriverOptions;
  #isStopped = false;
  #stream: OpenStream | undefined;
  #opening: AbortController | undefined;
  #streamId = "";
  #master: HostPort | undefined;
  #calls: MesosCall[] = [];
  #isSending = false;
  #lastHeard = 0;
  #silenceMs = defaultHeartbeatMs * missedHeartbeats;
  #wake: (() => void) | undefined;
  readonly #unlisten: () => void;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#unlisten = options.detector.onChange(() => this.#onMasterChange());
  }

  start(): void {
    void this.#loop();
  }

  /** Ends the connection; the framework stays registered and its tasks run on. */
  stop(): void {
    this.#isStopped = true;
    this.#unlisten();
    this.#stream?.close();
    this.#opening?.abort();
    this.#wake?.();
  }

  get master(): HostPort | undefined {
    return this.#stream === undefined ? undefined : this.#master;
  }

  send(calls: readonly MesosCall[]): void {
    if (this.#stream === undefined) return;
    this.#calls.push(...calls);
    if (this.#calls.length > maxQueuedCalls) this.#breakOff("too many calls wait for the master");
    else void this.#sendAll();
  }

  #onMasterChange(): void {
    const now = this.#options.detector.current;
    const same = now !== undefined && now.host === this.#master?.host && now.port === this.#master.port;
    if (!same && now !== undefined) {
      if (this.#stream !== undefined) this.#breakOff("another master leads");
      // A dead host would be dialled for seconds.
      this.#opening?.abort();
    }
    this.#wake?.();
  }

  async #loop(): Promise<void> {
    let retryMs = firstRetryMs;
    while (!this.#isStopped) {
      const master = this.#options.detector.current;
      if (master === undefined) {
        await this.#pause(maxRetryMs);
        continue;
      }
      const startedAt = performance.now();
      try {
        await this.#subscribe(master);
      } catch (error) {
        this.#options.log(`subscribing at ${master.host}:${master.port} failed: ${reasonOf(error)}`);
      }
      if (performance.now() - startedAt > maxRetryMs) retryMs = firstRetryMs;
      await this.#pause(retryMs);
      retryMs = Math.min(maxRetryMs, retryMs * 2);
    }
  }

  /** Resolves early when the master changes or the driver stops. */
  async #pause(ms: number): Promise<void> {
    if (this.#isStopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Resolves when the subscription is over. */
  async #subscribe(master: HostPort): Promise<void> {
    const inbox = new Inbox((record) => this.#onRecord(record));
    const opening = new AbortController();
    this.#opening = opening;
    const stream = await this.#open(master, inbox, opening.signal).finally(() => {
      this.#opening = undefined;
    });
    const streamId = stream.headers["mesos-stream-id"];
    this.#streamId = typeof streamId === "string" ? streamId : "";
    this.#calls = [];
    this.#stream = stream;
    this.#lastHeard = performance.now();
    const watch = setInterval(() => this.#checkSilence(), 1_000);
    try {
      // What came with the head is heard only now that answers to it can be sent.
      inbox.open();
      await stream.done;
      this.#options.log(`the master at ${master.host}:${master.port} ended the stream`);
    } catch (error) {
      this.#options.log(`the stream from the master broke off: ${reasonOf(error)}`);
    } finally {
      clearInterval(watch);
      stream.close();
      this.#stream = undefined;
      this.#calls = [];
      this.#options.onDisconnected();
    }
  }

  async #open(master: HostPort, inbox: Inbox, signal: AbortSignal): Promise<OpenStream> {
    this.#master = master;
    try {
      return await this.#openAt(master, inbox, signal);
    } catch (error) {
      const leader = error instanceof StreamRefused ? redirectOf(error) : undefined;
      if (leader === undefined) throw error;
      this.#master = leader;
      return await this.#openAt(leader, inbox, signal);
    }
  }

  async #openAt(master: HostPort, inbox: Inbox, signal: AbortSignal): Promise<OpenStream> {
    const { framework, frameworkId, credentials } = this.#options;
    const id = frameworkId();
    const known = id === undefined ? {} : { framework_id: { value: id } };
    const info = id === undefined ? framework : { ...framework, id: { value: id } };
    return await openRecordStream({
      url: schedulerUrl(master),
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ type: "SUBSCRIBE", ...known, subscribe: { framework_info: info } }),
      credentials,
      connectTimeoutMs,
      silenceTimeoutMs: 0,
      signal,
      onRecord: (record) => inbox.put(record),
    });
  }

  #onRecord(record: Buffer): void {
    const master = this.#master;
    if (this.#isStopped || master === undefined) return;
    this.#lastHeard = performance.now();
    const json = JSON.parse(record.toString("utf8")) as { readonly type?: unknown };
    if (typeof json.type === "string" && ignoredEventTypes.has(json.type)) return;
    const event = parseWire(schedulerEventSchema, json);
    if (event.type === "SUBSCRIBED") {
      const beatMs = (event.subscribed.heartbeat_interval_seconds ?? 15) * 1000;
      this.#silenceMs = Math.max(1_000, beatMs * missedHeartbeats);
      this.#options.onSubscribed(event.subscribed.framework_id.value, master);
    } else if (event.type === "ERROR") {
      this.#options.onError(event.error.message);
      this.#breakOff(`the master says: ${event.error.message}`);
    } else {
      this.#options.onEvent(event);
    }
  }

  #checkSilence(): void {
    if (performance.now() - this.#lastHeard > this.#silenceMs) this.#breakOff("the master is silent");
  }

  #breakOff(why: string): void {
    this.#options.log(`leaving the master: ${why}`);
    this.#calls = [];
    this.#stream?.close();
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (;;) {
        const call = this.#calls.shift();
        const stream = this.#stream;
        if (call === undefined || stream === undefined) return;
        await this.#sendOne(call, stream);
      }
    } finally {
      this.#isSending = false;
      if (this.#calls.length > 0) void this.#sendAll();
    }
  }

  async #sendOne(call: MesosCall, stream: OpenStream): Promise<void> {
    const frameworkId = this.#options.frameworkId();
    const master = this.#master;
    if (frameworkId === undefined || master === undefined) return;
    try {
      const { status, bytes } = await requestBytes({
        url: schedulerUrl(master),
        method: "POST",
        headers: { "Content-Type": "application/json", "Mesos-Stream-Id": this.#streamId },
        body: JSON.stringify({ ...call, framework_id: { value: frameworkId } }),
        credentials: this.#options.credentials,
        timeoutMs: callTimeoutMs,
      });
      if (status !== 202) throw new Error(`answered ${status} ${bytes.toString("utf8").slice(0, 200)}`);
    } catch (error) {
      if (this.#stream === stream) this.#breakOff(`${call.type} failed: ${reasonOf(error)}`);
    }
  }
}

/** Keeps records until it is opened, then passes them on at once. */
class Inbox {
  readonly #hear: (record: Buffer) => void;
  #early: Buffer[] | undefined = [];

  constructor(hear: (record: Buffer) => void) {
    this.#hear = hear;
  }

  put(record: Buffer): void {
    if (this.#early === undefined) this.#hear(record);
    else this.#early.push(record);
  }

  open(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const record of early) this.#hear(record);
  }
}

const schedulerUrl = ({ host, port }: HostPort): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}/api/v1/scheduler`;

/** `Location: //host:port/…` of a master that does not lead. */
function redirectOf({ status, headers }: StreamRefused): HostPort | undefined {
  if (status !== 307 || headers.location === undefined) return undefined;
  const url = URL.parse(headers.location, "http://unknown");
  if (url === null || url.hostname === "unknown") return undefined;
  return { host: url.hostname, port: Number(url.port === "" ? 80 : url.port) };
}

function reasonOf(error: unknown): string {
  if (error instanceof HttpCallError || error instanceof StreamRefused) return error.message;
  return error instanceof Error ? error.message : String(error);
}

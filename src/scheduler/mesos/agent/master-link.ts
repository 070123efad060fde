/** The agent's end of the link: finds the leading master, says hello, hears commands, sends messages, starts over. */
import { randomUUID } from "node:crypto";
import { HttpCallError } from "../../http/http-client.ts";
import { type OpenStream, openRecordStream, StreamRefused } from "../../http/open-stream.ts";
import { requestJson } from "../../http/request-json.ts";
import type { LeaderSource, Log } from "../daemon/coordination.ts";
import {
  type AgentCommand,
  type AgentHello,
  type AgentMessage,
  agentCommandSchema,
  agentLinkPath,
  agentMessagesPath,
  streamIdHeader,
} from "../protocol/agent-link.ts";
import { type MasterInfo, masterHostPort } from "../protocol/master-info.ts";
import { parseWire } from "../protocol/wire.ts";

export interface MasterLinkOptions {
  readonly leaders: LeaderSource;
  readonly hello: (boot: string, attempt: number) => AgentHello;
  readonly onLinked: (session: string, master: MasterInfo) => void;
  readonly onUnlinked: (session: string) => void;
  readonly onCommand: (session: string, command: AgentCommand) => void;
  readonly log: Log;
  readonly firstBackoffMs: number;
}

const longestBackoffMs = 15_000;
const connectTimeoutMs = 3_000;
const messageTimeoutMs = 10_000;
/** Until the master says how long it may be silent. */
const firstSilenceLimitMs = 90_000;
const maxQueuedMessages = 10_000;

interface Link {
  readonly session: string;
  readonly master: MasterInfo;
  readonly stream: OpenStream;
  silenceLimitMs: number;
  heardAt: number;
  isSending: boolean;
  readonly queue: AgentMessage[];
}

export class MasterLink {
  readonly #options: MasterLinkOptions;
  readonly #boot = randomUUID();
  #attempt = 0;
  #leader: MasterInfo | undefined;
  #link: Link | undefined;
  #opening: AbortController | undefined;
  #retry: NodeJS.Timeout | undefined;
  #backoffMs: number;
  #watchdog: NodeJS.Timeout | undefined;
  #unwatch: (() => Promise<void>) | undefined;
  #isStopped = false;

  constructor(options: MasterLinkOptions) {
    this.#options = options;
    this.#backoffMs = options.firstBackoffMs;
  }

  get leader(): MasterInfo | undefined {
    return this.#leader;
  }

  start(): void {
    this.#unwatch = this.#options.leaders.watch((leader) => {
      if (leader?.id === this.#leader?.id && this.#link !== undefined) return;
      this.#leader = leader;
      this.#backoffMs = this.#options.firstBackoffMs;
      this.relink();
    });
    this.#watchdog = setInterval(() => this.#checkSilence(), 1_000);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#watchdog);
    this.#cut();
    await this.#unwatch?.();
  }

  /** Ends the stream, if any, and says hello anew. */
  relink(): void {
    this.#cut();
    if (!this.#isStopped && this.#leader !== undefined) void this.#open(this.#leader);
  }

  send(session: string, message: AgentMessage): void {
    const link = this.#link;
    if (link?.session !== session) return;
    if (link.queue.length >= maxQueuedMessages) this.#failed(link, "too many messages wait to be sent");
    else {
      link.queue.push(message);
      if (!link.isSending) void this.#drain(link);
    }
  }

  #cut(): void {
    clearTimeout(this.#retry);
    this.#opening?.abort();
    this.#opening = undefined;
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    link.stream.close();
    this.#options.onUnlinked(link.session);
  }

  async #open(master: MasterInfo): Promise<void> {
    const opening = new AbortController();
    this.#opening = opening;
    const { hello, log } = this.#options;
    // Records may come with the answer's head, before we know the session that it names.
    const early: AgentCommand[] = [];
    let link: Link | undefined;
    try {
      const stream = await openRecordStream({
        url: `${urlOf(master)}${agentLinkPath}`,
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(hello(this.#boot, ++this.#attempt)),
        signal: opening.signal,
        connectTimeoutMs,
        silenceTimeoutMs: 0,
        onRecord: (record) => {
          const command = parseWire(agentCommandSchema, JSON.parse(record.toString("utf8")));
          if (link === undefined) early.push(command);
          else this.#hear(link, command);
        },
      });
      const session = String(stream.headers[streamIdHeader.toLowerCase()] ?? "");
      if (opening.signal.aborted) {
        stream.close();
        return;
      }
      link = {
        session,
        master,
        stream,
        silenceLimitMs: firstSilenceLimitMs,
        heardAt: performance.now(),
        isSending: false,
        queue: [],
      };
      this.#begin(link, early);
    } catch (error) {
      if (opening.signal.aborted) return;
      const why =
        error instanceof StreamRefused || error instanceof HttpCallError ? error.message : String(error);
      log(`hello to the master not answered: ${why}`);
      this.#retryLater();
    }
  }

  #begin(link: Link, early: readonly AgentCommand[]): void {
    this.#link = link;
    this.#options.onLinked(link.session, link.master);
    for (const command of early) this.#hear(link, command);
    link.stream.done.then(
      () => this.#failed(link, "the master ended the stream"),
      (error: unknown) => this.#failed(link, error instanceof Error ? error.message : String(error)),
    );
  }

  #hear(link: Link, command: AgentCommand): void {
    if (this.#link !== link) return;
    link.heardAt = performance.now();
    if (command.type === "REGISTERED") {
      link.silenceLimitMs = command.silence_limit_ms;
      this.#backoffMs = this.#options.firstBackoffMs;
    }
    this.#options.onCommand(link.session, command);
  }

  #failed(link: Link, why: string): void {
    if (this.#link !== link) return;
    this.#options.log(`link to the master lost: ${why}`);
    this.#cut();
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#isStopped) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.relink(), this.#backoffMs * (0.5 + Math.random() / 2));
    this.#backoffMs = Math.min(this.#backoffMs * 2, longestBackoffMs);
  }

  #checkSilence(): void {
    const link = this.#link;
    if (link !== undefined && performance.now() - link.heardAt > link.silenceLimitMs)
      this.#failed(link, `no word for ${link.silenceLimitMs} ms`);
  }

  /** One after another, in order. Any trouble ends the link: the hello that follows tells all anew. */
  async #drain(link: Link): Promise<void> {
    link.isSending = true;
    try {
      for (let message = link.queue.shift(); message !== undefined; message = link.queue.shift()) {
        if (this.#link !== link) return;
        const { status } = await requestJson({
          url: `${urlOf(link.master)}${agentMessagesPath}`,
          json: message,
          headers: { [streamIdHeader]: link.session },
          timeoutMs: messageTimeoutMs,
        });
        if (status !== 202) throw new Error(`the master answered ${status}`);
      }
    } catch (error) {
      this.#failed(link, error instanceof Error ? error.message : String(error));
    } finally {
      link.isSending = false;
    }
  }
}

const urlOf = (master: MasterInfo): string => {
  const { host, port } = masterHostPort(master);
  return `http://${host}:${port}`;
};

/** Hands what happened to whoever listens: streams of server-sent events, and callback URLs of older tools. */
import { requestBytes } from "../../http/http-client.ts";
import type { MarathonEvent } from "../core/draft.ts";

export type Listener = (event: MarathonEvent) => void;

const callbackTimeoutMs = 10_000;
const maxCallbackUrls = 100;
/** A callback that is this far behind misses events. */
const maxPendingCallbacks = 1_000;

export class EventHub {
  readonly #listeners = new Set<Listener>();
  readonly #callbacks = new Map<string, { pending: number; chain: Promise<void> }>();
  readonly #log: (line: string) => void;

  constructor(log: (line: string) => void = () => undefined) {
    this.#log = log;
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(event: MarathonEvent): void {
    for (const listener of this.#listeners) listener(event);
    for (const url of this.#callbacks.keys()) this.#callBack(url, event);
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  get callbackUrls(): readonly string[] {
    return [...this.#callbacks.keys()];
  }

  /** False: there are too many. */
  addCallback(url: string): boolean {
    if (this.#callbacks.size >= maxCallbackUrls && !this.#callbacks.has(url)) return false;
    if (!this.#callbacks.has(url)) this.#callbacks.set(url, { pending: 0, chain: Promise.resolve() });
    return true;
  }

  removeCallback(url: string): void {
    this.#callbacks.delete(url);
  }

  #callBack(url: string, event: MarathonEvent): void {
    const queue = this.#callbacks.get(url);
    if (queue === undefined || queue.pending >= maxPendingCallbacks) return;
    queue.pending += 1;
    queue.chain = queue.chain.then(async () => {
      try {
        const body = JSON.stringify(event);
        const headers = { "Content-Type": "application/json" };
        await requestBytes({ url, method: "POST", headers, body, timeoutMs: callbackTimeoutMs });
      } catch (error) {
        this.#log(`event callback ${url}: ${error instanceof Error ? error.message : String(error)}`);
      } finally {
        queue.pending -= 1;
      }
    });
  }
}

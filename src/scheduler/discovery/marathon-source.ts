import { type OpenStream, openEventStream, StreamRefused } from "../http/open-stream.ts";
import { requestJson } from "../http/request-json.ts";
import { readServedApps, type ServedApp } from "./served-app.ts";

export interface MarathonSourceOptions {
  /** `http://m1:8080`, in any order. */
  readonly marathons: readonly string[];
  /** `user:password` */
  readonly credentials?: string | undefined;
  readonly answerTimeoutMs?: number;
}

const defaultAnswerTimeoutMs = 10_000;
const connectTimeoutMs = 2_000;
/** Marathon shows life every 10 seconds; a stream that is silent for longer is dead. */
const eventSilenceMs = 30_000;
const maxRedirects = 3;

/** Nobody gave a usable answer. One line a Marathon. */
export class NoMarathon extends Error {
  override readonly name = "NoMarathon";
}

/** Any of several Marathons: the one that answered last is asked first. */
export class MarathonSource {
  readonly #options: MarathonSourceOptions;
  #order: readonly string[];

  constructor(options: MarathonSourceOptions) {
    this.#options = options;
    this.#order = options.marathons.map((url) => url.replace(/\/+$/, ""));
  }

  /** Throws NoMarathon. */
  async apps(): Promise<readonly ServedApp[]> {
    return await this.#first(async (base) => {
      const { status, json } = await requestJson({
        url: `${base}/v2/apps?embed=apps.tasks`,
        credentials: this.#options.credentials,
        connectTimeoutMs,
        timeoutMs: this.#options.answerTimeoutMs ?? defaultAnswerTimeoutMs,
      });
      const apps = status === 200 ? readServedApps(json) : undefined;
      if (apps === undefined) throw new Error(`${base} answered ${status} without apps`);
      return apps;
    });
  }

  /** Follows the leader's events; a Marathon that does not lead says where it is. Throws NoMarathon. */
  async events(onEvent: () => void, signal: AbortSignal): Promise<OpenStream> {
    return await this.#first((base) => this.#openEvents(`${base}/v2/events`, onEvent, signal));
  }

  async #openEvents(url: string, onEvent: () => void, signal: AbortSignal): Promise<OpenStream> {
    let next = url;
    for (let left = maxRedirects; ; left--) {
      try {
        return await openEventStream({
          url: next,
          credentials: this.#options.credentials,
          connectTimeoutMs,
          answerTimeoutMs: this.#options.answerTimeoutMs ?? defaultAnswerTimeoutMs,
          silenceTimeoutMs: eventSilenceMs,
          signal,
          onEvent,
        });
      } catch (error) {
        const location = error instanceof StreamRefused ? error.headers.location : undefined;
        if (location === undefined || left === 0) throw error;
        next = new URL(location, next).href;
      }
    }
  }

  async #first<T>(ask: (base: string) => Promise<T>): Promise<T> {
    const failures: string[] = [];
    for (const base of this.#order) {
      try {
        const found = await ask(base);
        this.#order = [base, ...this.#order.filter((other) => other !== base)];
        return found;
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
    }
    throw new NoMarathon(failures.join("; "));
  }
}

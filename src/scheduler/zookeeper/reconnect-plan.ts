import type { Random } from "../../base/clock.ts";

const firstBackoffMs = 100;
const longestBackoffMs = 2_000;
/** A session must not run out over our own pauses. */
const backoffShareOfSession = 10;

/** In which order servers are tried, and how long to wait: no pause within a round, longer ones between rounds. */
export class ReconnectPlan<Server> {
  readonly #servers: readonly Server[];
  readonly #random: Random;
  readonly #maxBackoffMs: number;
  #next = 0;
  #failures = 0;

  constructor(servers: readonly Server[], random: Random, sessionTimeoutMs: number) {
    if (servers.length === 0) throw new RangeError("No ZooKeeper server is given");
    this.#servers = shuffle(servers, random);
    this.#random = random;
    this.#maxBackoffMs = Math.min(longestBackoffMs, sessionTimeoutMs / backoffShareOfSession);
  }

  next(): { readonly server: Server; readonly waitMs: number } {
    const server = this.#servers[this.#next % this.#servers.length] as Server;
    this.#next += 1;
    return { server, waitMs: this.#wait() };
  }

  failed(): void {
    this.#failures += 1;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  #wait(): number {
    if (this.#failures === 0 || this.#failures % this.#servers.length !== 0) return 0;
    const round = this.#failures / this.#servers.length;
    const longest = Math.min(this.#maxBackoffMs, firstBackoffMs * 2 ** Math.min(round, 10));
    return Math.round(longest * (0.5 + this.#random() / 2));
  }
}

function shuffle<T>(values: readonly T[], random: Random): T[] {
  const shuffled = [...values];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const value = shuffled[last] as T;
    shuffled[last] = shuffled[other] as T;
    shuffled[other] = value;
  }
  return shuffled;
}

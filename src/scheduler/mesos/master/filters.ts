/** Who does not want what, where, until when: what a decline leaves behind. */
import type { Resources } from "../protocol/resources.ts";

interface Filter {
  readonly refused: Resources;
  readonly until: number;
}

/** Filters are looked at in steps of this length. */
const bucketMs = 250;
/** And again at least this often, so that many long declines leave no more behind than the filters themselves. */
const longestWaitMs = 60_000;

export interface Refusal extends Filter {
  readonly audience: string;
  readonly agentId: string;
}

export class Filters {
  /** By framework and role, then by agent. */
  readonly #byAudience = new Map<string, Map<string, Filter>>();
  /** Agents whose filters are to be looked at, by the step in which they are. */
  readonly #looks = new Map<number, Set<string>>();

  add({ audience, agentId, refused, until }: Refusal, now: number): void {
    let filters = this.#byAudience.get(audience);
    if (filters === undefined) {
      filters = new Map();
      this.#byAudience.set(audience, filters);
    }
    filters.set(agentId, { refused, until });
    this.#lookAt(agentId, until, now);
  }

  #lookAt(agentId: string, until: number, now: number): void {
    const bucket = Math.ceil(Math.min(until, now + longestWaitMs) / bucketMs);
    const agents = this.#looks.get(bucket) ?? new Set();
    this.#looks.set(bucket, agents.add(agentId));
  }

  hides(audience: string, agentId: string, resources: Resources, now: number): boolean {
    const filter = this.#byAudience.get(audience)?.get(agentId);
    return filter !== undefined && now < filter.until && filter.refused.contains(resources);
  }

  clear(audience: string): void {
    this.#byAudience.delete(audience);
  }

  forgetAgent(agentId: string): void {
    for (const filters of this.#byAudience.values()) filters.delete(agentId);
  }

  /** The agents for which a filter has ended by now. */
  expire(now: number): Set<string> {
    const due = this.#takeDue(now);
    const expired = new Set<string>();
    for (const [audience, filters] of this.#byAudience) {
      for (const agentId of due) {
        const filter = filters.get(agentId);
        if (filter === undefined) continue;
        if (filter.until > now) this.#lookAt(agentId, filter.until, now);
        else if (filters.delete(agentId)) expired.add(agentId);
      }
      if (filters.size === 0) this.#byAudience.delete(audience);
    }
    return expired;
  }

  #takeDue(now: number): Set<string> {
    const due = new Set<string>();
    for (const [bucket, agents] of this.#looks) {
      if (bucket * bucketMs > now) continue;
      for (const agent of agents) due.add(agent);
      this.#looks.delete(bucket);
    }
    return due;
  }

  /** All that is held. */
  get size(): number {
    const sizes = [...this.#byAudience.values(), ...this.#looks.values()].map(({ size }) => size + 1);
    return sizes.reduce((sum, size) => sum + size, 0);
  }
}

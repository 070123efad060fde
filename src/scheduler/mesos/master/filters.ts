/** Who does not want what, where, until when: what a decline leaves behind. */
import type { Resources } from "../protocol/resources.ts";

interface Filter {
  readonly refused: Resources;
  readonly until: number;
}

/** Expiries are looked at in steps of this length. */
const bucketMs = 250;

export class Filters {
  /** By framework and role, then by agent. */
  readonly #byAudience = new Map<string, Map<string, Filter>>();
  /** Agents to look at again, by the step in which a filter ends. */
  readonly #expiries = new Map<number, Set<string>>();

  add(audience: string, agentId: string, refused: Resources, until: number): void {
    let filters = this.#byAudience.get(audience);
    if (filters === undefined) {
      filters = new Map();
      this.#byAudience.set(audience, filters);
    }
    filters.set(agentId, { refused, until });
    const bucket = Math.ceil(until / bucketMs);
    const agents = this.#expiries.get(bucket) ?? new Set();
    this.#expiries.set(bucket, agents.add(agentId));
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
    const expired = new Set<string>();
    for (const [bucket, agents] of this.#expiries) {
      if (bucket * bucketMs > now) continue;
      for (const agent of agents) expired.add(agent);
      this.#expiries.delete(bucket);
    }
    for (const filters of this.#byAudience.values())
      for (const agentId of expired) {
        const filter = filters.get(agentId);
        if (filter !== undefined && filter.until <= now) filters.delete(agentId);
      }
    return expired;
  }
}

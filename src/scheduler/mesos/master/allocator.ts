/**
 * Who is offered what: dominant resource fairness over roles, then over the frameworks of a role. Works only through
 * the agents that changed since the last time (`ClusterState.dirty`).
 */
import type { Random } from "../../../base/clock.ts";
import { hasCapability } from "../protocol/framework.ts";
import type { Resources } from "../protocol/resources.ts";
import {
  type Agent,
  type ClusterState,
  type Framework,
  freeOf,
  isOffering,
  type Offer,
} from "./cluster-state.ts";
import { Filters } from "./filters.ts";
import { Shares } from "./shares.ts";

export interface Allocation {
  readonly framework: Framework;
  readonly agent: Agent;
  readonly role: string;
  readonly resources: Resources;
}

/** Below both of these nothing can be run. */
const smallestCpuMilli = 10;
const smallestMemMilli = 32_000;

const audience = (frameworkId: string, role: string): string => `${frameworkId}\0${role}`;
const frameworkOf = (audience: string): string => audience.slice(0, audience.indexOf("\0"));

export interface Refused extends Pick<Offer, "frameworkId" | "role" | "agentId" | "resources"> {
  readonly until: number;
}

export class Allocator {
  readonly filters = new Filters();
  readonly #roles = new Shares();
  readonly #frameworks = new Shares();
  readonly #weights: ReadonlyMap<string, number>;

  constructor(weights: Readonly<Record<string, number>>) {
    this.#weights = new Map(Object.entries(weights));
  }

  agentAdded(total: Resources): void {
    this.#roles.grow(total);
    this.#frameworks.grow(total);
  }

  agentRemoved(id: string, total: Resources): void {
    this.#roles.shrink(total);
    this.#frameworks.shrink(total);
    this.filters.forgetAgent(id);
  }

  charge(frameworkId: string, role: string, resources: Resources): void {
    this.#roles.charge(role, resources);
    this.#frameworks.charge(audience(frameworkId, role), resources);
  }

  release(frameworkId: string, role: string, resources: Resources): void {
    this.#roles.release(role, resources);
    this.#frameworks.release(audience(frameworkId, role), resources);
  }

  refuse({ frameworkId, role, agentId, resources, until }: Refused, now: number): void {
    this.filters.add({ audience: audience(frameworkId, role), agentId, refused: resources, until }, now);
  }

  revive(frameworkId: string, roles: readonly string[]): void {
    for (const role of roles) this.filters.clear(audience(frameworkId, role));
  }

  /** Its sums stay while its tasks hold resources; a later removal takes them along. */
  frameworkRemoved(
    { id, roles }: Pick<Framework, "id" | "roles">,
    present: { has(frameworkId: string): boolean },
  ): void {
    this.revive(id, roles);
    this.#frameworks.forgetEmpty((holder) => !present.has(frameworkOf(holder)));
  }

  /** All that is remembered of frameworks and of what they declined. */
  get size(): number {
    return this.#frameworks.size + this.filters.size;
  }

  weightOf(role: string): number {
    return this.#weights.get(role) ?? 1;
  }

  /** Charges what it gives; the caller turns it into offers. */
  allocate(state: ClusterState, now: number, random: Random): Allocation[] {
    for (const agentId of this.filters.expire(now)) {
      const agent = state.agents.get(agentId);
      if (agent !== undefined) state.dirty.add(agent);
    }
    if (state.dirty.size === 0) return [];
    const agents = shuffled([...state.dirty].filter(isOffering), random);
    state.dirty.clear();
    const byRole = audiences(state);
    return byRole.size === 0 ? [] : agents.flatMap((agent) => this.#allocateAgent(agent, byRole, now));
  }

  #allocateAgent(agent: Agent, byRole: ReadonlyMap<string, readonly Framework[]>, now: number): Allocation[] {
    let free = freeOf(agent);
    if (!isWorthwhile(free)) return [];
    const made: Allocation[] = [];
    const roles = this.#roles.sorted(
      [...byRole.keys()],
      (role) => role,
      (role) => this.weightOf(role),
    );
    for (const role of roles) {
      const frameworks = this.#frameworks.sorted(
        byRole.get(role) ?? [],
        ({ id }) => audience(id, role),
        () => 1,
      );
      for (const framework of frameworks) {
        const resources = visibleTo(framework, role, free, agent);
        if (resources === undefined) continue;
        if (this.filters.hides(audience(framework.id, role), agent.id, resources, now)) continue;
        this.charge(framework.id, role, resources);
        free = free.minus(resources);
        made.push({ framework, agent, role, resources });
        if (!isWorthwhile(free)) return made;
      }
    }
    return made;
  }
}

const isWorthwhile = (resources: Resources): boolean =>
  resources.milli("cpus") >= smallestCpuMilli || resources.milli("mem") >= smallestMemMilli;

/** The role's reservations and everything unreserved; undefined when too little or not meant for the framework. */
function visibleTo(framework: Framework, role: string, free: Resources, agent: Agent): Resources | undefined {
  if (agent.total.milli("gpus") > 0 && !hasCapability(framework.info, "GPU_RESOURCES")) return undefined;
  const revocable = hasCapability(framework.info, "REVOCABLE_RESOURCES");
  const visible = free.filter(
    (entry) =>
      (entry.role === "*" || entry.role === role || role.startsWith(`${entry.role}/`)) &&
      (revocable || entry.special?.revocable === undefined),
  );
  return isWorthwhile(visible) ? visible : undefined;
}

/** The connected frameworks that want offers, by role. */
function audiences(state: ClusterState): Map<string, Framework[]> {
  const byRole = new Map<string, Framework[]>();
  for (const framework of state.frameworks.values()) {
    if (framework.stream === undefined) continue;
    for (const role of framework.roles) {
      if (framework.suppressed.has(role)) continue;
      const list = byRole.get(role);
      if (list === undefined) byRole.set(role, [framework]);
      else list.push(framework);
    }
  }
  return byRole;
}

function shuffled<T>(items: T[], random: Random): T[] {
  for (let index = items.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    [items[index], items[other]] = [items[other] as T, items[index] as T];
  }
  return items;
}

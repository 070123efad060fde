/**
 * Offers in, launches and declines out. Apps take turns; each instance goes to the agent that holds the fewest of its
 * app, so that four instances on two agents land on both. One ACCEPT an agent, however many it launches.
 */
import type { Offer } from "../../mesos/protocol/offer.ts";
import type { TaskInfo } from "../../mesos/protocol/task.ts";
import type { AppDefinition } from "../model/app.ts";
import { type Instance, instanceIdOf } from "../model/instance.ts";
import { launchableAt } from "./backoff.ts";
import { attributeTexts, type Place, satisfies } from "./constraints.ts";
import type { Draft } from "./draft.ts";
import { AgentPool, type Rejection, type Taken } from "./offer-pool.ts";
import { livingOf } from "./reconcile-app.ts";
import { definitionOf, type QueueEntry } from "./state.ts";
import { taskInfoOf } from "./task-info.ts";

/** An app waits this long for the offers of agents that are known and not offered yet, for the sake of spreading. */
const spreadPatienceMs = 3_000;
/** An agent that offered nothing for this long is not waited for. */
const agentMemoryMs = 600_000;
/** Refused while something is waiting that did not fit: the agent may be offered again soon. */
const declineWhileWaitingMs = 5_000;
const declineWhileSpreadingMs = 500;

interface Want {
  readonly definition: AppDefinition;
  readonly entry: QueueEntry;
  readonly roles: ReadonlySet<string>;
  readonly placed: Place[];
  readonly onAgent: Map<string, number>;
  readonly rejections: Map<Rejection, number>;
  left: number;
}

export function handleOffers(draft: Draft, offers: readonly Offer[]): void {
  rememberAgents(draft, offers);
  const pools = poolsOf(offers);
  const wants = wantsOf(draft);
  const launches = new Map<AgentPool, TaskInfo[]>();
  placeInTurns(draft, wants, pools, launches);
  for (const [pool, tasks] of launches) accept(draft, pool, tasks);
  const unused = pools.filter((pool) => !launches.has(pool));
  decline(draft, unused, refusalMs(draft, wants));
  for (const want of wants) noteOffers(draft, want, pools.length, unused.length);
}

function rememberAgents(draft: Draft, offers: readonly Offer[]): void {
  for (const { agent_id, hostname, attributes } of offers) {
    draft.set("agents", agent_id.value, {
      host: hostname,
      attributes: attributes ?? [],
      seenAt: draft.now,
    });
  }
}

function poolsOf(offers: readonly Offer[]): readonly AgentPool[] {
  const pools = new Map<string, AgentPool>();
  for (const offer of offers) {
    const pool = pools.get(offer.agent_id.value) ?? new AgentPool(offer);
    pool.add(offer);
    pools.set(pool.agentId, pool);
  }
  return [...pools.values()];
}

function wantsOf(draft: Draft): readonly Want[] {
  const { state } = draft;
  if (state.link.draining) return [];
  return [...state.queue].flatMap(([appId, entry]) => {
    const definition = definitionOf(state, appId, entry.version);
    if (definition === undefined || launchableAt(state, definition) > draft.now) return [];
    const living = livingOf(state, appId, definition, draft.now);
    const roles = definition.acceptedResourceRoles ?? [state.settings.role, "*"];
    return [
      {
        definition,
        entry,
        roles: new Set(roles),
        placed: [...living],
        onAgent: countByAgent(living),
        rejections: new Map(),
        left: entry.count,
      },
    ];
  });
}

function countByAgent(instances: readonly Instance[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { agentId } of instances) counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
  return counts;
}

function placeInTurns(
  draft: Draft,
  wants: readonly Want[],
  pools: readonly AgentPool[],
  launches: Map<AgentPool, TaskInfo[]>,
): void {
  const known = knownAgents(draft);
  const isWhole = pools.length >= known.size;
  let open = wants;
  while (open.length > 0) {
    open = open.filter((want) => {
      const limit = isWhole ? Number.POSITIVE_INFINITY : agentLimit(draft, want, known.size);
      const placement = place(draft, want, { pools, known: [...known.values()], limit });
      if (placement === undefined) return false;
      const { pool, taken } = placement;
      launches.set(pool, [...(launches.get(pool) ?? []), launch(draft, want, pool, taken)]);
      return want.left > 0;
    });
  }
}

function knownAgents(draft: Draft): ReadonlyMap<string, Place> {
  const known = new Map<string, Place>();
  for (const [id, { host, attributes, seenAt }] of draft.state.agents) {
    if (draft.now - seenAt <= agentMemoryMs) known.set(id, { host, attributes: attributeTexts(attributes) });
  }
  return known;
}

function agentLimit(draft: Draft, want: Want, agents: number): number {
  const isPatient = draft.now - want.entry.raisedAt < spreadPatienceMs;
  return isPatient ? Math.ceil(want.definition.instances / agents) : Number.POSITIVE_INFINITY;
}

interface Ground {
  readonly pools: readonly AgentPool[];
  readonly known: readonly Place[];
  /** Most instances of the app on one agent. */
  readonly limit: number;
}

function place(draft: Draft, want: Want, ground: Ground): { pool: AgentPool; taken: Taken } | undefined {
  const here = (pool: AgentPool): number => want.onAgent.get(pool.agentId) ?? 0;
  const compare = (a: AgentPool, b: AgentPool): number => here(a) - here(b) || b.freeCpus - a.freeCpus;
  for (const pool of inOrder(ground.pools, compare)) {
    const refusal = here(pool) >= ground.limit ? "SpreadingOut" : constraintRefusal(want, pool, ground);
    const taken = refusal ?? pool.take(want.definition, want.roles, draft.random);
    if (typeof taken !== "string") return { pool, taken };
    want.rejections.set(taken, (want.rejections.get(taken) ?? 0) + 1);
  }
  return undefined;
}

/** The best first, found without sorting; the rest is sorted only when the best will not do. */
function* inOrder<T>(items: readonly T[], compare: (a: T, b: T) => number): Generator<T> {
  const [first] = items;
  if (first === undefined) return;
  const best = items.reduce((a, b) => (compare(b, a) < 0 ? b : a), first);
  yield best;
  yield* items.filter((item) => item !== best).sort(compare);
}

function constraintRefusal(want: Want, pool: AgentPool, ground: Ground): Rejection | undefined {
  const { constraints, instances } = want.definition;
  const view = { candidate: pool, placed: want.placed, agents: ground.known, instances };
  return constraints.every((constraint) => satisfies(constraint, view)) ? undefined : "UnfulfilledConstraint";
}

function launch(draft: Draft, want: Want, pool: AgentPool, taken: Taken): TaskInfo {
  const { definition } = want;
  const instance: Instance = {
    id: instanceIdOf(definition.id, draft.uuid()),
    appId: definition.id,
    version: definition.version,
    configVersion: definition.lastConfigChangeAt,
    agentId: pool.agentId,
    host: pool.host,
    attributes: pool.attributes,
    hostPorts: taken.hostPorts,
    role: taken.role,
    condition: "launching",
    goal: "running",
    stagedAt: draft.now,
  };
  draft.putInstance(instance);
  draft.tell("instance_changed_event", {
    instanceId: instance.id,
    condition: "Provisioned",
    goal: "Running",
    runSpecId: definition.id,
    agentId: pool.agentId,
    host: pool.host,
    runSpecVersion: definition.version,
  });
  want.placed.push(instance);
  want.onAgent.set(pool.agentId, (want.onAgent.get(pool.agentId) ?? 0) + 1);
  want.left -= 1;
  return taskInfoOf(definition, instance, taken.resources);
}

const ids = (pool: AgentPool) => pool.offerIds.map((value) => ({ value }));

function accept(draft: Draft, pool: AgentPool, tasks: readonly TaskInfo[]): void {
  draft.call({
    type: "ACCEPT",
    accept: {
      offer_ids: ids(pool),
      operations: [{ type: "LAUNCH", launch: { task_infos: [...tasks] } }],
      // What is left over may be wanted at once.
      filters: { refuse_seconds: 0 },
    },
  });
}

function decline(draft: Draft, pools: readonly AgentPool[], refuseMs: number): void {
  if (pools.length === 0) return;
  draft.call({
    type: "DECLINE",
    decline: { offer_ids: pools.flatMap(ids), filters: { refuse_seconds: refuseMs / 1000 } },
  });
}

function refusalMs(draft: Draft, wants: readonly Want[]): number {
  const waiting = wants.filter(({ left }) => left > 0);
  if (waiting.length === 0) return draft.state.settings.declineMs;
  const isSpreading = waiting.some(({ rejections }) => rejections.has("SpreadingOut"));
  return isSpreading ? declineWhileSpreadingMs : declineWhileWaitingMs;
}

function noteOffers(draft: Draft, want: Want, processed: number, unused: number): void {
  const entry = draft.state.queue.get(want.definition.id);
  if (entry === undefined) return;
  const last: Record<string, number> = {};
  const all: Record<string, number> = { ...entry.rejections };
  for (const [reason, count] of want.rejections) {
    last[reason] = count;
    all[reason] = (all[reason] ?? 0) + count;
  }
  draft.set("queue", want.definition.id, {
    ...entry,
    processedOffers: entry.processedOffers + processed,
    unusedOffers: entry.unusedOffers + unused,
    rejections: all,
    lastOffers: { processed, rejections: last },
  });
}

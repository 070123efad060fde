/** Making offers of allocations, and taking them back. */
import { hasCapability } from "../protocol/framework.ts";
import type { Offer as WireOffer } from "../protocol/offer.ts";
import { id } from "../protocol/wire.ts";
import type { Allocation } from "./allocator.ts";
import type { Agent, Framework, Offer } from "./cluster-state.ts";
import type { Turn } from "./turn.ts";

/** Keeps an event at some hundred kilobytes in the largest cluster. */
const mostOffersPerEvent = 1_000;
const defaultRefuseSeconds = 5;
const mostRefuseSeconds = 365 * 86_400;

/** Seconds that a decline lasts: 5 unless said, at most a year, never negative. */
export const refuseMs = (seconds = defaultRefuseSeconds): number =>
  Math.min(Math.max(seconds, 0), mostRefuseSeconds) * 1000;

/** Offers what is free to whoever is next. */
export function makeOffers(turn: Turn): void {
  const { state, allocator, now, random } = turn;
  const byFramework = new Map<Framework, WireOffer[]>();
  for (const allocation of allocator.allocate(state, now, random)) {
    const wire = toWire(makeOffer(turn, allocation), allocation);
    const list = byFramework.get(allocation.framework);
    if (list === undefined) byFramework.set(allocation.framework, [wire]);
    else list.push(wire);
  }
  for (const [{ stream }, offers] of byFramework) {
    if (stream === undefined) continue;
    for (let at = 0; at < offers.length; at += mostOffersPerEvent) {
      const part = offers.slice(at, at + mostOffersPerEvent);
      turn.act({ do: "send-event", stream, event: { type: "OFFERS", offers: { offers: part } } });
    }
  }
}

function makeOffer({ state, now }: Turn, { framework, agent, role, resources }: Allocation): Offer {
  const offer: Offer = {
    id: state.newOfferId(),
    frameworkId: framework.id,
    agentId: agent.id,
    role,
    resources,
    madeAt: now,
  };
  state.offers.set(offer.id, offer);
  state.tally.offersMade++;
  framework.offers.add(offer);
  agent.offers.add(offer);
  agent.offered = agent.offered.plus(resources);
  return offer;
}

function toWire(offer: Offer, { framework, agent, role }: Allocation): WireOffer {
  const multiRole = hasCapability(framework.info, "MULTI_ROLE");
  const wire: WireOffer = {
    id: id(offer.id),
    framework_id: id(framework.id),
    agent_id: id(agent.id),
    hostname: agent.hostname,
    url: {
      scheme: "http",
      address: { hostname: agent.hostname, ip: agent.ip, port: agent.port },
      path: "/slave(1)",
    },
    resources: offer.resources.toWire({
      allocationRole: multiRole ? role : undefined,
      refined: hasCapability(framework.info, "RESERVATION_REFINEMENT"),
    }),
    attributes: [...agent.attributes],
  };
  if (multiRole) wire.allocation_info = { role };
  return wire;
}

/** The offer is no more. Its resources go back to the agent; tasks that were launched with it charge anew. */
export function removeOffer({ state, allocator }: Turn, offer: Offer): void {
  state.offers.delete(offer.id);
  state.frameworks.get(offer.frameworkId)?.offers.delete(offer);
  allocator.release(offer.frameworkId, offer.role, offer.resources);
  const agent = state.agents.get(offer.agentId);
  if (agent === undefined) return;
  agent.offers.delete(offer);
  agent.offered = agent.offered.minus(offer.resources);
  state.dirty.add(agent);
}

export function rescindOffer(turn: Turn, offer: Offer): void {
  removeOffer(turn, offer);
  const stream = turn.state.frameworks.get(offer.frameworkId)?.stream;
  if (stream !== undefined)
    turn.act({ do: "send-event", stream, event: { type: "RESCIND", rescind: { offer_id: id(offer.id) } } });
}

export function rescindOffersOfAgent(turn: Turn, agent: Agent): void {
  for (const offer of [...agent.offers]) rescindOffer(turn, offer);
}

export function removeOffersOfFramework(turn: Turn, framework: Framework): void {
  for (const offer of [...framework.offers]) removeOffer(turn, offer);
}

export function offerToEveryone({ state }: Turn): void {
  for (const agent of state.agents.values()) state.dirty.add(agent);
}

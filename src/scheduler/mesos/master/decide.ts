/**
 * The leading master's decisions: everything that it knows and does, without a clock, I/O or chance of its own.
 *
 * Events go in one by one; each answers with the actions that the daemon carries out, in order. The state is rebuilt
 * for each leadership and thrown away with it: a master that does not lead has none.
 */
import type { Random } from "../../../base/clock.ts";
import type { MasterInfo } from "../protocol/master-info.ts";
import { admitted, agentClosed, welcome } from "./agents.ts";
import { Allocator } from "./allocator.ts";
import { answerCall } from "./calls.ts";
import { type AgentRecord, ClusterState, type MasterSettings } from "./cluster-state.ts";
import { disconnectFramework, giveUpLateFrameworks, removeFramework, subscribe } from "./frameworks.ts";
import { givenUp, giveUpAgent, giveUpLateAgents, pingAgents } from "./lost-agents.ts";
import { makeOffers, rescindOffer, rescindOffersOfAgent } from "./offers.ts";
import {
  type Answer,
  accepted,
  type MasterAction,
  type MasterEvent,
  type OperatorRequest,
  type Turn,
} from "./turn.ts";
import { hearAgent } from "./updates.ts";

export interface MasterCore {
  readonly state: ClusterState;
  readonly allocator: Allocator;
}

export interface Beginning {
  readonly info: MasterInfo;
  readonly settings: MasterSettings;
  /** What the registrar holds. */
  readonly records: readonly AgentRecord[];
  readonly now: number;
}

export function newMaster({ info, settings, records, now }: Beginning): MasterCore {
  const state = new ClusterState(info, settings, now);
  for (const record of records) {
    const { id, standing, since } = record;
    if (standing === "admitted") state.awaited.set(id, { id, record, since: now });
    else if (standing === "unreachable") state.unreachable.set(id, { id, record, since });
    else state.gone.set(id, { id, record, since });
  }
  return { state, allocator: new Allocator(settings.roleWeights) };
}

export interface Decision {
  readonly answer: Answer;
  readonly actions: readonly MasterAction[];
}

export function decide(core: MasterCore, event: MasterEvent, now: number, random: Random): Decision {
  const actions: MasterAction[] = [];
  const turn: Turn = { ...core, now, random, act: (action) => actions.push(action) };
  const answer = handle(turn, event);
  return { answer, actions };
}

function handle(turn: Turn, event: MasterEvent): Answer {
  switch (event.is) {
    case "subscribe":
      return subscribe(turn, event.stream, event.call);
    case "call":
      return answerCall(turn, event.stream, event.call);
    case "stream-closed":
      disconnectFramework(turn, event.stream);
      return accepted;
    case "agent-hello":
      return welcome(turn, event.session, event.hello);
    case "agent-message":
      return hearAgent(turn, event.session, event.message);
    case "agent-closed":
      agentClosed(turn, event.session);
      return accepted;
    case "persisted":
      if (event.next.step === "admit") admitted(turn, event.record, event.next.session, event.next.hello);
      else if (event.next.step === "give-up") givenUp(turn, event.record);
      return accepted;
    case "operator":
      return obey(turn, event.request);
    case "tick":
      pingAgents(turn);
      giveUpLateAgents(turn);
      giveUpLateFrameworks(turn);
      withdrawOldOffers(turn);
      makeOffers(turn);
      return accepted;
  }
}

function withdrawOldOffers(turn: Turn): void {
  const { offerTimeoutMs } = turn.state.settings;
  if (offerTimeoutMs === 0) return;
  for (const offer of [...turn.state.offers.values()]) {
    if (turn.now - offer.madeAt < offerTimeoutMs) return;
    rescindOffer(turn, offer);
  }
}

function obey(turn: Turn, request: OperatorRequest): Answer {
  const { state } = turn;
  if (request.want === "teardown") {
    const framework = state.frameworks.get(request.frameworkId);
    if (framework === undefined)
      return { status: 400, message: `No framework found with specified ID '${request.frameworkId}'` };
    removeFramework(turn, framework, "an operator asked for it");
    return { status: 200 };
  }
  const agent = state.agents.get(request.agentId);
  if (agent === undefined || agent.writing)
    return { status: 404, message: `No agent found with specified ID '${request.agentId}'` };
  if (request.want === "mark-agent-gone") giveUpAgent(turn, agent, "gone");
  else {
    agent.deactivated = request.want === "deactivate-agent";
    if (agent.deactivated) rescindOffersOfAgent(turn, agent);
    state.dirty.add(agent);
  }
  return { status: 200 };
}

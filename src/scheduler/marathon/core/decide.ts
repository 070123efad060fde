/**
 * The heart of Marathon: one event in, the next state out, with what to store, what to say to Mesos and what to tell
 * listeners. Pure: time and randomness come with the call. The daemon stores the writes before it sends the calls.
 */

import type { Offer } from "../../mesos/protocol/offer.ts";
import type { SchedulerEvent } from "../../mesos/protocol/scheduler-event.ts";
import type { TaskStatus } from "../../mesos/protocol/task.ts";
import { ApiError } from "../model/api-error.ts";
import type { Command, CommandResult } from "./command.ts";
import { adjustDemand } from "./demand.ts";
import { advanceDeployment } from "./deployments.ts";
import { type Context, Draft, type MarathonEvent, type MesosCall, type Write } from "./draft.ts";
import { type HealthResult, handleHealth, handleReadiness, type ReadinessResult } from "./handle-checks.ts";
import { handleCommand } from "./handle-command.ts";
import { handleStatus } from "./handle-status.ts";
import { handleTick, reconcileAll } from "./handle-tick.ts";
import { stopInstance } from "./kill.ts";
import { handleOffers } from "./match-offers.ts";
import { reconcileApp } from "./reconcile-app.ts";
import type { MarathonState } from "./state.ts";
import { deploymentOf } from "./target.ts";

export type CoreEvent =
  | { readonly type: "command"; readonly command: Command }
  | { readonly type: "subscribed"; readonly frameworkId: string; readonly master: string }
  | { readonly type: "disconnected" }
  /** Its id is worth nothing any more, and none of its tasks lives. */
  | { readonly type: "frameworkRemoved" }
  | { readonly type: "offers"; readonly offers: readonly Offer[] }
  | { readonly type: "status"; readonly status: TaskStatus }
  | { readonly type: "agentLost"; readonly agentId: string }
  | { readonly type: "health"; readonly result: HealthResult }
  | { readonly type: "readiness"; readonly result: ReadinessResult }
  | { readonly type: "tick" }
  /** The daemon ends and its tasks with it; the apps stay and start anew with the next one. */
  | { readonly type: "drain" };

export type Reply =
  | { readonly ok: true; readonly result: CommandResult }
  | { readonly ok: false; readonly error: ApiError };

export interface Decision {
  readonly state: MarathonState;
  readonly writes: readonly Write[];
  readonly calls: readonly MesosCall[];
  readonly events: readonly MarathonEvent[];
  /** Of a command. */
  readonly reply?: Reply;
}

export function decide(state: MarathonState, event: CoreEvent, context: Context): Decision {
  const draft = new Draft(state, context);
  let reply: Reply | undefined;
  try {
    reply = handle(draft, event);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { state, writes: [], calls: [], events: [], reply: { ok: false, error } };
  }
  settle(draft);
  adjustDemand(draft);
  const { writes, calls, events } = draft;
  return { state: draft.state, writes, calls, events, ...(reply === undefined ? {} : { reply }) };
}

export type QuietEvent = Exclude<CoreEvent, { readonly type: "command" }>;

/** As one after another, for events that nobody waits to be answered: looked at together, which is much cheaper. */
export function decideTogether(
  state: MarathonState,
  events: readonly QuietEvent[],
  context: Context,
): Decision {
  const draft = new Draft(state, context);
  for (const event of events) {
    // What is to be launched must be known before offers are looked at.
    if (event.type === "offers") settle(draft);
    handle(draft, event);
  }
  settle(draft);
  adjustDemand(draft);
  const { writes, calls, events: told } = draft;
  return { state: draft.state, writes, calls, events: told };
}

function handle(draft: Draft, event: CoreEvent): Reply | undefined {
  switch (event.type) {
    case "command":
      return { ok: true, result: handleCommand(draft, event.command) };
    case "subscribed":
      handleSubscribed(draft, event.frameworkId, event.master);
      return undefined;
    case "disconnected":
      draft.patch({ link: { ...draft.state.link, connected: false } });
      draft.tell("scheduler_disconnected_event");
      return undefined;
    case "frameworkRemoved":
      forgetFramework(draft);
      return undefined;
    case "offers":
      handleOffers(draft, event.offers);
      return undefined;
    case "status":
      handleStatus(draft, event.status);
      return undefined;
    case "agentLost":
      draft.set("agents", event.agentId, undefined);
      return undefined;
    case "health":
      handleHealth(draft, event.result);
      return undefined;
    case "readiness":
      handleReadiness(draft, event.result);
      return undefined;
    case "tick":
      handleTick(draft);
      return undefined;
    case "drain":
      drain(draft);
      return undefined;
  }
}

function handleSubscribed(draft: Draft, frameworkId: string, master: string): void {
  const isNew = draft.state.frameworkId === undefined;
  if (draft.state.frameworkId !== frameworkId) {
    draft.patch({ frameworkId });
    draft.writes.push({ kind: "framework", id: frameworkId });
  }
  draft.patch({
    link: { ...draft.state.link, connected: true, suppressed: false, revivedAt: 0, reconciledAt: draft.now },
  });
  draft.tell(isNew ? "scheduler_registered_event" : "scheduler_reregistered_event", { frameworkId, master });
  reconcileAll(draft);
  for (const appId of draft.state.apps.keys()) draft.dirty.add(appId);
  for (const appId of draft.state.instances.keys()) draft.dirty.add(appId);
}

/** After a teardown, or after longer away than failover_timeout: register anew, start the apps anew. */
function forgetFramework(draft: Draft): void {
  const { frameworkId: _gone, ...state } = draft.state;
  draft.replace(state);
  draft.writes.push({ kind: "framework", id: undefined });
  for (const instances of draft.state.instances.values()) {
    for (const instance of instances.values()) draft.removeInstance(instance);
  }
}

function drain(draft: Draft): void {
  draft.patch({ link: { ...draft.state.link, draining: true } });
  for (const instances of draft.state.instances.values()) {
    for (const instance of instances.values()) stopInstance(draft, instance);
  }
}

/** How often apps and deployments may set each other off within one event; a step each is the usual. */
const maxRounds = 1_000;

/** Looks at every app that something happened to, and moves deployments on, until nothing more follows. */
function settle(draft: Draft): void {
  for (let round = 0; draft.dirty.size > 0 && round < maxRounds; round += 1) {
    const apps = [...draft.dirty];
    draft.dirty.clear();
    for (const appId of apps) reconcileApp(draft, appId);
    const touched = new Set(
      [...apps, ...draft.dirty].flatMap((id) => deploymentOf(draft.state, id)?.id ?? []),
    );
    for (const id of touched) advanceDeployment(draft, id);
  }
}

/** What a master's event means to us; undefined for heartbeats and the like. */
export function coreEventsOf(event: SchedulerEvent): readonly CoreEvent[] {
  switch (event.type) {
    case "OFFERS":
      return [{ type: "offers", offers: event.offers.offers }];
    case "UPDATE":
      return [{ type: "status", status: event.update.status }];
    case "FAILURE": {
      const { agent_id, executor_id } = event.failure;
      return agent_id === undefined || executor_id !== undefined
        ? []
        : [{ type: "agentLost", agentId: agent_id.value }];
    }
    default:
      return [];
  }
}

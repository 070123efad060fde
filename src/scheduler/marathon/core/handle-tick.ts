/** What becomes due by the passing of time: unreachable instances, launches nobody answered, kills, reconciliation. */
import { appOfInstance, type Instance, isToLive } from "../model/instance.ts";
import type { Draft } from "./draft.ts";
import { expungeIfDue } from "./handle-status.ts";
import { retryKills, stopInstance } from "./kill.ts";
import { isInactive } from "./reconcile-app.ts";
import { targetOf } from "./target.ts";

/** How often time passes. */
export const tickMs = 500;
/** A launch of which nothing was heard for this long is asked about. */
const silentLaunchMs = 10_000;
/** The most tasks in one RECONCILE call. */
const maxReconciledTasks = 1_000;

export function handleTick(draft: Draft): void {
  retryKills(draft, appOfInstance);
  const silent: Instance[] = [];
  for (const instances of draft.state.instances.values()) {
    for (const instance of instances.values()) lookAt(draft, instance, silent);
  }
  if (!draft.state.link.connected) return;
  if (draft.now - draft.state.link.reconciledAt >= draft.state.settings.reconcileIntervalMs) {
    reconcileAll(draft);
  } else if (silent.length > 0) {
    reconcileTasks(draft, silent);
  }
}

function lookAt(draft: Draft, instance: Instance, silent: Instance[]): void {
  if (instance.condition === "unreachable") {
    expungeIfDue(draft, instance);
    if (isInactive(instance, targetOf(draft.state, instance.appId).definition, draft.now)) {
      draft.dirty.add(instance.appId);
    }
    return;
  }
  if (instance.startedAt !== undefined || !isToLive(instance)) return;
  const waitedMs = draft.now - instance.stagedAt;
  if (waitedMs >= draft.state.settings.launchTimeoutMs && draft.state.link.connected) {
    stopInstance(draft, instance);
  } else if (instance.condition === "launching" && isDue(waitedMs)) {
    silent.push(instance);
  }
}

/** At one tick in every silentLaunchMs. */
const isDue = (waitedMs: number): boolean => waitedMs >= silentLaunchMs && waitedMs % silentLaunchMs < tickMs;

/** Asks Mesos for every task that we know, and for every task of ours that it knows. */
export function reconcileAll(draft: Draft): void {
  draft.patch({ link: { ...draft.state.link, reconciledAt: draft.now } });
  const all = [...draft.state.instances.values()].flatMap((instances) => [...instances.values()]);
  reconcileTasks(draft, all);
  draft.call({ type: "RECONCILE", reconcile: { tasks: [] } });
}

function reconcileTasks(draft: Draft, instances: readonly Instance[]): void {
  for (let at = 0; at < instances.length; at += maxReconciledTasks) {
    const tasks = instances.slice(at, at + maxReconciledTasks).map(({ id, agentId }) => ({
      task_id: { value: id },
      agent_id: { value: agentId },
    }));
    draft.call({ type: "RECONCILE", reconcile: { tasks } });
  }
}

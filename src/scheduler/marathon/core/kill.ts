/** Ending instances: the goal is stored first, then Mesos is asked until it says that the task is gone. */

import type { AppDefinition } from "../model/app.ts";
import { type Instance, isToLive } from "../model/instance.ts";
import { countsBy, fieldOf } from "./constraints.ts";
import type { Draft } from "./draft.ts";
import { healthOf } from "./readiness.ts";
import { instanceById, type MarathonState } from "./state.ts";
import { tellChange } from "./tell-change.ts";

const firstKillRetryMs = 5_000;
const maxKillRetryMs = 60_000;

/** Marks it stopped and asks Mesos to end its task. One that no agent can be asked about is forgotten. */
export function stopInstance(draft: Draft, instance: Instance): void {
  if (!isToLive(instance)) return;
  if (instance.condition === "unreachable") {
    draft.removeInstance(instance);
    return;
  }
  draft.putInstance({ ...instance, goal: "stopped" });
  askToKill(draft, instance);
}

/**
 * Ends one that others take over from: proxies hear at once that it leaves, and Mesos is asked to end its task only when
 * they have had the time to send their requests elsewhere.
 */
export function retireInstance(draft: Draft, instance: Instance): void {
  const { drainMs } = draft.state.settings;
  const mayServe = instance.condition === "running" && healthOf(draft.state, instance) !== false;
  const isReached = instance.hostPorts.length > 0 || (instance.ipAddresses ?? []).length > 0;
  if (drainMs === 0 || !mayServe || !isReached || !isToLive(instance)) {
    stopInstance(draft, instance);
    return;
  }
  const retired: Instance = { ...instance, goal: "stopped" };
  draft.putInstance(retired);
  draft.set("kills", instance.id, { attempts: 0, nextAt: draft.now + drainMs });
  tellChange(draft, retired, instance.condition);
}

function askToKill(draft: Draft, instance: Pick<Instance, "id" | "agentId">): void {
  const attempts = (draft.state.kills.get(instance.id)?.attempts ?? 0) + 1;
  const wait = Math.min(maxKillRetryMs, firstKillRetryMs * 2 ** (attempts - 1));
  draft.set("kills", instance.id, { attempts, nextAt: draft.now + wait });
  draft.call(killCall(instance));
}

export const killCall = ({ id, agentId }: Pick<Instance, "id" | "agentId">) =>
  ({
    type: "KILL",
    kill: { task_id: { value: id }, ...(agentId === "" ? {} : { agent_id: { value: agentId } }) },
  }) as const;

/** Asks again for what has not ended yet. */
export function retryKills(draft: Draft, appOf: (id: string) => string): void {
  for (const [id, { nextAt }] of draft.state.kills) {
    const instance = instanceById(draft.state, appOf(id), id);
    if (instance === undefined) draft.set("kills", id, undefined);
    else if (nextAt <= draft.now) askToKill(draft, instance);
  }
}

/** The `count` instances that are missed least: not yet running, then ill, then what a GROUP_BY has too many of. */
export function chooseVictims(
  state: MarathonState,
  definition: AppDefinition | undefined,
  candidates: readonly Instance[],
  count: number,
): readonly Instance[] {
  const remaining = [...candidates];
  const victims: Instance[] = [];
  const field = definition?.constraints.find(({ operator }) => operator === "GROUP_BY")?.field;
  while (victims.length < count && remaining.length > 0) {
    const crowd = field === undefined ? undefined : countsBy(remaining, field);
    const crowded = (instance: Instance) =>
      field === undefined ? 0 : (crowd?.get(fieldOf(instance, field) ?? "") ?? 0);
    remaining.sort(
      (a, b) =>
        usefulness(state, a) - usefulness(state, b) ||
        crowded(b) - crowded(a) ||
        byAge(definition, a, b) ||
        (a.id < b.id ? -1 : 1),
    );
    const taken = field === undefined ? remaining.splice(0, count - victims.length) : remaining.splice(0, 1);
    victims.push(...taken);
  }
  return victims;
}

function usefulness(state: MarathonState, instance: Instance): number {
  if (instance.condition === "unreachable") return 0;
  if (instance.condition !== "running") return 1;
  const healthy = healthOf(state, instance);
  return healthy === false ? 2 : healthy === undefined ? 3 : 4;
}

function byAge(definition: AppDefinition | undefined, a: Instance, b: Instance): number {
  const oldestFirst = a.stagedAt - b.stagedAt;
  return definition?.killSelection === "OLDEST_FIRST" ? oldestFirst : -oldestFirst;
}

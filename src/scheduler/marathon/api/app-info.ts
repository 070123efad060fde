/** An app with what is going on around it, as much of it as a client wants embedded. */
import type { JsonObject } from "../../../base/json.ts";
import { readinessJson } from "../core/deployment-json.ts";
import { isFresh } from "../core/reconcile-app.ts";
import type { MarathonState } from "../core/state.ts";
import { instancesOf } from "../core/state.ts";
import type { AppDefinition, AppId } from "../model/app.ts";
import { appJson } from "../model/app-json.ts";
import { countsOf, failureJson, taskJson } from "./task-json.ts";

export type Embed = "tasks" | "counts" | "deployments" | "readiness" | "lastTaskFailure" | "taskStats";

/** "apps.tasks", "app.tasks", "group.apps.tasks", "group.groups.apps.tasks" → tasks. */
export function embedsOf(names: readonly string[]): ReadonlySet<Embed> {
  const found = new Set<Embed>(["counts", "deployments"]);
  for (const name of names) {
    const last = name.slice(name.lastIndexOf(".") + 1);
    if (last === "failures") found.add("tasks").add("lastTaskFailure");
    if (["tasks", "readiness", "lastTaskFailure", "taskStats"].includes(last)) found.add(last as Embed);
  }
  return found;
}

export function appInfo(state: MarathonState, app: AppDefinition, embeds: ReadonlySet<Embed>): JsonObject {
  const failure = state.failures.get(app.id);
  return {
    ...appJson(app),
    ...countsOf(state, app.id),
    deployments: deploymentsOf(state, app.id),
    ...(embeds.has("readiness") ? { readinessCheckResults: readinessJson(state, app.id) } : {}),
    ...(embeds.has("tasks") ? { tasks: tasksOf(state, app.id) } : {}),
    ...(embeds.has("lastTaskFailure") && failure !== undefined
      ? { lastTaskFailure: failureJson(failure) }
      : {}),
    ...(embeds.has("taskStats") ? { taskStats: taskStats(state, app) } : {}),
  };
}

export const tasksOf = (state: MarathonState, appId: AppId): readonly JsonObject[] =>
  [...instancesOf(state, appId).values()].map((instance) => taskJson(state, instance));

const deploymentsOf = (state: MarathonState, appId: AppId): readonly JsonObject[] =>
  [...state.deployments.values()]
    .filter(({ changes }) => changes.some(({ app }) => app === appId))
    .map(({ id }) => ({ id }));

function taskStats(state: MarathonState, app: AppDefinition): JsonObject {
  const all = [...instancesOf(state, app.id).values()];
  const stats = (kept: typeof all): JsonObject => {
    const running = kept.filter(({ condition }) => condition === "running").length;
    const staged = kept.filter(({ condition }) => ["launching", "staging", "starting"].includes(condition));
    return { stats: { counts: { staged: staged.length, running, healthy: 0, unhealthy: 0 } } };
  };
  return {
    totalSummary: stats(all),
    startedAfterLastScaling: stats(all.filter(({ stagedAt }) => stagedAt >= Date.parse(app.lastScalingAt))),
    withLatestConfig: stats(all.filter((instance) => isFresh(instance, app))),
    withOutdatedConfig: stats(all.filter((instance) => !isFresh(instance, app))),
  };
}

/** `/metrics/snapshot`: the names that Mesos's own master uses. */
import type { Resources } from "../protocol/resources.ts";
import type { MasterDaemon } from "./master-daemon.ts";
import { countStates } from "./models.ts";

export function masterMetrics(daemon: MasterDaemon): Record<string, number> {
  const { core, options, startedAt } = daemon;
  const uptime = (options.clock.now() - startedAt) / 1000;
  if (core === undefined) return { "master/elected": 0, "master/uptime_secs": uptime };
  const { state } = core;
  const agents = [...state.agents.values()];
  const connected = agents.filter(({ session }) => session !== undefined).length;
  const frameworks = [...state.frameworks.values()];
  const active = frameworks.filter(({ stream }) => stream !== undefined).length;
  const counts = countStates(frameworks.flatMap(({ tasks }) => [...tasks.values()]));
  return {
    "master/elected": 1,
    "master/uptime_secs": uptime,
    "master/slaves_active": agents.filter(({ session, deactivated }) => session !== undefined && !deactivated)
      .length,
    "master/slaves_inactive": agents.length - connected,
    "master/slaves_connected": connected,
    "master/slaves_disconnected": agents.length - connected,
    "master/slaves_unreachable": state.unreachable.size,
    "master/recovery_slave_removals": 0,
    "master/frameworks_active": active,
    "master/frameworks_inactive": frameworks.length - active,
    "master/frameworks_connected": active,
    "master/frameworks_disconnected": frameworks.length - active,
    "master/outstanding_offers": state.offers.size,
    "master/tasks_staging": counts.TASK_STAGING ?? 0,
    "master/tasks_starting": counts.TASK_STARTING ?? 0,
    "master/tasks_running": counts.TASK_RUNNING ?? 0,
    "master/tasks_killing": counts.TASK_KILLING ?? 0,
    "master/tasks_unreachable": frameworks.reduce(
      (sum, { unreachableTasks }) => sum + unreachableTasks.size,
      0,
    ),
    "master/tasks_finished": state.tally.finished,
    "master/tasks_failed": state.tally.failed,
    "master/tasks_killed": state.tally.killed,
    "master/tasks_lost": state.tally.lost,
    "master/tasks_error": state.tally.errors,
    ...resourceMetrics(agents),
  };
}

function resourceMetrics(
  agents: readonly { readonly total: Resources; readonly used: Resources }[],
): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const name of ["cpus", "mem", "disk", "gpus"]) {
    const total = agents.reduce((sum, agent) => sum + agent.total.milli(name), 0) / 1000;
    const used = agents.reduce((sum, agent) => sum + agent.used.milli(name), 0) / 1000;
    metrics[`master/${name}_total`] = total;
    metrics[`master/${name}_used`] = used;
    metrics[`master/${name}_percent`] = total === 0 ? 0 : used / total;
  }
  return metrics;
}

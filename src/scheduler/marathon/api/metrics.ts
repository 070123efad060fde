/** A few numbers to watch. */
import type { MarathonState } from "../core/state.ts";

function numbers(state: MarathonState | undefined): Readonly<Record<string, number>> {
  const instances = [...(state?.instances.values() ?? [])].flatMap((each) => [...each.values()]);
  const running = instances.filter(({ condition }) => condition === "running").length;
  const staged = instances.filter(({ condition }) =>
    ["launching", "staging", "starting"].includes(condition),
  );
  const waiting = [...(state?.queue.values() ?? [])].reduce((sum, { count }) => sum + count, 0);
  return {
    "apps.active.gauge": state?.apps.size ?? 0,
    "deployments.active.gauge": state?.deployments.size ?? 0,
    "groups.active.gauge": state?.groups.size ?? 0,
    "instances.running.gauge": running,
    "instances.staged.gauge": staged.length,
    "instances.unreachable.gauge": instances.filter(({ condition }) => condition === "unreachable").length,
    "launchqueue.instances.gauge": waiting,
    "mesos.connected.gauge": state?.link.connected === true ? 1 : 0,
    "leader.gauge": state === undefined ? 0 : 1,
    "uptime.gauge.seconds": Math.round(process.uptime()),
    "memory.rss.gauge.bytes": process.memoryUsage.rss(),
  };
}

export const metricsJson = (state: MarathonState | undefined): object => ({
  version: "4.0.0",
  gauges: Object.fromEntries(
    Object.entries(numbers(state)).map(([name, value]) => [`marathon.${name}`, { value }]),
  ),
  counters: {},
  histograms: {},
  meters: {},
  timers: {},
});

export const prometheusText = (state: MarathonState | undefined): string =>
  Object.entries(numbers(state))
    .map(([name, value]) => `marathon_${name.replaceAll(".", "_")} ${value}\n`)
    .join("");

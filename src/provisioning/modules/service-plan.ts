/** What service, systemd and sysvinit share: from "this unit shall run" to systemctl or service. */
import type { JsonObject } from "../../base/json.ts";
import type { UnitAnswer } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import type { Plan } from "./module.ts";

export interface ServiceGoal {
  readonly name: string;
  readonly state?: "started" | "stopped" | "restarted" | "reloaded" | undefined;
  readonly enabled?: boolean | undefined;
  readonly masked?: boolean | undefined;
  /** systemctl's own flags: --user, --no-block, --force. */
  readonly flags?: readonly string[];
  /** Seconds between stop and start of a restart. */
  readonly sleep?: number | undefined;
  /** For `service NAME start`. */
  readonly arguments?: string | undefined;
  readonly runlevels?: readonly string[] | undefined;
}

const running = new Set<UnitAnswer["active"]>(["active", "activating", "reloading"]);
export const isRunning = ({ active }: UnitAnswer): boolean => running.has(active);

export const isEnabled = ({ enabled }: UnitAnswer): boolean =>
  ["enabled", "static", "indirect", "alias"].includes(enabled);

/** Of the module's context. */
interface PlanMoment {
  readonly check: boolean;
  readonly round: number;
}

/**
 * What systemd has not read yet is read first, which is no change: so no role has to say daemon_reload. A unit that is
 * only on disk so far is looked at once more then.
 */
export function planService(goal: ServiceGoal, unit: UnitAnswer, { check, round }: PlanMoment): Plan {
  const reloads = unit.isUnread === true && !check && round === 0;
  if (!reloads) return planUnit(goal, unit);
  const reload: Step = {
    do: "run",
    why: "let systemd read its files",
    argv: ["systemctl", ...(goal.flags ?? []).filter((flag) => flag === "--user"), "daemon-reload"],
  };
  if (!unit.exists) return { steps: [reload], diffs: [], unchanged: true, again: true };
  const plan = planUnit(goal, unit);
  if (plan.fail !== undefined) return plan;
  return { ...plan, steps: [reload, ...plan.steps], ...(plan.steps.length === 0 ? { unchanged: true } : {}) };
}

function planUnit(goal: ServiceGoal, unit: UnitAnswer): Plan {
  const exists = unit.exists || unit.isUnread === true;
  const onlyMasks = goal.masked !== undefined && goal.state === undefined && goal.enabled === undefined;
  const unmasks = unit.enabled === "masked" && goal.masked === false;
  if (!exists && !onlyMasks && goal.masked !== true && !unmasks) {
    const what = unit.manager === "systemd" ? "unit" : "init script";
    return { steps: [], diffs: [], fail: `there is no ${what} "${goal.name}" on the host` };
  }
  if (unit.enabled === "masked" && goal.masked !== false && startsOrEnables(goal)) {
    const fail = `unit "${goal.name}" is masked (masked: false would unmask it)`;
    return { steps: [], diffs: [], fail };
  }
  const steps = [...maskSteps(goal, unit), ...enableSteps(goal, unit), ...stateSteps(goal, unit)];
  const before = shownState(unit, goal);
  const after = { ...before, ...wantedState(goal) };
  const shown = (values: object) =>
    Object.entries(values)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join("");
  const differs = shown(before) !== shown(after);
  return {
    steps,
    diffs: differs ? [{ path: goal.name, before: shown(before), after: shown(after) }] : [],
    ...(goal.state === "restarted" || goal.state === "reloaded" ? { leavesNoTrace: true } : {}),
  };
}

const startsOrEnables = (goal: ServiceGoal): boolean =>
  goal.enabled === true || (goal.state !== undefined && goal.state !== "stopped");

const shownState = (unit: UnitAnswer, goal: ServiceGoal) => ({
  ...(goal.state === undefined ? {} : { state: isRunning(unit) ? "started" : "stopped" }),
  ...(goal.enabled === undefined ? {} : { enabled: isEnabled(unit) }),
  ...(goal.masked === undefined ? {} : { masked: unit.enabled === "masked" }),
});

const wantedState = (goal: ServiceGoal) => ({
  ...(goal.state === undefined ? {} : { state: goal.state }),
  ...(goal.enabled === undefined ? {} : { enabled: goal.enabled }),
  ...(goal.masked === undefined ? {} : { masked: goal.masked }),
});

function command(goal: ServiceGoal, unit: UnitAnswer, verb: string): Step {
  const words = goal.arguments === undefined ? [] : goal.arguments.split(/\s+/).filter((word) => word !== "");
  const argv =
    unit.manager === "systemd"
      ? ["systemctl", ...(goal.flags ?? []), verb, goal.name]
      : ["service", goal.name, verb, ...words];
  return { do: "run", why: `${verb} ${goal.name}`, argv };
}

function maskSteps(goal: ServiceGoal, unit: UnitAnswer): readonly Step[] {
  const isMasked = unit.enabled === "masked";
  if (goal.masked === undefined || goal.masked === isMasked) return [];
  return [command(goal, unit, goal.masked ? "mask" : "unmask")];
}

function enableSteps(goal: ServiceGoal, unit: UnitAnswer): readonly Step[] {
  if (goal.enabled === undefined || goal.enabled === isEnabled(unit)) return [];
  const isFixed = unit.enabled === "static" || unit.enabled === "indirect" || unit.enabled === "alias";
  if (!goal.enabled && isFixed) return [];
  const verb = goal.enabled ? "enable" : "disable";
  if (unit.manager === "systemd") return [command(goal, unit, verb)];
  const run = (...argv: readonly string[]): Step => ({
    do: "run",
    why: `${verb} ${goal.name}`,
    argv: ["update-rc.d", goal.name, ...argv],
  });
  const levels = goal.runlevels ?? [];
  return goal.enabled ? [run("defaults"), run("enable", ...levels)] : [run("disable", ...levels)];
}

function stateSteps(goal: ServiceGoal, unit: UnitAnswer): readonly Step[] {
  const runs = isRunning(unit);
  if (goal.state === "started") return runs ? [] : [command(goal, unit, "start")];
  if (goal.state === "stopped") {
    return runs || unit.active === "deactivating" ? [command(goal, unit, "stop")] : [];
  }
  if (goal.state === "reloaded") return [command(goal, unit, runs ? "reload" : "start")];
  if (goal.state !== "restarted") return [];
  if (!runs) return [command(goal, unit, "start")];
  if (goal.sleep === undefined) return [command(goal, unit, "restart")];
  const sleep: Step = { do: "run", why: `wait ${goal.sleep} s`, argv: ["sleep", String(goal.sleep)] };
  return [command(goal, unit, "stop"), sleep, command(goal, unit, "start")];
}

export function serviceResult(goal: ServiceGoal, unit: UnitAnswer): JsonObject {
  const isStarted = goal.state === undefined ? isRunning(unit) : goal.state !== "stopped";
  return {
    name: goal.name,
    state: isStarted ? "started" : "stopped",
    ...(goal.enabled === undefined ? {} : { enabled: goal.enabled }),
    ...(unit.manager === "systemd" ? { status: { ...unit.properties } } : {}),
  };
}

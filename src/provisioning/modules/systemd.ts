import type { z } from "zod";
import type { Answers, Question, UnitAnswer } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { ModuleContext, Plan } from "./module.ts";
import { states } from "./service.ts";
import { planService, type ServiceGoal, serviceResult } from "./service-plan.ts";

const args = defineArgs(
  {
    name: text("The unit; without an ending a service.", { aliases: ["service", "unit"] }),
    state: choice(states)("started and stopped act when needed; restarted and reloaded always."),
    enabled: flag("Shall it start with the host?"),
    masked: flag("Shall it be impossible to start it?"),
    daemon_reload: flag("Let systemd read its files first.", { default: false, aliases: ["daemon-reload"] }),
    daemon_reexec: flag("Let systemd start itself anew first.", {
      default: false,
      aliases: ["daemon-reexec"],
    }),
    scope: choice(["system", "user", "global"])("Whose systemd.", { default: "system" }),
    no_block: flag("Do not wait until the unit is up.", { default: false }),
    force: flag("Replace links that are in the way when enabling."),
  },
  {
    check: (args) =>
      args.name === undefined && (args.state ?? args.enabled ?? args.masked) !== undefined
        ? '"name" is required with state, enabled and masked'
        : undefined,
  },
);
type SystemdArgs = z.infer<typeof args>;

/** Of a user's own systemd, and of what is set for all users: the unit question knows only the system's. */
const scopedSh = `XDG_RUNTIME_DIR=\${XDG_RUNTIME_DIR:-/run/user/$(id -u)}; export XDG_RUNTIME_DIR
systemctl "--$1" is-enabled -- "$2" 2>/dev/null | head -n 1 | grep . || echo unknown
[ "$1" = global ] || systemctl --user show -- "$2"`;

const scopeFlags = ({ scope }: SystemdArgs) => (scope === "system" ? [] : [`--${scope}`]);
const runtimeEnv = (args: SystemdArgs, context: ModuleContext) =>
  args.scope === "user" ? { env: { XDG_RUNTIME_DIR: `/run/user/${context.facts.base.uid}` } } : {};

function ask(args: SystemdArgs): readonly Question[] {
  if (args.name === undefined) return [];
  if (args.scope !== "system") return [{ of: "script", sh: scopedSh, args: [args.scope, args.name] }];
  return [{ of: "unit", name: args.name }];
}

function read(answers: Answers, args: SystemdArgs): UnitAnswer | undefined {
  if (args.name === undefined) return undefined;
  if (args.scope === "system") return answerTo(answers, 0, "unit");
  const [enabled = "unknown", ...lines] = linesOf(textOf(answerTo(answers, 0, "script").stdout));
  const properties = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  return {
    manager: "systemd",
    exists: args.scope === "global" ? enabled !== "unknown" : properties.LoadState === "loaded",
    active: (properties.ActiveState ?? "inactive") as UnitAnswer["active"],
    enabled: enabled as UnitAnswer["enabled"],
    properties,
  };
}

const goalOf = (args: SystemdArgs): ServiceGoal => ({
  name: args.name ?? "",
  state: args.state,
  enabled: args.enabled,
  masked: args.masked,
  flags: [
    ...scopeFlags(args),
    ...(args.no_block ? ["--no-block"] : []),
    ...(args.force === true ? ["--force"] : []),
  ],
});

function daemonSteps(args: SystemdArgs, context: ModuleContext): readonly Step[] {
  if (context.check || context.round > 0) return [];
  const run = (verb: string): Step => ({
    do: "run",
    why: verb === "daemon-reload" ? "let systemd read its files" : "start systemd anew",
    argv: ["systemctl", ...scopeFlags(args), verb],
    ...runtimeEnv(args, context),
  });
  return [
    ...(args.daemon_reexec ? [run("daemon-reexec")] : []),
    ...(args.daemon_reload ? [run("daemon-reload")] : []),
  ];
}

function plan(args: SystemdArgs, state: UnitAnswer | undefined, context: ModuleContext): Plan {
  if (context.facts.base.serviceManager !== "systemd") {
    return { steps: [], diffs: [], fail: "this host is not run by systemd (module service takes both)" };
  }
  const before = daemonSteps(args, context);
  if (state === undefined) return { steps: before, diffs: [], unchanged: true };
  // Only after a reload is it known whether a unit that is missing now is really not there.
  if (!state.exists && before.length > 0) return { steps: before, diffs: [], unchanged: true, again: true };
  const isRead = before.length > 0;
  const known = isRead ? { ...state, isUnread: false } : state;
  const { steps, ...rest } = planService(goalOf(args), known, context);
  const scoped = steps.map((step) => ({ ...step, ...runtimeEnv(args, context) }));
  return { ...rest, steps: [...before, ...scoped], ...(steps.length === 0 ? { unchanged: true } : {}) };
}

export default defineModule({
  kind: "host",
  name: "systemd",
  summary: "Starts, stops, enables and masks a unit of systemd, and lets systemd read its files.",
  args,
  example:
    "- name: the new unit runs\n  systemd:\n    name: marathon\n    state: started\n    enabled: true\n    daemon_reload: true\n",
  reads: "host",
  ask,
  read,
  plan,
  result: (state, _outcome, args) =>
    state === undefined ? { name: null, status: {} } : serviceResult(goalOf(args), state),
});

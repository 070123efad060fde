import type { Question, UnitAnswer } from "../host/question.ts";
import { answerTo, textOf } from "./answers.ts";
import { choice, defineArgs, flag, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { planService, serviceResult } from "./service-plan.ts";

export const states = ["started", "stopped", "restarted", "reloaded"] as const;

/** For init scripts without a status of their own: does a process look like it? The asking sh itself does not count. */
export const patternQuestion = (pattern: string): Question => ({
  of: "script",
  sh: 'ps ax -o pid= -o args= 2>/dev/null | grep -F -- "$1" | grep -v "^ *$$ " | grep -v -e grep -e " sh -c " | head -n 1',
  args: [pattern],
});

export default defineModule({
  kind: "host",
  name: "service",
  summary: "Starts, stops, restarts and enables a service, under systemd or init scripts.",
  args: defineArgs(
    {
      name: text("The service.", { required: true }),
      state: choice(states)("started and stopped act when needed; restarted and reloaded always."),
      enabled: flag("Shall it start with the host?"),
      sleep: whole("Seconds between stop and start of a restart."),
      pattern: text("Init scripts without a status: what its line in ps contains."),
      runlevel: text("Of other systems; has no effect.", { default: "default" }),
      arguments: text("More words for the init script.", { aliases: ["args"] }),
      use: text("Of Ansible: the host's own service manager is found out.", { default: "auto" }),
    },
    { oneOf: [["state", "enabled"]] },
  ),
  example:
    "- name: HAProxy runs, now and after a reboot\n  service: {name: haproxy, state: started, enabled: true}\n",
  reads: "host",
  ask: (args) => [
    { of: "unit", name: args.name },
    ...(args.pattern === undefined ? [] : [patternQuestion(args.pattern)]),
  ],
  read(answers, args): UnitAnswer {
    const unit = answerTo(answers, 0, "unit");
    if (args.pattern === undefined || unit.manager === "systemd") return unit;
    const found = textOf(answerTo(answers, 1, "script").stdout) !== "";
    return { ...unit, active: found ? "active" : "inactive" };
  },
  plan: (args, state, context) => planService(args, state, context),
  result: (state, _outcome, args) => serviceResult(args, state),
});

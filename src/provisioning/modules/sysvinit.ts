import type { UnitAnswer } from "../host/question.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, list, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { patternQuestion, states } from "./service.ts";
import { planService, serviceResult } from "./service-plan.ts";

const statusSh = `[ -e "/etc/init.d/$1" ] || exit 9
for f in /etc/rc[2345].d/S[0-9][0-9]"$1"; do [ -e "$f" ] && { echo enabled; break; }; done
service "$1" status >/dev/null 2>&1 </dev/null && echo running; exit 0`;

export default defineModule({
  kind: "host",
  name: "sysvinit",
  summary: "Starts, stops and enables an init script.",
  args: defineArgs(
    {
      name: text("The init script.", { required: true, aliases: ["service"] }),
      state: choice(states)("started and stopped act when needed; restarted and reloaded always."),
      enabled: flag("Shall it start with the host?"),
      sleep: whole("Seconds between stop and start of a restart.", { default: 1 }),
      pattern: text("Scripts without a status: what its line in ps contains."),
      runlevels: list("Runlevels to enable it in. Default: those that the script names."),
      arguments: text("More words for the script.", { aliases: ["args"] }),
      daemonize: flag("Of Ansible; scripts that stay in the foreground are not waited for anyway.", {
        default: false,
      }),
    },
    { oneOf: [["state", "enabled"]] },
  ),
  example: "- name: an old service\n  sysvinit: {name: legacyd, state: started, enabled: true}\n",
  reads: "host",
  ask: (args) => [
    { of: "script", sh: statusSh, args: [args.name] },
    ...(args.pattern === undefined ? [] : [patternQuestion(args.pattern)]),
  ],
  read(answers, args): UnitAnswer {
    const status = answerTo(answers, 0, "script");
    const words = linesOf(textOf(status.stdout));
    const found = args.pattern !== undefined && textOf(answerTo(answers, 1, "script").stdout) !== "";
    return {
      manager: "sysvinit",
      exists: status.code !== 9,
      active: found || words.includes("running") ? "active" : "inactive",
      enabled: words.includes("enabled") ? "enabled" : "disabled",
      properties: {},
    };
  },
  plan: (args, state, context) => planService(args, state, context),
  result: (state, _outcome, args) => serviceResult(args, state),
});

import type { Step } from "../host/step.ts";
import { answerTo, bytesOf, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

/** The zone by its link, by Debian's file, whether the zone exists, and what /etc/adjtime says of the clock. */
const zoneSh = `readlink /etc/localtime | sed -n 's,^.*/zoneinfo/,,p' | grep . || echo
head -n 1 /etc/timezone 2>/dev/null | grep . || echo
[ -z "$1" ] || [ -f "/usr/share/zoneinfo/$1" ] && echo yes || echo no
sed -n 3p /etc/adjtime 2>/dev/null`;

export default defineModule({
  kind: "host",
  name: "timezone",
  summary: "Sets the time zone, and whether the hardware's clock is in UTC.",
  args: defineArgs(
    {
      name: text("The zone: Europe/Berlin, Etc/UTC."),
      hwclock: choice(["UTC", "local"])("What the hardware's clock shows.", { aliases: ["rtc"] }),
    },
    { oneOf: [["name", "hwclock"]] },
  ),
  example: "- name: logs of all hosts compare\n  timezone: {name: Etc/UTC}\n",
  reads: "host",
  ask: (args) => [{ of: "script", sh: zoneSh, args: [args.name ?? ""] }],
  read(answers) {
    const [link = "", file = "", exists = "", clock = ""] = linesOf(
      textOf(answerTo(answers, 0, "script").stdout),
    );
    return { zone: link || file, file, exists: exists === "yes", isLocal: clock === "LOCAL" };
  },
  plan(args, state, context): Plan {
    if (!state.exists) {
      return {
        steps: [],
        diffs: [],
        fail: `the host knows no zone "${args.name}" (is the package tzdata there?)`,
      };
    }
    const systemd = context.facts.base.serviceManager === "systemd";
    const steps: Step[] = [];
    const run = (why: string, ...argv: readonly string[]) => steps.push({ do: "run", why, argv });
    const { name } = args;
    const isRight = name === undefined || (state.zone === name && (state.file === "" || state.file === name));
    if (!isRight) {
      if (systemd) run(`set the zone ${name}`, "timedatectl", "set-timezone", name);
      else run(`set the zone ${name}`, "ln", "-sf", `/usr/share/zoneinfo/${name}`, "/etc/localtime");
      if (state.file !== "" || !systemd) {
        const from = { bytes: bytesOf(`${name}\n`) };
        steps.push({ do: "write", why: "write /etc/timezone", path: "/etc/timezone", from });
      }
    }
    const wantsLocal = args.hwclock === undefined ? state.isLocal : args.hwclock === "local";
    if (wantsLocal !== state.isLocal) {
      if (systemd) run("set the clock", "timedatectl", "set-local-rtc", wantsLocal ? "1" : "0");
      else run("set the clock", "hwclock", "--systohc", wantsLocal ? "--localtime" : "--utc");
    }
    const diffs = isRight ? [] : [{ path: "timezone", before: `${state.zone}\n`, after: `${name}\n` }];
    return { steps, diffs };
  },
  result: (state, _outcome, args) => ({ name: args.name ?? state.zone }),
});

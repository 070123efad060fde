import { answerTo, linesOf, outcomeOutput } from "./answers.ts";
import { choice, defineArgs, flag, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

const showStep = (name: string) => ({
  do: "run" as const,
  why: `look up the group ${name}`,
  argv: ["getent", "group", name],
});

export default defineModule({
  kind: "host",
  name: "group",
  summary: "Sees to it that a group is there, or not.",
  args: defineArgs({
    name: text("The group.", { required: true }),
    state: choice(["present", "absent"])("Shall it be there?", { default: "present" }),
    gid: whole("Its number."),
    system: flag("Take a number of those for the system.", { default: false }),
    local: flag("Of hosts with central users: change the local files. That is always so here.", {
      default: false,
    }),
    non_unique: flag("Allow a number that another group has.", { default: false }),
    force: flag("Remove it although it is somebody's own group.", { default: false }),
  }),
  example: "- name: those who may deploy\n  group: {name: deploy, state: present}\n",
  reads: "host",
  ask: (args) => [{ of: "group", name: args.name }],
  read: (answers) => answerTo(answers, 0, "group"),
  plan(args, current): Plan {
    const { name, gid } = args;
    const number = gid === undefined ? [] : ["-g", String(gid), ...(args.non_unique ? ["-o"] : [])];
    const run = (why: string, argv: readonly string[]) => ({ do: "run" as const, why, argv });
    if (args.state === "absent") {
      const force = args.force ? ["-f"] : [];
      const steps = current.exists ? [run(`remove the group ${name}`, ["groupdel", ...force, name])] : [];
      return { steps, diffs: [] };
    }
    if (!current.exists) {
      const system = args.system ? ["-r"] : [];
      const steps = [run(`make the group ${name}`, ["groupadd", ...number, ...system, name]), showStep(name)];
      return { steps, diffs: [{ path: `group ${name}`, before: "", after: `gid: ${gid ?? "next free"}\n` }] };
    }
    if (gid === undefined || gid === current.gid) return { steps: [], diffs: [] };
    return {
      steps: [run(`renumber the group ${name}`, ["groupmod", ...number, name])],
      diffs: [{ path: `group ${name}`, before: `gid: ${current.gid}\n`, after: `gid: ${gid}\n` }],
    };
  },
  result(current, outcome, args) {
    if (args.state === "absent") return { name: args.name, state: "absent" };
    const shown = linesOf(outcomeOutput(outcome).stdout).find((line) => line.startsWith(`${args.name}:`));
    const fresh = shown?.split(":")[2];
    const gid = args.gid ?? current.gid ?? (fresh === undefined ? undefined : Number(fresh));
    return {
      name: args.name,
      state: "present",
      system: args.system,
      ...(gid === undefined ? {} : { gid }),
    };
  },
});

import { defineArgs, path, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { hostPath } from "./host-path.ts";
import { askGuards, readGuards, runArgs, runResult, stdinOf } from "./run-guards.ts";

export default defineModule({
  kind: "host",
  name: "shell",
  summary: "Runs text in a shell: pipes, redirection, variables.",
  args: defineArgs({
    cmd: text("What the shell shall run.", { required: true, aliases: ["free_form", "_raw_params"] }),
    ...runArgs,
    executable: path("The shell.", { default: "/bin/sh" }),
  }),
  freeForm: "cmd",
  example: "- name: how many users may log in\n  shell: grep -c 'sh$' /etc/passwd\n  register: logins\n",
  reads: "host",
  alwaysActs: true,
  ask: (args, context) => askGuards(args, context),
  read: (answers, args) => ({ needless: readGuards(answers, args) }),
  plan: (args, state, context) => ({
    steps:
      state.needless !== undefined
        ? []
        : [
            {
              do: "run" as const,
              why: `run in ${args.executable}`,
              argv: [args.executable, "-c", args.cmd],
              ...stdinOf(args),
              ...(context.registers === true ? { clock: true } : {}),
              ...(args.chdir === undefined ? {} : { cwd: hostPath(args.chdir, context) }),
            },
          ],
    diffs: [],
  }),
  result: (state, outcome, args) => runResult(args.cmd, args, state, outcome),
});

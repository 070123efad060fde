import { outcomeOutput, outputResult } from "./answers.ts";
import { defineArgs, path, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";

export default defineModule({
  kind: "host",
  name: "raw",
  summary: "Runs text in the login shell's sh, with nothing around it.",
  args: defineArgs({
    cmd: text("What shall be run.", { required: true, aliases: ["free_form", "_raw_params"] }),
    executable: path("The shell.", { default: "/bin/sh" }),
  }),
  freeForm: "cmd",
  example: "- name: is there a python\n  raw: command -v python3 || true\n",
  reads: "host",
  alwaysActs: true,
  ask: () => [],
  read: () => ({}),
  plan: (args) => ({
    steps: [{ do: "run", why: "run as it stands", argv: [args.executable, "-c", args.cmd] }],
    diffs: [],
  }),
  result: (_state, outcome) => outputResult(outcomeOutput(outcome)),
});

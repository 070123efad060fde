import { defineArgs, flag, list, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { hostPath } from "./host-path.ts";
import type { Plan } from "./module.ts";
import { askGuards, readGuards, runArgs, runResult, stdinOf } from "./run-guards.ts";
import { expandingWord, needsExpansion, splitWords, type Words } from "./split-words.ts";

const args = defineArgs(
  {
    cmd: text(
      "The command and its arguments, split as sh splits words. No pipes, no redirection: see shell.",
      {
        aliases: ["free_form", "_raw_params"],
      },
    ),
    argv: list("The command and its arguments as a list."),
    ...runArgs,
    expand_argument_vars: flag("Expand $NAME and a leading ~ on the host.", { default: true }),
  },
  { exclusive: [["cmd", "argv"]], oneOf: [["cmd", "argv"]] },
);

const wordsOf = (args: {
  readonly cmd?: string | undefined;
  readonly argv?: readonly string[] | undefined;
}): Words =>
  args.argv !== undefined
    ? { words: args.argv.map((text) => ({ text, literal: new Set<number>() })) }
    : splitWords(args.cmd ?? "");

export default defineModule({
  kind: "host",
  name: "command",
  summary: "Runs a program, without a shell.",
  args,
  freeForm: "cmd",
  example: "- name: what kernel is this\n  command: uname -r\n  register: kernel\n",
  reads: "host",
  alwaysActs: true,
  ask: (args, context) => askGuards(args, context),
  read: (answers, args) => ({ needless: readGuards(answers, args) }),
  plan(args, state, context): Plan {
    if (state.needless !== undefined) return { steps: [], diffs: [] };
    const split = wordsOf(args);
    if ("refused" in split)
      return { steps: [], diffs: [], fail: `cannot read the command: ${split.refused}` };
    if (split.words.length === 0) return { steps: [], diffs: [], fail: "there is no command to run" };
    const words = split.words.map(({ text }) => text);
    const expands = args.expand_argument_vars && split.words.some(needsExpansion);
    return {
      steps: [
        {
          do: "run",
          why: `run ${words[0]}`,
          argv: expands ? ["sh", "-c", `exec ${split.words.map(expandingWord).join(" ")}`] : words,
          ...stdinOf(args),
          ...(context.registers === true ? { clock: true } : {}),
          ...(args.chdir === undefined ? {} : { cwd: hostPath(args.chdir, context) }),
        },
      ],
      diffs: [],
    };
  },
  result(state, outcome, args) {
    const split = wordsOf(args);
    return runResult("words" in split ? split.words.map(({ text }) => text) : [], args, state, outcome);
  },
});

import { defineArgs, flag, path, text } from "./arguments.ts";
import { cleanUpSh } from "./clean-up.ts";
import { defineModule } from "./define-module.ts";
import { hostPath } from "./host-path.ts";
import type { Plan } from "./module.ts";
import { askGuards, guardArgs, readGuards, runResult } from "./run-guards.ts";
import { splitWords } from "./split-words.ts";

/** The script arrives on stdin, lives in a file only while it runs, and its own stdin is empty. */
const runFile = (run: string): string => `f=$(mktemp) || exit 1
${cleanUpSh('rm -f -- "$f"')}
cat >"$f" && chmod 700 "$f" || exit 1
${run} </dev/null`;
const runOwn = runFile('"$f" "$@"');
const runWith = `x=$1; shift; ${runFile('$x "$f" "$@"')}`;

const firstWord = (cmd: string): string => {
  const split = splitWords(cmd);
  return "words" in split ? (split.words[0]?.text ?? "") : cmd;
};

export default defineModule({
  kind: "host",
  name: "script",
  summary: "Runs a script of the controller on the host.",
  args: defineArgs({
    cmd: text("The script, found as files are, and its arguments.", {
      required: true,
      aliases: ["free_form", "_raw_params"],
    }),
    ...guardArgs,
    chdir: path("Folder to run in."),
    executable: text("A program that is given the script, such as python3 or `perl -w`."),
    decrypt: flag("Open the script when it is a vault file.", { default: true }),
  }),
  freeForm: "cmd",
  example: "- name: tune the disk\n  script: tune.sh --device /dev/sda\n  args: {creates: /etc/tuned}\n",
  reads: "host",
  alwaysActs: true,
  sources: (args) => [{ from: "file", path: firstWord(args.cmd), in: "files" }],
  ask: (args, context) => askGuards(args, context),
  read: (answers, args) => ({ needless: readGuards(answers, args) }),
  plan(args, state, context): Plan {
    if (state.needless !== undefined) return { steps: [], diffs: [], skip: state.needless };
    const split = splitWords(args.cmd);
    if ("refused" in split)
      return { steps: [], diffs: [], fail: `cannot read the arguments: ${split.refused}` };
    const source = context.sources[0];
    if (source?.kind !== "file") {
      return {
        steps: [],
        diffs: [],
        fail: `"${firstWord(args.cmd)}" is not a script: too large, or a folder`,
      };
    }
    const rest = split.words.slice(1).map(({ text }) => text);
    const argv =
      args.executable === undefined
        ? ["sh", "-c", runOwn, "sh", ...rest]
        : ["sh", "-c", runWith, "sh", args.executable, ...rest];
    return {
      steps: [
        {
          do: "run",
          why: `run ${firstWord(args.cmd)}`,
          argv,
          stdin: source.bytes,
          ...(args.chdir === undefined ? {} : { cwd: hostPath(args.chdir, context) }),
        },
      ],
      diffs: [],
    };
  },
  // Unlike command and shell, which say that they did nothing and are not skipped.
  result: (state, outcome, args) =>
    state.needless === undefined ? runResult(args.cmd, { strip_empty_ends: false }, state, outcome) : {},
});

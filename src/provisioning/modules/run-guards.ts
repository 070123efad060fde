/** What command, shell, script and uri share: the arguments around a run, and the paths that make it needless. */
import type { JsonObject } from "../../base/json.ts";
import type { Answers, Question } from "../host/question.ts";
import { answerTo, bytesOf, outcomeOutput, outputResult } from "./answers.ts";
import { flag, path, text } from "./arguments.ts";
import { hostPath, joinPath } from "./host-path.ts";
import type { ModuleContext, Outcome } from "./module.ts";
import { runTimes, shownDelta } from "./run-times.ts";

export const guardArgs = {
  creates: path("A path (or a pattern with * and ?): the task does nothing when it exists."),
  removes: path("A path (or a pattern with * and ?): the task does nothing unless it exists."),
};
export const runArgs = {
  ...guardArgs,
  chdir: path("Folder to run in."),
  stdin: text("Text for the standard input."),
  stdin_add_newline: flag("End stdin with a newline.", { default: true }),
  strip_empty_ends: flag("Take empty lines off the end of stdout and stderr in the result.", {
    default: true,
  }),
  warn: flag("Of old playbooks; has no effect."),
};

interface Guarded {
  readonly creates?: string | undefined;
  readonly removes?: string | undefined;
  readonly chdir?: string | undefined;
}

/** Unquoted $1 with an empty IFS: patterns are expanded, nothing is split. */
const anyMatch = 'IFS=; for f in $1; do if [ -e "$f" ] || [ -L "$f" ]; then exit 0; fi; done; exit 1';

function existsQuestion(pattern: string, args: Guarded, context: ModuleContext): Question {
  const folder = args.chdir === undefined ? "" : hostPath(args.chdir, context);
  const own = hostPath(pattern, context);
  const path = own.startsWith("/") || folder === "" ? own : joinPath(folder, own);
  if (/[*?[]/.test(path)) return { of: "script", sh: anyMatch, args: [path] };
  return { of: "path", path, want: ["stat"] };
}

export const askGuards = (args: Guarded, context: ModuleContext): readonly Question[] =>
  [args.creates, args.removes]
    .filter((pattern) => pattern !== undefined)
    .map((pattern) => existsQuestion(pattern, args, context));

const exists = (answers: Answers, index: number): boolean =>
  answers[index]?.of === "script"
    ? answerTo(answers, index, "script").code === 0
    : answerTo(answers, index, "path").stat.exists;

/** Why there is nothing to run; undefined when it must run. */
export function readGuards(answers: Answers, args: Guarded): string | undefined {
  let index = 0;
  if (args.creates !== undefined && exists(answers, index++)) return `skipped, since ${args.creates} exists`;
  if (args.removes !== undefined && !exists(answers, index)) {
    return `skipped, since ${args.removes} does not exist`;
  }
  return undefined;
}

export const stdinOf = (args: {
  readonly stdin?: string | undefined;
  readonly stdin_add_newline: boolean;
}): { readonly stdin?: Uint8Array } =>
  args.stdin === undefined ? {} : { stdin: bytesOf(args.stdin + (args.stdin_add_newline ? "\n" : "")) };

export function runResult(
  cmd: string | readonly string[],
  args: { readonly strip_empty_ends: boolean },
  state: { readonly needless: string | undefined },
  outcome: Outcome,
): JsonObject {
  if (state.needless !== undefined) {
    const said = outputResult({ code: 0, stdout: state.needless, stderr: "" });
    return { cmd, ...said, start: null, end: null, delta: null, msg: state.needless };
  }
  const output = outcomeOutput(outcome);
  const ended = (value: string) => (args.strip_empty_ends ? value.replace(/[\r\n]+$/, "") : value);
  const elapsedMs = outcome.steps.reduce((sum, { result }) => sum + result.elapsedMs, 0);
  return {
    cmd,
    ...outputResult({ ...output, stdout: ended(output.stdout), stderr: ended(output.stderr) }),
    ...(outcome.steps.length === 0 ? {} : { delta: shownDelta(elapsedMs * 1000) }),
    ...runTimes(outcome.steps.at(-1)?.result.clock),
    msg: "",
  };
}

/** The argument `attributes` of modules that make a file: its flags, as chattr writes them. Asked only when it is given. */
import type { Answers, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import type { AnyModule, Module, ModuleContext, Plan } from "./module.ts";

interface FlagArgs {
  readonly attributes?: string | undefined;
}

export interface FlaggedFile<Args, State> {
  /** Where the file may be, as far as the arguments tell. */
  candidates(args: Args, context: ModuleContext): readonly string[];
  /** Where it is; undefined: there is none that could have flags. */
  path(args: Args, state: State, context: ModuleContext): string | undefined;
}

interface FlaggedState<State> {
  readonly own: State;
  /** By path; none where nothing is, and where the file system knows no flags. */
  readonly flags: ReadonlyMap<string, string>;
}

const flagsSh = `for f do printf '%s\\n' "$(lsattr -d -- "$f" 2>/dev/null | head -n 1 | cut -d' ' -f1)"; done`;

/** A module whose last answer, where flags are given, is of the flags. */
export function defineFlagged<Args extends FlagArgs, State>(
  module: Module<Args, State>,
  file: FlaggedFile<Args, State>,
): AnyModule {
  const { after, result } = module;
  const ownContext = (args: Args, context: ModuleContext): ModuleContext =>
    args.attributes === undefined || context.earlier === undefined
      ? context
      : { ...context, earlier: context.earlier.slice(0, -1) };
  const flagged: Module<Args, FlaggedState<State>> = {
    ...module,
    ask(args, context) {
      const own = module.ask(args, ownContext(args, context));
      if (args.attributes === undefined) return own;
      const flags: Question = { of: "script", sh: flagsSh, args: file.candidates(args, context) };
      return [...own, flags];
    },
    read(answers, args, context) {
      const own = (given: Answers) => module.read(given, args, ownContext(args, context));
      if (args.attributes === undefined) return { own: own(answers), flags: new Map() };
      const said = linesOf(textOf(answerTo(answers, answers.length - 1, "script").stdout));
      const flags = file.candidates(args, context).map((path, at) => [path, lettersOf(said[at])] as const);
      return { own: own(answers.slice(0, -1)), flags: new Map(flags) };
    },
    plan(args, { own, flags }, context) {
      const plan = module.plan(args, own, ownContext(args, context));
      const isDone = plan.fail === undefined && plan.skip === undefined && plan.again !== true;
      const path = isDone && args.attributes !== undefined ? file.path(args, own, context) : undefined;
      return path === undefined ? plan : withFlags(plan, path, args.attributes ?? "", flags.get(path) ?? "");
    },
    after: (args, { own }, context) => after?.(args, own, ownContext(args, context)) ?? [],
    result: ({ own }, outcome, args, context) =>
      result?.(own, outcome, args, ownContext(args, context)) ?? {},
  };
  return flagged;
}

const lettersOf = (said = ""): string => said.replaceAll("-", "");

function withFlags(plan: Plan, path: string, wanted: string, before: string): Plan {
  const [, sign = "=", letters = ""] = /^([-+=]?)([A-Za-z]+)$/.exec(wanted) ?? [];
  if (letters === "") {
    const fail = `attributes are flags as chattr takes them, such as +i, -i or =e, not "${wanted}"`;
    return { steps: [], diffs: [], fail };
  }
  // A file that is written whole is a new one.
  const now = plan.steps.some((step) => step.do === "write") && sign !== "-" ? "" : before;
  const after = flagsAfter(now, sign, letters);
  if (sorted(after) === sorted(now)) return plan;
  const step: Step = {
    do: "run",
    why: `set the attributes of ${path}`,
    argv: ["chattr", `${sign === "" ? "=" : sign}${letters}`, "--", path],
  };
  const shown = sorted(flagsAfter(before, sign, letters));
  const diff = { path, before: `attributes: ${sorted(before)}\n`, after: `attributes: ${shown}\n` };
  return {
    ...plan,
    // What cannot be changed is set free first.
    steps: sign === "-" ? [step, ...plan.steps] : [...plan.steps, step],
    diffs: [...plan.diffs, diff],
    unchanged: false,
  };
}

function flagsAfter(now: string, sign: string, letters: string): string {
  if (sign === "+") return now + letters;
  return sign === "-" ? [...now].filter((letter) => !letters.includes(letter)).join("") : letters;
}

const sorted = (flags: string): string => [...new Set(flags)].sort().join("");

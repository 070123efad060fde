import { answerTo, bytesOf, linesOf, textOf } from "./answers.ts";
import { choice, content, defineArgs, flag, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

const types = [
  "boolean",
  "error",
  "multiselect",
  "note",
  "password",
  "seen",
  "select",
  "string",
  "text",
  "title",
] as const;

/** Unlike debconf-show it also answers for passwords. "0 VALUE" means that there is one. */
const getSh = `command -v debconf-communicate >/dev/null || exit 7
printf 'GET %s\\nFGET %s seen\\n' "$2" "$2" | debconf-communicate "$1" 2>/dev/null`;

interface DebconfState {
  readonly hasDebconf: boolean;
  /** Undefined: there is no such question, or no answer yet. */
  readonly value: string | undefined;
  readonly seen: boolean;
}

/** YAML's true is debconf's "true". */
const wantedValue = ({
  vtype,
  value = "",
}: {
  readonly vtype?: string | undefined;
  readonly value?: string | undefined;
}) => (vtype === "boolean" ? value.toLowerCase() : value);

export default defineModule({
  kind: "host",
  name: "debconf",
  summary: "Answers a question of a package before it is installed.",
  args: defineArgs(
    {
      name: text("The package.", { required: true, aliases: ["pkg"] }),
      question: text("The question.", { aliases: ["selection", "setting"] }),
      vtype: choice(types)("Kind of answer."),
      value: content("The answer.", { aliases: ["answer"] }),
      unseen: flag("Leave the mark that says whether the question was shown.", { default: false }),
    },
    {
      check(args) {
        const some = [args.question, args.vtype, args.value].filter((value) => value !== undefined).length;
        return some === 0 || some === 3 ? undefined : "question, vtype and value belong together";
      },
    },
  ),
  example:
    "- name: the licence is accepted\n  debconf:\n    name: ttf-mscorefonts-installer\n    question: msttcorefonts/accepted-mscorefonts-eula\n    vtype: boolean\n    value: 'true'\n",
  reads: "host",
  ask: (args) => [{ of: "script", sh: getSh, args: [args.name, args.question ?? ""] }],
  read(answers): DebconfState {
    const answer = answerTo(answers, 0, "script");
    const [value = "", seen = ""] = linesOf(textOf(answer.stdout));
    const isKnown = value === "0" || value.startsWith("0 ");
    return {
      hasDebconf: answer.code !== 7,
      value: isKnown ? value.slice(2) : undefined,
      seen: seen === "0 true",
    };
  },
  plan(args, state): Plan {
    if (!state.hasDebconf) return { steps: [], diffs: [], fail: "there is no debconf on the host" };
    if (args.question === undefined || args.vtype === undefined) return { steps: [], diffs: [] };
    const wanted = wantedValue(args);
    const current = args.vtype === "seen" ? String(state.seen) : state.value;
    if (current === wanted) return { steps: [], diffs: [] };
    const isSecret = args.vtype === "password";
    return {
      steps: [
        {
          do: "run",
          why: `answer ${args.question}`,
          argv: ["debconf-set-selections", ...(args.unseen ? ["-u"] : [])],
          stdin: bytesOf(`${args.name} ${args.question} ${args.vtype} ${wanted}\n`),
          ...(isSecret ? { secret: true } : {}),
        },
      ],
      diffs: [{ path: args.question, before: `${current ?? ""}\n`, after: `${wanted}\n`, secret: isSecret }],
    };
  },
  result: (state, _outcome, args) =>
    args.question === undefined || args.vtype === "password"
      ? { msg: "" }
      : {
          msg: "",
          previous: { [args.question]: state.value ?? "" },
          current: { [args.question]: wantedValue(args) },
        },
});

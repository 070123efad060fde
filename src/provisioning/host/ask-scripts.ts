/** Questions in a module's own words: each runs in a subshell, with sections on both streams around its output. */
import { shellQuote, shellWords } from "../../base/shell-quote.ts";
import type { Question, ScriptAnswer } from "./question.ts";
import { badAnswer, type Sections } from "./sections.ts";

export type ScriptQuestion = Extract<Question, { of: "script" }>;

export const scriptKey = ({ sh, args }: ScriptQuestion): string => JSON.stringify([sh, ...args]);
const distinct = (questions: readonly ScriptQuestion[]): Map<string, ScriptQuestion> =>
  new Map(questions.map((question) => [scriptKey(question), question]));

export function scriptScript(questions: readonly ScriptQuestion[]): string {
  return [...distinct(questions).values()]
    .map(({ sh, args }, i) => {
      const open = `m "x${i}"; m "x${i}" >&2`;
      return `${open}; (set -- ${shellWords(args)}; eval ${shellQuote(sh)}); m "z${i} $?"; m "z${i}" >&2`;
    })
    .join("\n");
}

export function readScripts(
  stdout: Sections,
  stderr: Sections,
  questions: readonly ScriptQuestion[],
): (question: ScriptQuestion) => ScriptAnswer {
  const answers = new Map<string, ScriptAnswer>();
  for (const [i, key] of [...distinct(questions).keys()].entries()) {
    const output = stdout.get(`x${i}`);
    const [code] = stdout.startingWith(`z${i}`);
    if (output === undefined || code === undefined) throw badAnswer("a script ended without its mark");
    answers.set(key, { code: Number(code[0]), stdout: output, stderr: stderr.get(`x${i}`) ?? empty });
  }
  return (question) => answers.get(scriptKey(question)) ?? { code: -1, stdout: empty, stderr: empty };
}

const empty = Buffer.alloc(0);

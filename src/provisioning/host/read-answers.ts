/** Reads what the script of compileQuestions printed. Output in any other form is a `bad-answer`, never a guess. */
import { readAccounts } from "./ask-accounts.ts";
import { readPackages } from "./ask-packages.ts";
import { readPaths } from "./ask-paths.ts";
import { readScripts } from "./ask-scripts.ts";
import { readUnits } from "./ask-units.ts";
import { groupQuestions } from "./compile-questions.ts";
import type { Answer, Answers, GroupAnswer, Question, UserAnswer } from "./question.ts";
import { badAnswer, nonceOf, splitSections } from "./sections.ts";

export interface HostOutput {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

const later = (): never => {
  throw badAnswer("a question of this kind was not asked");
};

/** One answer a question, in their order. Takes no `tcp` and no `http`: Session answers those. */
export function readAnswers(output: HostOutput, questions: readonly Question[]): Answers {
  const nonce = nonceOf(output.stdout);
  const stdout = splitSections(output.stdout, nonce);
  const stderr = splitSections(output.stderr, nonce);
  if (stdout.get("end") === undefined) throw badAnswer("the output was cut off");
  const { paths, packages, units, accounts, scripts } = groupQuestions(questions);
  const pathOf = paths.length > 0 ? readPaths(stdout, paths) : later;
  const packageOf = packages.length > 0 ? readPackages(stdout) : later;
  const unitOf = units.length > 0 ? readUnits(stdout, units) : later;
  const accountOf = accounts.length > 0 ? readAccounts(stdout) : later;
  const scriptOf = scripts.length > 0 ? readScripts(stdout, stderr, scripts) : later;
  return questions.map((question): Answer => {
    switch (question.of) {
      case "path":
        return { of: "path", value: pathOf(question) };
      case "package":
        return { of: "package", value: packageOf(question) };
      case "unit":
        return { of: "unit", value: unitOf(question) };
      case "user":
        return { of: "user", value: accountOf(question) as UserAnswer };
      case "group":
        return { of: "group", value: accountOf(question) as GroupAnswer };
      case "script":
        return { of: "script", value: scriptOf(question) };
      default:
        throw badAnswer(`a "${question.of}" question is not answered by a script`);
    }
  });
}

/** What somebody meant whose YAML cannot be read: guessed from the line, and from the lines around it. */
import type { Span } from "../../base/errors.ts";

export interface Explanation {
  readonly state: string;
  readonly why?: string;
  readonly fix?: string;
}

export const unquotedBraces: Explanation = {
  state: "a value begins with {{ without quotes",
  why: "YAML takes { for the start of a map",
  fix: 'put the whole value in quotes: "{{ … }}"',
};

export interface Problem {
  /** The library's. */
  readonly code: string;
  readonly span: Span;
  readonly lines: readonly string[];
}

/** What the lines give away, where the library only knows that it did not expect this. */
export function guess(problem: Problem): Explanation | undefined {
  const { sourceLine = "" } = problem.span;
  if (/^(?:<{7}|={7}|>{7})(?: |$)/.test(sourceLine))
    return {
      state: "a conflict of git was left in the file",
      why: "both sides stand in it, between <<<<<<<, ======= and >>>>>>>",
      fix: "keep one side, and delete the three marks",
    };
  if (problem.code === "MULTILINE_IMPLICIT_KEY") return ofKey(problem);
  if (problem.code === "BLOCK_AS_IMPLICIT_KEY") return ofValue(problem);
  return problem.code === "UNEXPECTED_TOKEN" ? ofToken(problem) : undefined;
}

function ofKey({ span, lines }: Problem): Explanation | undefined {
  const { sourceLine = "", line } = span;
  const above = lines.slice(0, line - 1).findLast((each) => each.trim() !== "") ?? "";
  if (/[|>][-+\d]*\s*$/.test(above))
    return {
      state: "the text of the line above is not indented",
      why: "what follows | or > belongs to it while it stands further right than its key",
      fix: "indent these lines two columns deeper than the key",
    };
  const [, key, sign, value] = /^\s*(?:- +)?([\w.-]+)(?:(:|\s*=\s*)(\S.*))?$/.exec(sourceLine) ?? [];
  if (key === undefined) return undefined;
  if (value === undefined)
    return {
      state: 'a ":" is missing at the end of the line',
      why: "it is a key with lines of its own below it",
      fix: `write "${key}:"`,
    };
  const state = sign === ":" ? 'a space is missing after ":"' : '"=" stands where YAML wants ": "';
  return { state, fix: `write "${key}: ${value}"` };
}

/** Only one ": " stands in the line: it is the next one that is too much. */
function ofValue({ span, lines }: Problem): Explanation | undefined {
  const { sourceLine = "", column, line } = span;
  const value = sourceLine.slice(column - 1);
  const next = lines[line] ?? "";
  if (/:(?: |$)/.test(value) || !/^\s+\S/.test(next)) return undefined;
  if (/^\w+=/.test(value))
    return {
      state: "arguments are written as key=value here, and as a map below",
      why: "a task takes one of the two",
      fix: "write all of them below the module, as key: value, a line each",
    };
  return {
    state: `line ${line + 1} stands further right, as if it went on with this value`,
    why: "the keys of one map begin in one column",
    fix: `move line ${line + 1} to the column of this key`,
  };
}

function ofToken({ span }: Problem): Explanation | undefined {
  const { sourceLine = "", column } = span;
  const before = sourceLine.slice(0, column - 1);
  const rest = sourceLine.slice(column - 1);
  if (/[:-]\s+\{\{/.test(before)) return unquotedBraces;
  if (rest.startsWith("{{"))
    return { ...unquotedBraces, state: "{{ stands in a map of one line without quotes" };
  if (before.trim() === "")
    return {
      state: "this line begins further left than the lines that it belongs to",
      why: "the keys of one play, task or map begin in one column",
      fix: "indent it like the lines above",
    };
  if (/^[\]}]/.test(rest))
    return { state: `"${rest.charAt(0)}" closes nothing`, fix: `remove the "${rest.charAt(0)}"` };
  return afterQuote(before, rest);
}

function afterQuote(before: string, rest: string): Explanation | undefined {
  const [, quote, gap = ""] = /(['"])(\s*)$/.exec(before) ?? [];
  if (quote === undefined) return undefined;
  const isInFlow = (before.match(/[[{]/g) ?? []).length > (before.match(/[\]}]/g) ?? []).length;
  if (isInFlow && gap !== "" && /^["'\w]/.test(rest))
    return { state: "a comma is missing before this", fix: 'write ","' };
  if (gap !== "")
    return {
      state: "text stands behind the closing quote",
      why: "a value that begins with a quote ends with it",
      fix: "put the quotes around the whole value",
    };
  return {
    state: "the quote ended before this",
    why:
      quote === "'"
        ? "inside single quotes a single quote is written twice"
        : 'inside double quotes stand single ones, or \\"',
    fix:
      quote === "'"
        ? "write '' for the quote inside, or put double quotes around the whole value"
        : "write ' for the quotes inside",
  };
}

import type { YAMLParseError, YAMLWarning } from "yaml";
import { ProvisionError, type Span } from "../../base/errors.ts";
import type { SourceText } from "./source-text.ts";
import { lastUnclosed } from "./unclosed.ts";
import { type Explanation, guess } from "./yaml-guesses.ts";

export function yamlError(span: Span, state: string, why: string | undefined, fix?: string): ProvisionError {
  return new ProvisionError({ code: "bad-yaml", action: `read "${span.file}"`, state, span, why, fix });
}

/** The library's codes in the words of somebody who writes a playbook. Others keep the library's own sentence. */
const explanations: Readonly<Record<string, Explanation>> = {
  TAB_AS_INDENT: {
    state: "a tab indents this line",
    why: "YAML indents with spaces only",
    fix: "replace the tab by spaces",
  },
  BAD_INDENT: {
    state: "this line's indentation fits no line above",
    why: "items of one list or map begin in one column",
    fix: "indent it like the item before it",
  },
  BLOCK_AS_IMPLICIT_KEY: {
    state: 'a second ": " stands in one line',
    why: 'a value with ": " in it must be quoted',
    fix: "put the whole value in quotes",
  },
  MULTILINE_IMPLICIT_KEY: {
    state: "a key goes over several lines",
    why: 'most often a ":" is missing at its end',
  },
  BAD_ALIAS: {
    state: "this alias is not well formed",
    why: "a value that begins with * or & must be quoted",
  },
  UNEXPECTED_TOKEN: {
    state: "something stands here that YAML does not expect",
    why: "most often a quote or bracket ended too early",
  },
  BAD_DQ_ESCAPE: {
    state: "this backslash escape does not exist",
    why: "in double quotes a backslash begins an escape, such as \\n",
    fix: "use single quotes, or write \\\\",
  },
  BAD_SCALAR_START: {
    state: "a value without quotes cannot begin with this character",
    why: "% @ ` and the like mean something to YAML",
    fix: "put the value in quotes",
  },
};

/** By the library's whole sentence, where its code alone says too little. */
const sentences: Readonly<Record<string, Explanation>> = {
  "Missing , or : between flow sequence items": {
    state: 'an item of this list ends here, and no "," follows',
    why: "[ ] separates items by commas, and items that hold {{ }} must be quoted",
    fix: 'put the item in quotes: ["{{ name }}.yml", other]',
  },
  "Sequence item without - indicator": {
    state: "this line is indented neither as the lines above nor as the list around them",
    why: "the keys of one task begin in one column",
    fix: 'indent it like the line above, or begin a new item with "- "',
  },
};

export function syntaxError(source: SourceText, problem: YAMLParseError | YAMLWarning): ProvisionError {
  const [start, end] = problem.pos;
  const offset = Math.min(start, Math.max(0, source.text.length - 1));
  const said = problem.message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? problem.code;
  const opened = /^Flow |^Missing closing /.test(said) ? lastUnclosed(source.text, offset) : undefined;
  if (opened !== undefined) return unclosed(source, opened, offset);
  const span = noticedAt(source, offset, end - start);
  const inOurWords =
    guess({ code: problem.code, span, lines: source.text.split(/\r?\n/) }) ??
    sentences[said] ??
    explanations[problem.code];
  const state = inOurWords?.state ?? `${said.charAt(0).toLowerCase()}${said.slice(1)}`;
  return yamlError(span, state, inOurWords?.why, inOurWords?.fix);
}

/** What was noticed at the end of a line is about the line below. */
function noticedAt(source: SourceText, offset: number, length: number): Span {
  const [blank = ""] = /^[^\S\n]*\n\s*(?=\S)/.exec(source.text.slice(offset)) ?? [];
  return source.span(offset + blank.length, Math.max(1, length - blank.length));
}

const names: Readonly<Record<string, string>> = { "'": "a single quote", '"': "a double quote" };

const closing: Readonly<Record<string, string>> = { "[": "]", "{": "}" };

/** The mistake is where it was opened; where it came to light may be far below. */
function unclosed(source: SourceText, opened: number, noticed: number): ProvisionError {
  const mark = source.text[opened] ?? "";
  const span = source.span(opened);
  const { line } = source.span(noticed);
  const why = line > span.line ? `noticed in line ${line}` : "what follows was read as part of it";
  const close = closing[mark] ?? mark;
  return yamlError(
    span,
    `${names[mark] ?? `"${mark}"`} is opened and not closed`,
    why,
    `write ${close} where it ends`,
  );
}

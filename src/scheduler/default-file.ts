/**
 * Reads /etc/default files without running them: assignments with or without `export`, quotes, references to earlier
 * variables, and the packages' idiom of `cat FILE` in backquotes. Anything more is refused with its place.
 */
import { readFileSync } from "node:fs";
import { ProvisionError, type Span } from "../base/errors.ts";

export interface Assignment {
  readonly variable: string;
  readonly value: string;
  readonly span: Span;
}

/** `known` holds the variables of files read before, and receives those of this one. */
export function parseDefaultFile(file: string, text: string, known: Map<string, string>): Assignment[] {
  const found: Assignment[] = [];
  for (const [index, sourceLine] of text.split("\n").entries()) {
    const line = sourceLine.trim();
    if (line === "" || line.startsWith("#")) continue;
    const span = { file, line: index + 1, column: 1, length: Math.max(1, sourceLine.length), sourceLine };
    const [, variable, rest] = /^(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
    if (variable === undefined || rest === undefined) {
      if (/^export(\s+[A-Za-z_]\w*)+$/.test(line)) continue;
      throw notReadable(span, "it is no assignment NAME=value");
    }
    const value = readWord(rest, known, span);
    known.set(variable, value);
    found.push({ variable, value, span });
  }
  return found;
}

const notReadable = (span: Span, state: string): ProvisionError =>
  new ProvisionError({
    code: "bad-flag",
    action: `read "${span.sourceLine?.trim()}"`,
    state,
    span,
    why: "such files are read, not run: NAME=value, quotes, $NAME and `cat FILE` are understood",
  });

/** One sh word: pieces put together until a blank or a comment. */
const pieces =
  /'([^']*)'|"((?:[^"\\]|\\.)*)"|`\s*cat\s+([^`]+?)\s*`|\$\(\s*cat\s+([^)]+?)\s*\)|\$\{(\w+)\}|\$(\w+)|\\(.)|([^\s'"`$\\#;&|<>()]+)/y;

function readWord(text: string, known: ReadonlyMap<string, string>, span: Span): string {
  let value = "";
  let at = 0;
  while (at < text.length && !/[\s#;]/.test(text[at] ?? "")) {
    pieces.lastIndex = at;
    const match = pieces.exec(text);
    if (match === null) throw notReadable(span, `"${text.slice(at)}" is more than a value`);
    const [, single, double, ticked, dollared, braced, named, escaped, plain] = match;
    const command = ticked ?? dollared;
    const variable = braced ?? named;
    at = match.index + match[0].length;
    if (double !== undefined) value += readDoubleQuoted(double, known, span);
    else if (command !== undefined) value += contentOf(command, span);
    else if (variable !== undefined) value += known.get(variable) ?? "";
    else value += single ?? escaped ?? plain ?? "";
  }
  const rest = text.slice(at).trim();
  if (rest !== "" && rest !== ";" && !rest.startsWith("#"))
    throw notReadable(span, `"${rest}" follows the value`);
  return value;
}

const quotedPieces = /\\(["\\$`])|`\s*cat\s+([^`]+?)\s*`|\$\(\s*cat\s+([^)]+?)\s*\)|\$\{(\w+)\}|\$(\w+)/g;

const readDoubleQuoted = (text: string, known: ReadonlyMap<string, string>, span: Span): string =>
  text.replace(quotedPieces, (_all, escaped, ticked, dollared, braced, named) => {
    if (escaped !== undefined) return escaped;
    const command = ticked ?? dollared;
    return command !== undefined ? contentOf(command, span) : (known.get(braced ?? named) ?? "");
  });

function contentOf(path: string, span: Span): string {
  try {
    return readFileSync(path.replaceAll(/^["']|["']$/g, ""), "utf8").trim();
  } catch (cause) {
    throw new ProvisionError({
      code: "missing-file",
      action: `read "${span.sourceLine?.trim()}"`,
      state: `the file "${path}" cannot be read`,
      span,
      cause,
    });
  }
}

/** From an offset in a string's value back to the line and column of the file that it stands in. */
import { readFileSync } from "node:fs";
import type { Span } from "../../../base/errors.ts";

/** The place of `text[at]`, where `text` is the value of the scalar at `span`; as near as can be told. */
export function locate(span: Span, text: string, given: number | undefined): Span {
  const at = given === undefined ? undefined : pastSign(text, given);
  if (at === undefined || at < 0 || at > text.length) return span;
  const lines = fileLines(span);
  const line = lines?.[span.line - 1] ?? span.sourceLine;
  if (line === undefined) return span;
  const rest = line.slice(span.column - 1);
  if (/^(?:![\w!]+\s+|&\w+\s+)*[|>][-+\d]*\s*(?:#.*)?$/.test(rest) && lines !== undefined)
    return inBlock({ span, lines, text, at }) ?? span;
  return onLine({ span, line, rest, text, at }) ?? span;
}

/** A whole file that is a template: every offset has its line. */
export function locateInFile(file: string, text: string, at: number | undefined): Span {
  const before = text.slice(0, pastSign(text, at ?? 0));
  const line = before.split("\n").length;
  const column = before.length - (before.lastIndexOf("\n") + 1) + 1;
  const sourceLine = text.split("\n")[line - 1] ?? "";
  return { file, line, column, sourceLine, length: wordLength(sourceLine, column) };
}

/** A member is noted at its point or bracket, and its name is what is meant. */
const pastSign = (text: string, at: number): number =>
  at + (/^(?:\.\s*(?=\w)|\[\s*['"](?=\w))/.exec(text.slice(at, at + 40))?.[0].length ?? 0);

interface Search {
  readonly span: Span;
  readonly text: string;
  readonly at: number;
}

/** Plain and quoted scalars on one line; escapes in between make it the nearest word. */
function onLine(search: Search & { readonly line: string; readonly rest: string }): Span | undefined {
  const { span, line, rest, text, at } = search;
  const start = rest.indexOf(text);
  let offset = start < 0 ? undefined : start + at;
  if (offset === undefined) {
    const word = /^[\w.]+/.exec(text.slice(at))?.[0];
    const found = word === undefined ? -1 : rest.indexOf(word);
    if (found >= 0) offset = found;
  }
  if (offset === undefined) return undefined;
  const column = span.column + offset;
  return { file: span.file, line: span.line, column, sourceLine: line, length: wordLength(line, column) };
}

/** Literal and folded blocks: the line is looked for by what stands in it. */
function inBlock(search: Search & { readonly lines: readonly string[] }): Span | undefined {
  const { span, lines, text, at } = search;
  const first = lines.findIndex((line, index) => index >= span.line && line.trim() !== "");
  if (first < 0) return undefined;
  const indent = /^ */.exec(lines[first] ?? "")?.[0].length ?? 0;
  let passed = 0;
  for (let index = span.line; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (line.trim() !== "" && !line.startsWith(" ".repeat(indent))) return undefined;
    const content = line.slice(indent);
    const begin = text.indexOf(content, passed);
    if (begin < 0) return undefined;
    if (at <= begin + content.length) {
      const column = indent + Math.max(0, at - begin) + 1;
      return { file: span.file, line: index + 1, column, sourceLine: line, length: wordLength(line, column) };
    }
    passed = begin + content.length;
  }
  return undefined;
}

const wordLength = (line: string, column: number): number =>
  /^[\w]+|^\S/u.exec(line.slice(column - 1))?.[0].length ?? 1;

/** Only on the way to an error message, so reading the file once more costs nothing that counts. */
function fileLines(span: Span): readonly string[] | undefined {
  try {
    const lines = readFileSync(span.file, "utf8").split(/\r?\n/);
    return span.sourceLine === undefined || lines[span.line - 1] === span.sourceLine ? lines : undefined;
  } catch {
    // A file that is gone, or a name that never was a file (-e): the span has what there is.
    return undefined;
  }
}

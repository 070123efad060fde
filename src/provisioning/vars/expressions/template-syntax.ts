/** The `#jinja2:` line at the top of a template file, and what it may set. */
import { ansibleSyntax, type Syntax } from "./lexer.ts";
import { Fault } from "./value.ts";

export interface FileSyntax {
  readonly text: string;
  readonly syntax: Syntax;
  /** The line of the file on which `text` begins. */
  readonly firstLine: number;
}

export const templateFileSyntax: Syntax = { ...ansibleSyntax, plainBackslashes: false };

/** As Jinja reads them: a file from Windows is like any other. */
const withPlainNewlines = (text: string): string =>
  text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;

export function fileSyntax(given: string, base: Syntax = templateFileSyntax): FileSyntax {
  const text = withPlainNewlines(given);
  const header = /^#jinja2:([^\n]*)(?:\n|$)/.exec(text);
  if (header === null) return { text, syntax: base, firstLine: 1 };
  let syntax = base;
  for (const setting of (header[1] ?? "").split(",")) {
    const [, name = "", value = ""] = /^\s*(\w+)\s*[:=]\s*(.*?)\s*$/.exec(setting) ?? [];
    if (setting.trim() !== "") syntax = withSetting(syntax, name, value.replace(/^(['"])(.*)\1$/, "$2"));
  }
  return { text: text.slice(header[0].length), syntax, firstLine: 2 };
}

export function withSetting(syntax: Syntax, name: string, value: string): Syntax {
  const flag = /^(?:true|yes|1)$/i.test(value);
  switch (name) {
    case "trim_blocks":
      return { ...syntax, trimBlocks: flag };
    case "lstrip_blocks":
      return { ...syntax, lstripBlocks: flag };
    case "variable_start_string":
      return { ...syntax, variable: [value, syntax.variable[1]] };
    case "variable_end_string":
      return { ...syntax, variable: [syntax.variable[0], value] };
    case "block_start_string":
      return { ...syntax, block: [value, syntax.block[1]] };
    case "block_end_string":
      return { ...syntax, block: [syntax.block[0], value] };
    case "comment_start_string":
      return { ...syntax, comment: [value, syntax.comment[1]] };
    case "comment_end_string":
      return { ...syntax, comment: [syntax.comment[0], value] };
    default:
      throw new Fault(`the "#jinja2:" line has no setting "${name}"`, 0);
  }
}

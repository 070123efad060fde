/** `text | comment(style, …)`: text as a comment of some language. */
import { asText, type Filter, textOf, wholeOf } from "../runtime.ts";
import { splitLines } from "../split-text.ts";
import { Fault } from "../value.ts";

interface Style {
  readonly decoration: string;
  readonly beginning?: string;
  readonly end?: string;
}
const styles: Readonly<Record<string, Style>> = {
  plain: { decoration: "# " },
  erlang: { decoration: "% " },
  c: { decoration: "// " },
  cblock: { beginning: "/*", decoration: " * ", end: " */" },
  xml: { beginning: "<!--", decoration: " - ", end: "-->" },
};

export const comment: Filter = (input, call) => {
  const given = Object.fromEntries(call.kwargs);
  const name = textOf(call.args[0] ?? given.style, "plain");
  const style = Object.hasOwn(styles, name) ? styles[name] : undefined;
  if (style === undefined)
    throw new Fault(`comment knows no style "${name}": ${Object.keys(styles).join(", ")}`);
  const newline = textOf(given.newline, "\n");
  const decoration = textOf(given.decoration, style.decoration);
  const beginning = textOf(given.beginning, style.beginning ?? "");
  const end = textOf(given.end, style.end ?? "");
  const prefix = textOf(given.prefix, decoration.trimEnd());
  const postfix = textOf(given.postfix, decoration.trimEnd());
  const edge = (mark: string, count: number): string[] => Array.from({ length: count }, () => mark.trimEnd());
  const body = splitLines(asText(input)).map((line) => (decoration + line).trimEnd());
  const lines = [
    ...(beginning === "" ? [] : [beginning]),
    ...edge(prefix, wholeOf(given.prefix_count, 1)),
    ...body,
    ...edge(postfix, wholeOf(given.postfix_count, 1)),
    ...(end === "" ? [] : [end]),
  ];
  return lines.join(newline);
};

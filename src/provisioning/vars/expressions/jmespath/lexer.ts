/** The words of a JMESPath expression, as json_query takes it. */

import { parsePythonJson } from "../parse-json.ts";
import { Fault, type Value } from "../value.ts";

export interface Token {
  /** A sign as it is written, or what kind of word it is. */
  readonly type: string;
  readonly value: Value;
  readonly at: number;
}

const word =
  /\s*(?:(?<name>[A-Za-z_]\w*)|(?<number>-?\d+)|(?<sign>\[\?|\[\]|\|\||&&|[<>=!]=|[.*\][,:@(){}|&<>!])|"(?<quoted>(?:[^"\\]|\\[\s\S])*)"|'(?<raw>(?:[^'\\]|\\[\s\S])*)'|`(?<literal>(?:[^`\\]|\\[\s\S])*)`)/y;

export function wordsOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  let at = 0;
  while (at < end) {
    word.lastIndex = at;
    const match = word.exec(text);
    if (match === null) throw new Fault(`json_query cannot read "${text.slice(at, at + 20)}" in "${text}"`);
    tokens.push({ ...tokenOf(match.groups ?? {}, text), at: at + match[0].search(/\S/) });
    at = word.lastIndex;
  }
  return [...tokens, { type: "end", value: null, at: end }];
}

function tokenOf(groups: Record<string, string | undefined>, text: string): Omit<Token, "at"> {
  const { name, number, sign, quoted, raw, literal } = groups;
  if (name !== undefined) return { type: "name", value: name };
  if (number !== undefined) return { type: "number", value: Number(number) };
  if (sign !== undefined) return { type: sign, value: null };
  if (quoted !== undefined) return { type: "quoted", value: jsonOf(`"${quoted}"`, text) };
  if (raw !== undefined) return { type: "literal", value: raw.replaceAll("\\'", "'") };
  return { type: "literal", value: literalOf((literal ?? "").replaceAll("\\`", "`")) };
}

function jsonOf(json: string, text: string): Value {
  try {
    return parsePythonJson(json);
  } catch {
    throw new Fault(`json_query cannot read ${json} in "${text}"`);
  }
}

/** JSON between backticks; what is none is text, as in the first versions of the language. */
function literalOf(json: string): Value {
  try {
    return parsePythonJson(json);
  } catch {
    return json.trimStart();
  }
}

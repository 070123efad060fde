/** Text as sh would split it into words: quotes and backslashes, no expansion. */
export type Words =
  | { readonly words: readonly Word[] }
  /** What is wrong with the text. */
  | { readonly refused: string };

export interface Word {
  readonly text: string;
  /** Where $ and ~ stood in single quotes or behind a backslash: they stay as they are. */
  readonly literal: ReadonlySet<number>;
}

export function splitWords(text: string): Words {
  const words: Word[] = [];
  let current: string | undefined;
  let literal = new Set<number>();
  let quote = "";
  const add = (char: string, isLiteral: boolean) => {
    current = current ?? "";
    if (isLiteral) literal.add(current.length);
    current += char;
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at] as string;
    const next = text[at + 1];
    if (quote === "'") {
      if (char === "'") quote = "";
      else add(char, true);
    } else if (char === "\\" && next !== undefined && (quote === "" || '"\\$`'.includes(next))) {
      add(next, true);
      at++;
    } else if (quote === '"') {
      if (char === '"') quote = "";
      else add(char, false);
    } else if (char === "'" || char === '"') {
      quote = char;
      current = current ?? "";
    } else if (/\s/.test(char)) {
      if (current !== undefined) words.push({ text: current, literal });
      current = undefined;
      literal = new Set();
    } else add(char, false);
  }
  if (quote !== "") return { refused: `a ${quote} is never closed` };
  if (current !== undefined) words.push({ text: current, literal });
  return { words };
}

const variable = /\$(?:(\w+)|\{(\w+)\})/g;

/** Does the host have to expand this word ($HOME, ~)? */
export const needsExpansion = ({ text, literal }: Word): boolean =>
  (text.startsWith("~") && !literal.has(0)) ||
  [...text.matchAll(variable)].some(({ index }) => !literal.has(index));

/** A word of sh that expands variables and a leading ~, and nothing else; unknown variables stay as written. */
export function expandingWord({ text, literal }: Word): string {
  const tilde = literal.has(0) ? undefined : /^~[\w.-]*(?=\/|$)/.exec(text)?.[0];
  const start = tilde?.length ?? 0;
  let result = tilde ?? "";
  let at = start;
  for (const match of text.matchAll(variable)) {
    if (match.index < start || literal.has(match.index)) continue;
    const name = match[1] ?? match[2] ?? "";
    const isName = /^[A-Za-z_]/.test(name);
    result += plain(text.slice(at, match.index));
    result += isName ? `"\${${name}-\\$${name}}"` : plain(match[0]);
    at = match.index + match[0].length;
  }
  result += plain(text.slice(at));
  return result === "" ? "''" : result;
}

const plain = (part: string): string => (part === "" ? "" : `'${part.replaceAll("'", `'\\''`)}'`);

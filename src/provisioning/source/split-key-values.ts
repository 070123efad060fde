/** Ansible's `key=value key2="a b"` argument text: quotes and jinja braces keep their blanks. */
export interface KeyValues {
  readonly pairs: readonly KeyValue[];
  /** What is no pair, with its own spacing: `echo "a  b"`. */
  readonly rest: string;
}
export interface KeyValue {
  readonly key: string;
  readonly value: string;
  /** Offset of the key in the text. */
  readonly start: number;
  readonly end: number;
}
export type KeyValueSplit =
  | KeyValues
  | { readonly problem: "open-quote" | "open-braces"; readonly at: number };

/** `only`: the keys that count as such; `x=1 command` keeps its environment then. */
export function splitKeyValues(text: string, only?: ReadonlySet<string>): KeyValueSplit {
  const tokens = splitTokens(text);
  if (!Array.isArray(tokens)) return tokens as Extract<KeyValueSplit, { readonly problem: string }>;
  const pairs: KeyValue[] = [];
  let rest = "";
  let restFrom = 0;
  for (const { start, end } of tokens as readonly Token[]) {
    const token = text.slice(start, end);
    const found = /^([A-Za-z_][\w.-]*)[ \t]*=/.exec(token);
    const key = found?.[1];
    if (found === null || key === undefined || (only !== undefined && !only.has(key))) continue;
    pairs.push({ key, value: unquote(decodeEscapes(token.slice(found[0].length))), start, end });
    rest += text.slice(restFrom, start);
    restFrom = end;
  }
  return { pairs, rest: (rest + text.slice(restFrom)).trim() };
}

/** The same quote at both ends is taken off. */
export function unquote(text: string): string {
  const quote = text[0];
  const isQuoted = text.length > 1 && (quote === '"' || quote === "'") && text.endsWith(quote);
  return isQuoted && text.at(-2) !== "\\" ? text.slice(1, -1) : text;
}

interface Token {
  readonly start: number;
  readonly end: number;
}

const closing: Readonly<Record<string, string>> = { "{{": "}}", "{%": "%}", "{#": "#}" };

function splitTokens(text: string): readonly Token[] | KeyValueSplit {
  const tokens: Token[] = [];
  let start = -1;
  let at = 0;
  while (at < text.length) {
    const char = text[at] as string;
    if (/\s/.test(char)) {
      if (start >= 0) tokens.push({ start, end: at });
      start = -1;
      at++;
      continue;
    }
    if (start < 0) start = at;
    const end = skipGroup(text, at, start);
    if (end === undefined) return { problem: char === "{" ? "open-braces" : "open-quote", at };
    at = end;
  }
  if (start >= 0) tokens.push({ start, end: text.length });
  return tokens;
}

/** Past a quoted part, a jinja block, an escaped or a plain character. */
function skipGroup(text: string, at: number, tokenStart: number): number | undefined {
  const char = text[at] as string;
  if (char === "\\") return Math.min(at + 2, text.length);
  const close = closing[text.slice(at, at + 2)];
  if (close !== undefined) {
    const end = text.indexOf(close, at + 2);
    return end < 0 ? undefined : end + 2;
  }
  const opensQuote = (char === '"' || char === "'") && (at === tokenStart || !/\w/.test(text[at - 1] ?? ""));
  if (!opensQuote) return at + 1;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === "\\") end++;
    else if (text[end] === char) return end + 1;
  }
  return undefined;
}

const simpleEscapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

const decodeEscapes = (text: string): string =>
  text.replace(/\\(?:([ntr\\"'])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/g, (_, simple, hex, unicode) =>
    simple === undefined
      ? String.fromCharCode(Number.parseInt(hex ?? unicode, 16))
      : (simpleEscapes[simple] ?? ""),
  );

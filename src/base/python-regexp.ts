/**
 * Regular expressions as Ansible's users write them: Python's, translated to JavaScript's with the flag v. What differs
 * and is translated: \w, \d, \s, \b know all of Unicode, a dot and ^ and $ know no line end but \n, $ also stands before
 * a last newline, `]` may be the first of a class, a brace that is no quantifier is a brace, (?x), (?#…), (?P<…>…).
 */
import { pythonEscapes } from "./python-escapes.ts";

export type PythonRegExp = { readonly regexp: RegExp } | { readonly refused: string };

interface Flags {
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly verbose: boolean;
  readonly ascii: boolean;
}

class NotTranslatable extends Error {}

/** `flags` are JavaScript's, added to those that stand in the pattern itself, (?i). */
export function pythonRegExp(pattern: string, flags = ""): PythonRegExp {
  const leading = /^(?:\(\?[aiLmsux]+\))*/.exec(pattern)?.[0] ?? "";
  const own = leading.replace(/[(?)]/g, "");
  const has = (letter: string) => flags.includes(letter) || own.includes(letter);
  const wanted: Flags = {
    multiline: has("m"),
    dotAll: has("s"),
    verbose: own.includes("x"),
    ascii: own.includes("a"),
  };
  const rest = [...flags].filter((letter) => !"imsuv".includes(letter)).join("");
  try {
    const source = new Translation(pattern.slice(leading.length), wanted).source();
    return { regexp: new RegExp(source, `${rest}${has("i") ? "i" : ""}v`) };
  } catch (error) {
    if (error instanceof NotTranslatable || error instanceof SyntaxError) {
      return { refused: `"${pattern}" is not a regular expression: ${reasonOf(error)}` };
    }
    throw error;
  }
}

/** JavaScript's message names its own pattern, which nobody wrote. */
const reasonOf = (error: Error): string =>
  error instanceof SyntaxError ? (error.message.split(": ").at(-1) ?? "").toLowerCase() : error.message;

/** The insides of classes. */
const wide = {
  w: "\\p{L}\\p{N}_",
  d: "\\p{Nd}",
  s: " \\t-\\r\\x1c-\\x1f\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000",
};
const narrow = { w: "A-Za-z0-9_", d: "0-9", s: " \\t-\\r" };

const literal = (char: string): string =>
  /^[A-Za-z0-9]$/.test(char) ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

const escapes: Readonly<Record<string, string>> = {
  a: "\\x07",
  f: "\\f",
  n: "\\n",
  r: "\\r",
  t: "\\t",
  v: "\\v",
};

class Translation {
  readonly #text: string;
  #at = 0;
  #flags: Flags;
  readonly #outer: Flags[] = [];

  constructor(text: string, flags: Flags) {
    this.#text = text;
    this.#flags = flags;
  }

  source(): string {
    let source = "";
    while (this.#at < this.#text.length) source += this.#next();
    return source;
  }

  /** Takes what the sticky pattern finds here. */
  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at += match[0].length;
    return match;
  }

  #char(): string {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    this.#at += char.length;
    return char;
  }

  #next(): string {
    if (this.#flags.verbose && this.#take(/\s+|#[^\n]*/y)) return "";
    if (this.#take(/\(\?#[^)]*\)/y)) return "";
    const quantifier = this.#take(/[*+?]|\{(?=\d|,)(\d*)(,?)(\d*)\}/y);
    if (quantifier !== undefined) return this.#quantifier(quantifier);
    const char = this.#char();
    if (char === "\\") return this.#escape(false);
    if (char === "[") return this.#class();
    if (char === "(") return this.#group();
    if (char === ")") {
      this.#flags = this.#outer.pop() ?? this.#flags;
      return ")";
    }
    if (char === "|") return "|";
    if (char === ".") return this.#flags.dotAll ? "[^]" : "[^\\n]";
    if (char === "^") return this.#flags.multiline ? "(?<=\\n|^)" : "^";
    if (char === "$") return this.#flags.multiline ? "(?=\\n|$)" : "(?=\\n?$)";
    return literal(char);
  }

  #quantifier([whole, low = "", comma = "", high = ""]: RegExpExecArray): string {
    if (this.#take(/\+/y)) throw new NotTranslatable("possessive quantifiers (a++) are not understood");
    const lazy = this.#take(/\?/y) === undefined ? "" : "?";
    if (!whole.startsWith("{")) return `${whole}${lazy}`;
    return `{${low === "" ? "0" : low}${comma}${high}}${lazy}`;
  }

  #group(): string {
    const reference = this.#take(/\?P=(\w+)\)/y);
    if (reference !== undefined) return `\\k<${reference[1]}>`;
    this.#outer.push(this.#flags);
    const named = this.#take(/\?P<([^>]*)>/y);
    if (named !== undefined) return `(?<${named[1]}>`;
    const plain = this.#take(/\?(?::|=|!|<=|<!)/y);
    if (plain !== undefined) return `(${plain[0]}`;
    const scoped = this.#take(/\?([aiLmsux]*)(?:-([imsx]+))?:/y);
    if (scoped !== undefined) return this.#scoped(scoped[1] ?? "", scoped[2] ?? "");
    if (this.#take(/\?\(/y)) throw new NotTranslatable("conditions, (?(1)…), are not understood");
    if (this.#take(/\?>/y)) throw new NotTranslatable("atomic groups, (?>…), are not understood");
    if (this.#take(/\?[a-zA-Z]+\)/y)) throw new NotTranslatable("flags such as (?i) stand at the beginning");
    if (this.#take(/\?/y)) throw new NotTranslatable("there is no such group");
    return "(";
  }

  #scoped(on: string, off: string): string {
    const flag = (letter: string, before: boolean) =>
      (on.includes(letter) || before) && !off.includes(letter);
    this.#flags = {
      multiline: flag("m", this.#flags.multiline),
      dotAll: flag("s", this.#flags.dotAll),
      verbose: flag("x", this.#flags.verbose),
      ascii: flag("a", this.#flags.ascii),
    };
    return on.includes("i") ? "(?i:" : off.includes("i") ? "(?-i:" : "(?:";
  }

  #class(): string {
    const negated = this.#take(/\^/y) !== undefined;
    let inside = "";
    for (let first = true; first || this.#text[this.#at] !== "]"; first = false) {
      if (this.#at >= this.#text.length) throw new NotTranslatable("a class, [, has no end");
      inside += this.#classPart();
    }
    this.#at++;
    return `[${negated ? "^" : ""}${inside}]`;
  }

  #classPart(): string {
    const low = this.#classChar();
    if (this.#take(/-(?!\])/y) === undefined) return low;
    const high = this.#classChar();
    if (low.startsWith("[") || high.startsWith("["))
      throw new NotTranslatable("a range needs two characters");
    return `${low}-${high}`;
  }

  #classChar(): string {
    if (this.#at >= this.#text.length) throw new NotTranslatable("a class, [, has no end");
    const char = this.#char();
    return char === "\\" ? this.#escape(true) : literal(char);
  }

  #escape(inClass: boolean): string {
    const octal = this.#take(inClass ? /[0-7]{1,3}/y : /0[0-7]{0,2}|[0-3][0-7]{2}/y);
    if (octal !== undefined) return literal(String.fromCharCode(Number.parseInt(octal[0], 8)));
    const code = this.#take(/x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})/y);
    if (code !== undefined) return `\\u{${code[1] ?? code[2] ?? code[3]?.replace(/^0+(?=.)/, "")}}`;
    const back = inClass ? undefined : this.#take(/[1-9]\d?/y);
    // A digit of the pattern that follows must not join the number.
    if (back !== undefined) return `(?:\\${back[0]})`;
    if (this.#at >= this.#text.length) throw new NotTranslatable("it ends with a backslash");
    const char = this.#char();
    const set = (this.#flags.ascii ? narrow : wide)[char.toLowerCase() as keyof typeof wide];
    if (set !== undefined) return `[${char === char.toUpperCase() ? "^" : ""}${set}]`;
    if (char in escapes) return escapes[char] ?? "";
    if (char === "b" && inClass) return "\\x08";
    if (!inClass && "AZbB".includes(char)) return this.#edge(char);
    if (/[A-Za-z0-9]/.test(char)) throw new NotTranslatable(`there is no escape \\${char}`);
    return literal(char);
  }

  #edge(char: string): string {
    if (char === "A") return "^";
    if (char === "Z") return "$";
    const word = `[${(this.#flags.ascii ? narrow : wide).w}]`;
    const [one, other] = char === "b" ? ["!", "="] : ["=", "!"];
    return `(?:(?<=${word})(?${one}${word})|(?<!${word})(?${other}${word}))`;
  }
}

export type Replacement =
  | { readonly expand: (match: RegExpMatchArray) => string }
  | { readonly refused: string };

/** A replacement with \1, \g<1> and \g<name>, as re.sub reads it, for matches of `regexp`. */
export function pythonReplacement(template: string, regexp: RegExp): Replacement {
  const groups = new RegExp(`${regexp.source}|`, "v").exec("");
  const parts: (string | { readonly group: string })[] = [];
  const pattern =
    /[^\\]+|\\(?:g<(?<named>[^>]*)>|(?<octal>0[0-7]{0,2}|[0-3][0-7]{2})|(?<number>[1-9]\d?)|(?<other>[\s\S]?))/g;
  for (const match of template.matchAll(pattern)) {
    const { named, octal, number, other } = match.groups ?? {};
    const group = named ?? number;
    if (group !== undefined) {
      const known = /^\d+$/.test(group)
        ? Number(group) < (groups?.length ?? 1)
        : group in (groups?.groups ?? {});
      if (!known)
        return { refused: `"${template}" names a group "${group}", which the expression does not have` };
      parts.push({ group });
    } else if (octal !== undefined) parts.push(String.fromCharCode(Number.parseInt(octal, 8)));
    else if (other === undefined) parts.push(match[0]);
    else if (other in pythonEscapes) parts.push(pythonEscapes[other] ?? "");
    else if (other === "" || /[A-Za-z]/.test(other)) {
      return { refused: `"${template}" has \\${other}, which means nothing: a backslash is written \\\\` };
    } else parts.push(match[0]);
  }
  const textOf = (match: RegExpMatchArray, group: string) =>
    (/^\d+$/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? "";
  return {
    expand: (match) =>
      parts.map((part) => (typeof part === "string" ? part : textOf(match, part.group))).join(""),
  };
}

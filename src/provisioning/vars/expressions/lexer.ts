/** Template text → tokens, with Jinja's whitespace control. Inside a tag the tag's own end counts only outside brackets. */
import { pythonStringEscapes } from "../../../base/python-escapes.ts";
import { Fault, float, type Value } from "./value.ts";

export interface Syntax {
  readonly trimBlocks: boolean;
  readonly lstripBlocks: boolean;
  /**
   * In {{ }} a backslash in a string stands for itself, as in every string of a playbook: YAML has read it already.
   * Template files and conditions know Python's escapes.
   */
  readonly plainBackslashes: boolean;
  readonly variable: readonly [string, string];
  readonly block: readonly [string, string];
  readonly comment: readonly [string, string];
}
/** What Ansible sets: the newline after a block tag goes, blanks before it stay. */
export const ansibleSyntax: Syntax = {
  trimBlocks: true,
  lstripBlocks: false,
  plainBackslashes: true,
  variable: ["{{", "}}"],
  block: ["{%", "%}"],
  comment: ["{#", "#}"],
};

export type Token = { readonly at: number; readonly end: number } & (
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "open" | "close"; readonly tag: "variable" | "block" }
  | { readonly type: "name" | "operator"; readonly value: string }
  | { readonly type: "constant"; readonly value: Value; readonly isString: boolean }
  | { readonly type: "eof" }
);

type Tag = "variable" | "block" | "comment";
interface Opening {
  readonly tag: Tag;
  readonly at: number;
  /** "-" strips blanks before, "+" keeps lstrip_blocks off. */
  readonly sign: string;
  readonly inside: number;
}

export function lexTemplate(text: string, syntax: Syntax): Token[] {
  return new Lexer(text, syntax).run();
}
/** A bare expression, as in `when`. */
export function lexExpression(text: string): Token[] {
  const lexer = new Lexer(text, ansibleSyntax);
  lexer.lexTag(0, undefined);
  return lexer.finish();
}

const wordPattern = /[\p{L}_][\p{L}\p{N}_\p{M}]*/uy;
const numberPattern =
  /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|\d(?:_?\d)*(?:\.\d(?:_?\d)*)?(?:[eE][+-]?\d(?:_?\d)*)?/y;
const stringPattern = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const operatorPattern = /\/\/|\*\*|==|!=|<=|>=|[-+*/%~<>=.,:|()[\]{};]/y;

/** What those write who know C or a shell. */
const inWords: Readonly<Record<string, string>> = { "&": "and", "!": "not" };

class Lexer {
  readonly #text: string;
  readonly #syntax: Syntax;
  readonly #tokens: Token[] = [];
  constructor(text: string, syntax: Syntax) {
    this.#text = text;
    this.#syntax = syntax;
  }

  run(): Token[] {
    let at = 0;
    let stripNext = false;
    while (at < this.#text.length) {
      const opening = this.#nextOpening(at);
      this.#pushText(at, opening, stripNext);
      if (opening === undefined) break;
      ({ at, stripNext } = this.#lexOpening(opening));
    }
    return this.finish();
  }

  finish(): Token[] {
    const at = this.#text.length;
    this.#tokens.push({ type: "eof", at, end: at });
    return this.#tokens;
  }

  #nextOpening(from: number): Opening | undefined {
    let best: { tag: Tag; at: number; length: number } | undefined;
    for (const tag of ["comment", "block", "variable"] as const) {
      const mark = this.#syntax[tag][0];
      const at = this.#text.indexOf(mark, from);
      if (at < 0) continue;
      if (best === undefined || at < best.at || (at === best.at && mark.length > best.length))
        best = { tag, at, length: mark.length };
    }
    if (best === undefined) return undefined;
    const inside = best.at + best.length;
    const sign = /[-+]/.test(this.#text[inside] ?? "") ? (this.#text[inside] ?? "") : "";
    return { tag: best.tag, at: best.at, sign, inside: inside + sign.length };
  }

  #pushText(from: number, opening: Opening | undefined, stripStart: boolean): void {
    const end = opening?.at ?? this.#text.length;
    let value = this.#text.slice(from, end);
    if (stripStart) value = value.trimStart();
    if (opening?.sign === "-") value = value.trimEnd();
    else if (this.#syntax.lstripBlocks && opening !== undefined && opening.sign !== "+")
      if (opening.tag !== "variable") value = this.#lstrip(value, from === 0 && value.length === end);
    if (value !== "") this.#tokens.push({ type: "text", value, at: from, end });
  }

  #lstrip(value: string, fromStart: boolean): string {
    const blanks = /[ \t]*$/.exec(value)?.[0].length ?? 0;
    const before = value.slice(0, value.length - blanks);
    return before.endsWith("\n") || (before === "" && (fromStart || value.length > 0)) ? before : value;
  }

  #lexOpening(opening: Opening): { at: number; stripNext: boolean } {
    if (opening.tag === "comment") return this.#skipComment(opening);
    const raw = this.#rawBlock(opening);
    if (raw !== undefined) return raw;
    this.#tokens.push({ type: "open", tag: opening.tag, at: opening.at, end: opening.inside });
    return this.lexTag(opening.inside, opening.tag);
  }

  #skipComment(opening: Opening): { at: number; stripNext: boolean } {
    const mark = this.#syntax.comment[1];
    const end = this.#text.indexOf(mark, opening.inside);
    if (end < 0) throw new Fault(`the comment is not closed: "${mark}" is missing`, opening.at);
    return this.#afterTag(end + mark.length, this.#text[end - 1] ?? "", "comment");
  }

  /** Where text goes on after a tag: one newline is dropped after blocks and comments unless "+" stands there. */
  #afterTag(end: number, sign: string, tag: Tag): { at: number; stripNext: boolean } {
    const drops = this.#syntax.trimBlocks && tag !== "variable" && sign !== "+" && sign !== "-";
    return { at: drops && this.#text[end] === "\n" ? end + 1 : end, stripNext: sign === "-" };
  }

  #rawBlock(opening: Opening): { at: number; stripNext: boolean } | undefined {
    if (opening.tag !== "block") return undefined;
    const [open, close] = this.#syntax.block.map(escapePattern);
    const start = new RegExp(`\\s*raw\\s*([-+]?)${close}`, "y");
    start.lastIndex = opening.inside;
    const begin = start.exec(this.#text);
    if (begin === null) return undefined;
    const ending = new RegExp(`${open}([-+]?)\\s*endraw\\s*([-+]?)${close}`, "g");
    ending.lastIndex = start.lastIndex;
    const end = ending.exec(this.#text);
    if (end === null) throw new Fault('the raw block is not closed: "endraw" is missing', opening.at);
    const body = this.#afterTag(start.lastIndex, begin[1] ?? "", "block");
    const next: Opening = { tag: "block", at: end.index, sign: end[1] ?? "", inside: end.index };
    this.#pushText(Math.min(body.at, end.index), next, body.stripNext);
    return this.#afterTag(ending.lastIndex, end[2] ?? "", "block");
  }

  /** Tokens from `at` to the end of the tag, or of the text when there is no tag. */
  lexTag(start: number, tag: "variable" | "block" | undefined): { at: number; stripNext: boolean } {
    const close = tag === undefined ? undefined : this.#syntax[tag][1];
    const brackets: string[] = [];
    let at = start;
    for (;;) {
      while (/\s/.test(this.#text[at] ?? "")) at++;
      if (at >= this.#text.length) {
        if (close !== undefined)
          throw new Fault(`"${close}" is missing: write "${close}" where it ends`, start);
        if (brackets.length > 0)
          throw new Fault(`"${brackets.at(-1)}" is missing: write "${brackets.at(-1)}"`, at);
        return { at, stripNext: false };
      }
      if (close !== undefined && tag !== undefined && brackets.length === 0) {
        const sign = /[-+]/.test(this.#text[at] ?? "") ? (this.#text[at] ?? "") : "";
        if (this.#text.startsWith(close, at + sign.length)) {
          const end = at + sign.length + close.length;
          this.#tokens.push({ type: "close", tag, at, end });
          return this.#afterTag(end, sign, tag);
        }
      }
      at = this.#lexOne(at, brackets, tag === "variable" && this.#syntax.plainBackslashes);
    }
  }

  #lexOne(at: number, brackets: string[], plainBackslashes: boolean): number {
    const word = this.#match(wordPattern, at);
    if (word !== undefined) return this.#push({ type: "name", value: word, at, end: at + word.length });
    const number = this.#match(numberPattern, at);
    if (number !== undefined) return this.#pushNumber(number, at);
    const string = this.#match(stringPattern, at);
    if (string !== undefined) {
      const body = string.slice(1, -1);
      const value = plainBackslashes ? body.replace(/\\(['"])/g, "$1") : unescapeString(body);
      return this.#push({ type: "constant", value, isString: true, at, end: at + string.length });
    }
    const operator = this.#match(operatorPattern, at);
    if (operator === undefined) throw new Fault(this.#strangeness(at), at);
    trackBrackets(operator, brackets, at);
    return this.#push({ type: "operator", value: operator, at, end: at + operator.length });
  }

  #strangeness(at: number): string {
    const char = this.#text[at] ?? "";
    if (char === "'" || char === '"') return `a string is not closed: ${char} is missing`;
    const word = inWords[char];
    const name = /^\$\{?(\w+)/.exec(this.#text.slice(at, at + 80))?.[1];
    if (name !== undefined) return `"$" has no meaning here: write "${name}"`;
    return `"${char}" has no meaning here${word === undefined ? "" : `: write "${word}"`}`;
  }

  #pushNumber(literal: string, at: number): number {
    const last = this.#tokens.at(-1);
    const end = at + literal.length;
    // `list.0.1` is two members, not a fraction.
    const member = last?.type === "operator" && last.value === "." && last.end === at;
    if (member && /\.\d/.test(literal)) {
      const digits = /^\d+/.exec(literal)?.[0] ?? literal;
      const value = Number(digits);
      return this.#push({ type: "constant", value, isString: false, at, end: at + digits.length });
    }
    return this.#push({ type: "constant", value: numberValue(literal), isString: false, at, end });
  }

  #push(token: Token): number {
    this.#tokens.push(token);
    return token.end;
  }

  #match(pattern: RegExp, at: number): string | undefined {
    pattern.lastIndex = at;
    return pattern.exec(this.#text)?.[0];
  }
}

const escapePattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

function trackBrackets(operator: string, brackets: string[], at: number): void {
  const close = closing[operator];
  if (close !== undefined) brackets.push(close);
  else if (operator === ")" || operator === "]" || operator === "}") {
    const wanted = brackets.pop();
    if (wanted === undefined)
      throw new Fault(
        operator === "}"
          ? '"}}" is wanted, and one "}" stands there: write "}}"'
          : `"${operator}" closes nothing`,
        at,
      );
    if (wanted !== operator)
      throw new Fault(`"${wanted}" is missing before "${operator}": write "${wanted}"`, at);
  }
}

export function numberValue(literal: string): Value {
  const digits = literal.replaceAll("_", "");
  if (/^\d+$/.test(digits)) {
    const whole = Number(digits);
    return Number.isSafeInteger(whole) ? whole : BigInt(digits);
  }
  if (/^0[box]/i.test(digits)) return Number(digits);
  return float(Number(digits));
}

/** Python's escapes; one that means nothing keeps its backslash, so that '\d' is a regular expression. */
function unescapeString(body: string): string {
  if (!body.includes("\\")) return body;
  return body.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (whole, x?: string, u?: string, long?: string, octal?: string, char?: string) => {
      const hex = x ?? u ?? long;
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
      return pythonStringEscapes[char ?? ""] ?? whole;
    },
  );
}

/** The values of INI files: what Python's literal_eval makes of the text; what is no literal stays a string. */

import type { Span } from "../../base/errors.ts";
import { pythonStringEscapes } from "../../base/python-escapes.ts";
import type { ScalarNode, SourceNode } from "./node.ts";

/** Every value stands at `span`: an INI value is one line. Text that is no literal becomes a string as it is. */
export function pythonValue(text: string, span: Span): SourceNode {
  return parsePythonLiteral(text, span) ?? { kind: "scalar", value: text, span };
}

export function parsePythonLiteral(text: string, span: Span): SourceNode | undefined {
  try {
    return new LiteralReader(text, span).read();
  } catch (error) {
    if (error instanceof NoLiteral) return undefined;
    throw error;
  }
}

class NoLiteral extends Error {}

/** Python itself gives up at about 200. */
const nestingDepth = 90;
const number =
  /[-+]?[ \t]*(?:0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*)?\.\d(?:_?\d)*(?:[eE][-+]?\d(?:_?\d)*)?|\d(?:_?\d)*\.?(?:[eE][-+]?\d(?:_?\d)*)?)(?![\w.])/y;
const word = /(?:True|False|None)\b/y;
const stringStart = /(?:[uU]|[rR])?("""|'''|"|')/y;
const blank = /(?:[ \t\f]|\\\n)*(?:#[^\n]*)?/y;
const blankInside = /(?:\s|\\\n|#[^\n]*(?:\n|$))*/y;

class LiteralReader {
  readonly #text: string;
  readonly #span: Span;
  #at = 0;
  #depth = 0;

  constructor(text: string, span: Span) {
    this.#text = text.replace(/^[ \t]+/, "");
    this.#span = span;
  }

  read(): SourceNode {
    const first = this.#value();
    const items = this.#take(",") ? [first, ...this.#rest(undefined)] : undefined;
    this.#match(blank);
    if (this.#at < this.#text.length) throw new NoLiteral();
    return items === undefined ? first : this.#tuple(items);
  }

  #value(): SourceNode {
    this.#skip();
    const char = this.#text[this.#at];
    if (char === "[") return this.#list(this.#inside("]"));
    if (char === "{") return this.#braces();
    if (char === "(") return this.#parenthesis();
    const constant = this.#match(word);
    if (constant !== undefined) return this.#scalar(constants[constant] ?? null);
    const text = this.#strings();
    return text === undefined ? this.#number() : this.#scalar(text);
  }

  #number(): ScalarNode {
    const found = this.#match(number);
    if (found === undefined) throw new NoLiteral();
    const digits = found.replace(/[-+_ \t]/g, (char) => (char === "-" ? "-" : ""));
    const exponent = /[eE]-/.test(found.slice(1)) && !/^[-+]?\s*0[xX]/.test(found);
    const plain = exponent ? found.replace(/[_ \t]/g, "") : digits;
    const body = plain.replace(/^[-+]/, "");
    if (/^0\d*[1-9]/.test(body) && /^\d+$/.test(body)) throw new NoLiteral();
    const value = plain.startsWith("-") ? -Number(body) : Number(body);
    const isFloat = /[.eE]/.test(body) && !/^0[xX]/.test(body);
    if (isFloat) return { ...this.#scalar(value), float: true };
    if (!Number.isSafeInteger(value)) throw new NoLiteral();
    return this.#scalar(value === 0 ? 0 : value);
  }

  /** One or more string literals beside each other. */
  #strings(): string | undefined {
    let joined: string | undefined;
    for (;;) {
      const start = this.#at;
      this.#skip();
      const prefix = this.#match(stringStart);
      if (prefix === undefined) {
        this.#at = start;
        return joined;
      }
      const isRaw = /^[rR]/.test(prefix);
      joined = (joined ?? "") + this.#string(prefix.replace(/^[a-zA-Z]/, ""), isRaw);
    }
  }

  #string(quote: string, isRaw: boolean): string {
    let value = "";
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || (char === "\n" && quote.length === 1)) throw new NoLiteral();
      if (this.#text.startsWith(quote, this.#at)) {
        this.#at += quote.length;
        return value;
      }
      this.#at++;
      if (char !== "\\") value += char;
      else value += isRaw ? char + this.#next() : this.#escape();
    }
  }

  #next(): string {
    const char = this.#text[this.#at++];
    if (char === undefined) throw new NoLiteral();
    return char;
  }

  #escape(): string {
    const char = this.#next();
    const simple = pythonStringEscapes[char];
    if (simple !== undefined) return simple;
    const width = { x: 2, u: 4, U: 8 }[char];
    if (width !== undefined) return this.#codePoint(width);
    if (char === "N") throw new NoLiteral();
    if (/[0-7]/.test(char)) {
      const octal = /[0-7]{1,3}/y;
      this.#at--;
      return String.fromCodePoint(Number.parseInt(this.#match(octal) ?? "0", 8));
    }
    return `\\${char}`;
  }

  #codePoint(width: number): string {
    const hex = this.#text.slice(this.#at, this.#at + width);
    const code = Number.parseInt(hex, 16);
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length < width || code > 0x10ffff) throw new NoLiteral();
    this.#at += width;
    return String.fromCodePoint(code);
  }

  #parenthesis(): SourceNode {
    this.#open();
    if (this.#take(")")) return this.#closed(this.#tuple([]));
    const first = this.#value();
    if (this.#take(")")) return this.#closed(first);
    if (!this.#take(",")) throw new NoLiteral();
    return this.#closed(this.#tuple([first, ...this.#rest(")")]));
  }

  #inside(close: string): readonly SourceNode[] {
    this.#open();
    return this.#closed(this.#rest(close));
  }

  /** Further items after a comma, up to and with `close`; without one, up to the end of the text. */
  #rest(close: string | undefined): SourceNode[] {
    const items: SourceNode[] = [];
    for (;;) {
      if (close === undefined ? this.#isEnd() : this.#take(close)) return items;
      items.push(this.#value());
      if (!this.#take(",")) {
        if (close === undefined || this.#take(close)) return items;
        throw new NoLiteral();
      }
    }
  }

  #braces(): SourceNode {
    this.#open();
    if (this.#take("}")) return this.#closed({ kind: "map", entries: [], span: this.#span });
    const first = this.#value();
    if (!this.#take(":")) {
      const more = this.#take(",") ? this.#rest("}") : this.#take("}") ? [] : this.#refuse();
      return this.#closed(this.#list([first, ...more]));
    }
    const entries = new Map([this.#pair(first)]);
    for (;;) {
      if (this.#take("}")) break;
      if (!this.#take(",")) throw new NoLiteral();
      if (this.#take("}")) break;
      const key = this.#value();
      if (!this.#take(":")) throw new NoLiteral();
      const [name, entry] = this.#pair(key);
      entries.set(name, entry);
    }
    return this.#closed({ kind: "map", entries: [...entries.values()], span: this.#span });
  }

  #pair(key: SourceNode): [string, { key: ScalarNode; value: SourceNode }] {
    if (key.kind !== "scalar") throw new NoLiteral();
    return [`${typeof key.value}:${key.value}`, { key, value: this.#value() }];
  }

  #refuse(): never {
    throw new NoLiteral();
  }

  #open(): void {
    this.#at++;
    this.#depth++;
    if (this.#depth > nestingDepth) throw new NoLiteral();
  }

  #closed<T>(value: T): T {
    this.#depth--;
    return value;
  }

  #skip(): void {
    this.#match(this.#depth > 0 ? blankInside : blank);
  }

  #isEnd(): boolean {
    this.#skip();
    return this.#at >= this.#text.length;
  }

  #take(char: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #scalar(value: string | number | boolean | null): ScalarNode {
    return { kind: "scalar", value, span: this.#span };
  }

  #tuple(items: readonly SourceNode[]): SourceNode {
    return { kind: "list", items, span: this.#span, tuple: true };
  }

  #list(items: readonly SourceNode[]): SourceNode {
    return { kind: "list", items, span: this.#span };
  }
}

const constants: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null };

/** Walks over tokens: what both parsers, of expressions and of statements, need. */
import type { Token } from "./lexer.ts";
import { Fault } from "./value.ts";

export class TokenReader {
  readonly #tokens: readonly Token[];
  #index = 0;
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.#tokens[this.#index] ?? { type: "eof", at: 0, end: 0 };
  }
  peek(): Token {
    return this.#tokens[this.#index + 1] ?? this.token;
  }
  next(): Token {
    const token = this.token;
    this.#index++;
    return token;
  }
  get isAtEnd(): boolean {
    return this.token.type === "eof";
  }
  get at(): number {
    return this.token.at;
  }
  isOperator(...values: readonly string[]): boolean {
    return this.token.type === "operator" && values.includes(this.token.value);
  }
  isName(...values: readonly string[]): boolean {
    return this.token.type === "name" && values.includes(this.token.value);
  }
  skipOperator(value: string): boolean {
    if (!this.isOperator(value)) return false;
    this.#index++;
    return true;
  }
  skipName(value: string): boolean {
    if (!this.isName(value)) return false;
    this.#index++;
    return true;
  }
  expectOperator(value: string): Token {
    if (!this.isOperator(value)) throw this.unexpected(`"${value}"`);
    return this.next();
  }
  expectName(what = "a name"): string {
    const token = this.token;
    if (token.type !== "name") throw this.unexpected(what);
    this.#index++;
    return token.value;
  }
  unexpected(wanted: string): Fault {
    const { type, value, at } = { value: undefined, ...this.token };
    const hint = hintOf(type, String(value), wanted);
    return new Fault(`${wanted} is wanted, and ${describeToken(this.token)} stands there${hint}`, at);
  }
}

function hintOf(type: Token["type"], value: string, wanted: string): string {
  if (type === "operator" && value === "=") return ': write "=="';
  if (type === "operator" && value === ":") return ": write an argument in brackets: name(…)";
  return type === "name" && wanted.startsWith("an operator") ? `: write "| ${value}" if it is a filter` : "";
}

export function describeToken(token: Token): string {
  switch (token.type) {
    case "name":
    case "operator":
      return `"${token.value}"`;
    case "constant":
      return token.isString
        ? `the string ${JSON.stringify(token.value)}`
        : `the number ${String(token.value)}`;
    case "text":
      return "text";
    case "open":
    case "close":
      return token.type === "open" ? "a new tag" : "the end of the tag";
    case "eof":
      return "the end";
  }
}

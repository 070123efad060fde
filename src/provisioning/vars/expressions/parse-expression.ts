/** Jinja's expression grammar, with its own binding strengths (`**` binds to the left, filters before signs). */
import type { Arguments, BinaryOperator, CompareOperator, Expression } from "./ast.ts";
import { lexExpression, type Token } from "./lexer.ts";
import { TokenReader } from "./token-reader.ts";
import { Fault } from "./value.ts";

/** Deeper nesting is a mistake or an attack. */
export const maxNesting = 150;

export function parseExpressionText(text: string): Expression {
  const reader = new TokenReader(lexExpression(text));
  if (reader.isAtEnd) throw new Fault("the expression is empty", 0);
  const expression = new ExpressionParser(reader).tuple();
  if (!reader.isAtEnd) throw reader.unexpected("an operator or the end");
  return expression;
}

const constants: Readonly<Record<string, boolean | null>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
};
const noArguments: Arguments = { args: [], kwargs: [] };

export class ExpressionParser {
  readonly #reader: TokenReader;
  #depth = 0;
  constructor(reader: TokenReader) {
    this.#reader = reader;
  }

  /** `a, b` is a tuple; one alone is itself. */
  tuple(options: { readonly conditional?: boolean; readonly end?: readonly string[] } = {}): Expression {
    const at = this.#reader.at;
    const one = (): Expression => (options.conditional === false ? this.#or() : this.expression());
    const items: Expression[] = [one()];
    let isTuple = false;
    while (this.#reader.skipOperator(",")) {
      isTuple = true;
      if (this.#endsTuple(options.end ?? [])) break;
      items.push(one());
    }
    return isTuple ? { type: "tuple", items, at } : (items[0] as Expression);
  }

  #endsTuple(names: readonly string[]): boolean {
    const { type } = this.#reader.token;
    return (
      type === "close" ||
      type === "eof" ||
      this.#reader.isOperator(")", "]", "=") ||
      this.#reader.isName(...names)
    );
  }

  expression(): Expression {
    if (++this.#depth > maxNesting) throw new Fault("the expression is nested too deeply", this.#reader.at);
    let value = this.#or();
    while (this.#reader.isName("if")) {
      const { at } = this.#reader.next();
      const test = this.#or();
      const otherwise = this.#reader.skipName("else") ? this.expression() : undefined;
      value = { type: "conditional", test, chosen: value, otherwise, at };
    }
    this.#depth--;
    return value;
  }

  #or(): Expression {
    let left = this.#and();
    while (this.#reader.isName("or")) {
      const { at } = this.#reader.next();
      left = { type: "or", left, right: this.#and(), at };
    }
    return left;
  }

  #and(): Expression {
    let left = this.#not();
    while (this.#reader.isName("and")) {
      const { at } = this.#reader.next();
      left = { type: "and", left, right: this.#not(), at };
    }
    return left;
  }

  #not(): Expression {
    if (!this.#reader.isName("not")) return this.#compare();
    if (++this.#depth > maxNesting) throw new Fault("the expression is nested too deeply", this.#reader.at);
    const { at } = this.#reader.next();
    const operand = this.#not();
    this.#depth--;
    return { type: "not", operand, at };
  }

  #compare(): Expression {
    const first = this.#sum();
    const rest: { operator: CompareOperator; operand: Expression }[] = [];
    const at = this.#reader.at;
    for (;;) {
      const operator = this.#compareOperator();
      if (operator === undefined) break;
      rest.push({ operator, operand: this.#sum() });
    }
    return rest.length === 0 ? first : { type: "compare", first, rest, at };
  }

  #compareOperator(): CompareOperator | undefined {
    const reader = this.#reader;
    if (reader.isOperator("==", "!=", "<", "<=", ">", ">="))
      return tokenText(reader.next()) as CompareOperator;
    if (reader.skipName("in")) return "in";
    const next = reader.peek();
    if (reader.isName("not") && next.type === "name" && next.value === "in") {
      reader.next();
      reader.next();
      return "not in";
    }
    return undefined;
  }

  #sum(): Expression {
    return this.#binary(["+", "-"], () => this.#concat());
  }

  #concat(): Expression {
    const at = this.#reader.at;
    const items = [this.#product()];
    while (this.#reader.skipOperator("~")) items.push(this.#product());
    return items.length === 1 ? (items[0] as Expression) : { type: "concat", items, at };
  }

  #product(): Expression {
    return this.#binary(["*", "/", "//", "%"], () => this.#binary(["**"], () => this.#unary(true)));
  }

  #binary(operators: readonly BinaryOperator[], operand: () => Expression): Expression {
    let left = operand();
    while (this.#reader.isOperator(...operators)) {
      const token = this.#reader.next();
      const operator = tokenText(token) as BinaryOperator;
      left = { type: "binary", operator, left, right: operand(), at: token.at };
    }
    return left;
  }

  #unary(withFilters: boolean): Expression {
    if (++this.#depth > maxNesting) throw new Fault("the expression is nested too deeply", this.#reader.at);
    const at = this.#reader.at;
    let value: Expression;
    if (this.#reader.skipOperator("-")) value = { type: "negative", operand: this.#unary(false), at };
    else if (this.#reader.skipOperator("+")) value = { type: "positive", operand: this.#unary(false), at };
    else value = this.#primary();
    value = this.#postfix(value);
    this.#depth--;
    return withFilters ? this.filters(value) : value;
  }

  #primary(): Expression {
    const reader = this.#reader;
    const token = reader.token;
    if (token.type === "name") return this.#name();
    if (token.type === "constant") return this.#constant(token);
    if (reader.isOperator("(")) return this.#parenthesized();
    if (reader.isOperator("[")) return this.#list();
    if (reader.isOperator("{")) return this.#dict();
    throw reader.unexpected("a value");
  }

  #name(): Expression {
    const at = this.#reader.at;
    const name = this.#reader.expectName();
    const value = Object.hasOwn(constants, name) ? constants[name] : undefined;
    return value === undefined ? { type: "name", name, at } : { type: "constant", value, at };
  }

  #constant(token: Extract<Token, { type: "constant" }>): Expression {
    this.#reader.next();
    if (!token.isString) return { type: "constant", value: token.value, at: token.at };
    let text = String(token.value);
    for (;;) {
      const next = this.#reader.token;
      if (next.type !== "constant" || !next.isString) break;
      text += String(next.value);
      this.#reader.next();
    }
    return { type: "constant", value: text, at: token.at };
  }

  #parenthesized(): Expression {
    const { at } = this.#reader.next();
    if (this.#reader.skipOperator(")")) return { type: "tuple", items: [], at };
    const value = this.tuple();
    this.#reader.expectOperator(")");
    return value;
  }

  #list(): Expression {
    const { at } = this.#reader.next();
    const items: Expression[] = [];
    while (!this.#reader.isOperator("]")) {
      items.push(this.expression());
      if (!this.#reader.skipOperator(",")) break;
    }
    this.#reader.expectOperator("]");
    return { type: "list", items, at };
  }

  #dict(): Expression {
    const { at } = this.#reader.next();
    const entries: [Expression, Expression][] = [];
    while (!this.#reader.isOperator("}")) {
      const key = this.expression();
      this.#reader.expectOperator(":");
      entries.push([key, this.expression()]);
      if (!this.#reader.skipOperator(",")) break;
    }
    this.#reader.expectOperator("}");
    return { type: "dict", entries, at };
  }

  #postfix(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (this.#reader.isOperator(".")) value = this.#member(value);
      else if (this.#reader.isOperator("[")) value = this.#subscript(value);
      else if (this.#reader.isOperator("(")) value = this.#call(value);
      else return value;
    }
  }

  #member(object: Expression): Expression {
    const { at } = this.#reader.next();
    const token = this.#reader.token;
    if (token.type === "constant" && typeof token.value === "number") {
      this.#reader.next();
      return { type: "item", object, key: { type: "constant", value: token.value, at: token.at }, at };
    }
    return { type: "attribute", object, name: this.#reader.expectName("a name or an index"), at };
  }

  #subscript(object: Expression): Expression {
    const { at } = this.#reader.next();
    const start = this.#reader.isOperator(":") ? undefined : this.tuple();
    if (!this.#reader.isOperator(":")) {
      this.#reader.expectOperator("]");
      if (start === undefined) throw this.#reader.unexpected("an index");
      return { type: "item", object, key: start, at };
    }
    this.#reader.next();
    const part = (): Expression | undefined =>
      this.#reader.isOperator(":", "]") ? undefined : this.expression();
    const stop = part();
    const step = this.#reader.skipOperator(":") ? part() : undefined;
    this.#reader.expectOperator("]");
    return { type: "slice", object, start, stop, step, at };
  }

  #call(callee: Expression): Expression {
    const at = this.#reader.at;
    return { type: "call", callee, arguments: this.arguments(), at };
  }

  arguments(): Arguments {
    const reader = this.#reader;
    reader.expectOperator("(");
    const args: Expression[] = [];
    const kwargs: { name: string; value: Expression }[] = [];
    const stars: { star?: Expression; doubleStar?: Expression } = {};
    while (!reader.isOperator(")")) {
      const next = reader.peek();
      if (reader.skipOperator("**")) stars.doubleStar = this.expression();
      else if (reader.skipOperator("*")) stars.star = this.expression();
      else if (reader.token.type === "name" && next.type === "operator" && next.value === "=") {
        const name = reader.expectName();
        reader.next();
        kwargs.push({ name, value: this.expression() });
      } else {
        if (kwargs.length > 0)
          throw new Fault("an argument without a name stands after one with a name", reader.at);
        args.push(this.expression());
      }
      if (!reader.skipOperator(",")) break;
    }
    reader.expectOperator(")");
    return { args, kwargs, ...stars };
  }

  /** `| filter`, `is test` and calls, as many as follow. */
  filters(start: Expression): Expression {
    let value = start;
    for (;;) {
      if (this.#reader.isOperator("|")) {
        this.#reader.next();
        value = this.filter(value);
      } else if (this.#reader.isName("is")) value = this.#test(value);
      else if (this.#reader.isOperator("(")) value = this.#call(value);
      else return value;
    }
  }

  /** The filter's name and arguments; the bar has been read. */
  filter(input: Expression | undefined): Expression {
    const at = this.#reader.at;
    const name = this.#dottedName("the name of a filter");
    const given = this.#reader.isOperator("(") ? this.arguments() : noArguments;
    return { type: "filter", input, name, arguments: given, at };
  }

  #dottedName(what: string): string {
    let name = this.#reader.expectName(what);
    while (this.#reader.skipOperator(".")) name += `.${this.#reader.expectName(what)}`;
    return name;
  }

  #test(input: Expression): Expression {
    this.#reader.next();
    const negated = this.#reader.skipName("not");
    const at = this.#reader.at;
    const name = this.#dottedName("the name of a test");
    return { type: "test", input, name, arguments: this.#testArguments(), negated, at };
  }

  #testArguments(): Arguments {
    const reader = this.#reader;
    if (reader.isOperator("(")) return this.arguments();
    const token = reader.token;
    const begins =
      token.type === "constant" ||
      reader.isOperator("[", "{") ||
      (token.type === "name" && !["else", "or", "and", "if", "in", "not"].includes(token.value));
    if (!begins) return noArguments;
    if (reader.isName("is")) throw new Fault('two tests in a row: write "x is a and x is b"', reader.at);
    return { args: [this.#postfix(this.#primary())], kwargs: [] };
  }
}

const tokenText = (token: Token): string =>
  token.type === "operator" || token.type === "name" ? token.value : "";

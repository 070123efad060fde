/** Tags → statements. */
import type { Expression, MacroDefinition, Parameter, Statement, Target, Template } from "./ast.ts";
import { lexTemplate, type Syntax } from "./lexer.ts";
import { ExpressionParser, maxNesting } from "./parse-expression.ts";
import { TokenReader } from "./token-reader.ts";
import { Fault } from "./value.ts";

export function parseTemplateText(text: string, syntax: Syntax): Template {
  const parser = new TemplateParser(new TokenReader(lexTemplate(text, syntax)));
  const body = parser.statements([]);
  return { text, body, blocks: parser.blocks };
}

type TagParser = (parser: TemplateParser, at: number) => Statement;

class TemplateParser {
  readonly reader: TokenReader;
  readonly expressions: ExpressionParser;
  readonly blocks = new Map<string, readonly Statement[]>();
  #depth = 0;
  constructor(reader: TokenReader) {
    this.reader = reader;
    this.expressions = new ExpressionParser(reader);
  }

  /** Up to a tag that is named in `ends` (its name is read, its rest not), or to the end when `ends` is empty. */
  statements(ends: readonly string[]): Statement[] {
    if (++this.#depth > maxNesting) throw new Fault("blocks are nested too deeply", this.reader.at);
    const found: Statement[] = [];
    for (;;) {
      const token = this.reader.token;
      if (token.type === "eof") {
        if (ends.length > 0)
          throw new Fault(`"${ends.at(-1)}" is missing: write "{% ${ends.at(-1)} %}"`, token.at);
        break;
      }
      this.reader.next();
      if (token.type === "text") found.push({ type: "text", text: token.value, at: token.at });
      else if (token.type === "open" && token.tag === "variable") found.push(this.#output(token.at));
      else {
        const tag = this.reader.token;
        if (tag.type === "name" && ends.includes(tag.value)) break;
        found.push(this.#tag());
      }
    }
    this.#depth--;
    return found;
  }

  #output(at: number): Statement {
    const close = this.reader.token;
    if (close.type === "close") throw new Fault("the expression is empty", at);
    const expression = this.expressions.tuple();
    this.close();
    return { type: "output", expression, at };
  }

  #tag(): Statement {
    const { at } = this.reader.token;
    const name = this.reader.expectName("the name of a tag");
    const parse = Object.hasOwn(tags, name) ? tags[name] : undefined;
    if (parse === undefined) throw new Fault(unknownTag(name), at);
    return parse(this, at);
  }

  close(): void {
    if (this.reader.token.type !== "close") throw this.reader.unexpected("an operator or the end of the tag");
    this.reader.next();
  }

  /** The rest of this tag, a body, and the end tag with its rest. */
  bodyUntil(end: string): Statement[] {
    this.close();
    const body = this.statements([end]);
    this.reader.expectName();
    this.close();
    return body;
  }

  target(ends: readonly string[]): Target {
    const at = this.reader.at;
    const items: Target[] = [];
    let isTuple = false;
    do {
      if (items.length > 0 && (this.reader.isOperator("=", ")") || this.reader.isName(...ends))) break;
      items.push(this.#oneTarget(ends));
      if (this.reader.isOperator(",")) isTuple = true;
    } while (this.reader.skipOperator(","));
    return isTuple ? { type: "tuple", items, at } : (items[0] as Target);
  }

  #oneTarget(ends: readonly string[]): Target {
    const at = this.reader.at;
    if (this.reader.skipOperator("(")) {
      const inner = this.target(ends);
      this.reader.expectOperator(")");
      return inner;
    }
    const name = this.reader.expectName("a name to assign to");
    if (/^(?:true|false|none|True|False|None)$/.test(name))
      throw new Fault(`"${name}" cannot be assigned to`, at);
    if (!this.reader.skipOperator(".")) return { type: "name", name, at };
    return { type: "member", name, member: this.reader.expectName(), at };
  }

  parameters(): Parameter[] {
    const found: Parameter[] = [];
    this.reader.expectOperator("(");
    while (!this.reader.isOperator(")")) {
      const name = this.reader.expectName("the name of a parameter");
      const value = this.reader.skipOperator("=") ? this.expressions.expression() : undefined;
      found.push({ name, default: value });
      if (!this.reader.skipOperator(",")) break;
    }
    this.reader.expectOperator(")");
    return found;
  }

  /** `with context` or `without context` at the end of include and import. */
  context(usual: boolean): boolean {
    const next = this.reader.peek();
    if (!this.reader.isName("with", "without") || next.type !== "name" || next.value !== "context")
      return usual;
    const withContext = this.reader.isName("with");
    this.reader.next();
    this.reader.next();
    return withContext;
  }
}

function unknownTag(name: string): string {
  if (name.startsWith("end") || name === "else" || name === "elif")
    return `"${name}" closes nothing: write the end of the block that is open, or take it out`;
  return `there is no tag "${name}"`;
}

const tags: Readonly<Record<string, TagParser>> = {
  if: parseIf,
  for: parseFor,
  set: parseSet,
  with: parseWith,
  macro(parser, at) {
    const name = parser.reader.expectName("the name of the macro");
    return { type: "macro", macro: finishMacro(parser, name, parser.parameters(), "endmacro"), at };
  },
  call(parser, at) {
    const parameters = parser.reader.isOperator("(") ? parser.parameters() : [];
    const call = parser.expressions.expression();
    if (call.type !== "call") throw new Fault("a call of a macro is wanted", call.at);
    return { type: "call-block", call, caller: finishMacro(parser, "caller", parameters, "endcall"), at };
  },
  filter(parser, at) {
    const filter = parser.expressions.filters(parser.expressions.filter(undefined));
    return { type: "filter-block", filter, body: parser.bodyUntil("endfilter"), at };
  },
  autoescape(parser, at) {
    parser.expressions.expression();
    return { type: "scope", body: parser.bodyUntil("endautoescape"), at };
  },
  do(parser, at) {
    const expression = parser.expressions.tuple();
    parser.close();
    return { type: "do", expression, at };
  },
  break(parser, at) {
    parser.close();
    return { type: "break", at };
  },
  continue(parser, at) {
    parser.close();
    return { type: "continue", at };
  },
  include: parseInclude,
  import(parser, at) {
    const template = parser.expressions.expression();
    if (!parser.reader.skipName("as")) throw parser.reader.unexpected('"as"');
    const as = parser.reader.expectName();
    const withContext = parser.context(false);
    parser.close();
    return { type: "import", template, as, withContext, at };
  },
  from: parseFromImport,
  extends(parser, at) {
    const template = parser.expressions.expression();
    parser.close();
    return { type: "extends", template, at };
  },
  block: parseBlock,
};

function finishMacro(
  parser: TemplateParser,
  name: string,
  parameters: readonly Parameter[],
  end: string,
): MacroDefinition {
  const body = parser.bodyUntil(end);
  return { name, parameters, body, uses: specialNames(body) };
}

/** Whether a macro's body speaks of varargs, kwargs or caller. */
function specialNames(body: readonly Statement[]): ReadonlySet<string> {
  const text = JSON.stringify(body, (key, value: unknown) => (key === "blocks" ? undefined : plain(value)));
  return new Set(["varargs", "kwargs", "caller"].filter((name) => text.includes(`"name":"${name}"`)));
}
const plain = (value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);

function parseIf(parser: TemplateParser, at: number): Statement {
  const branches: { test: Expression; body: readonly Statement[] }[] = [];
  let otherwise: readonly Statement[] = [];
  for (;;) {
    const test = parser.expressions.tuple({ conditional: false });
    parser.close();
    branches.push({ test, body: parser.statements(["elif", "else", "endif"]) });
    const end = parser.reader.expectName();
    if (end === "elif") continue;
    if (end === "else") otherwise = parser.bodyUntil("endif");
    else parser.close();
    return { type: "if", branches, otherwise, at };
  }
}

function parseFor(parser: TemplateParser, at: number): Statement {
  const target = parser.target(["in"]);
  if (!parser.reader.skipName("in")) throw parser.reader.unexpected('"in"');
  const over = parser.expressions.tuple({ conditional: false, end: ["recursive", "if"] });
  const filter = parser.reader.skipName("if") ? parser.expressions.expression() : undefined;
  const recursive = parser.reader.skipName("recursive");
  parser.close();
  const body = parser.statements(["else", "endfor"]);
  let otherwise: readonly Statement[] = [];
  if (parser.reader.expectName() === "else") otherwise = parser.bodyUntil("endfor");
  else parser.close();
  return { type: "for", target, over, filter, recursive, body, otherwise, at };
}

function parseSet(parser: TemplateParser, at: number): Statement {
  const target = parser.target([]);
  if (parser.reader.skipOperator("=")) {
    const value = parser.expressions.tuple();
    parser.close();
    return { type: "set", target, value, at };
  }
  let filter: Expression | undefined;
  if (parser.reader.skipOperator("|"))
    filter = parser.expressions.filters(parser.expressions.filter(undefined));
  return { type: "set-block", target, filter, body: parser.bodyUntil("endset"), at };
}

function parseWith(parser: TemplateParser, at: number): Statement {
  const assignments: { target: Target; value: Expression }[] = [];
  while (parser.reader.token.type !== "close") {
    if (assignments.length > 0) parser.reader.expectOperator(",");
    const target = parser.target([]);
    parser.reader.expectOperator("=");
    assignments.push({ target, value: parser.expressions.expression() });
  }
  return { type: "with", assignments, body: parser.bodyUntil("endwith"), at };
}

function parseInclude(parser: TemplateParser, at: number): Statement {
  const template = parser.expressions.expression();
  const next = parser.reader.peek();
  const ignoreMissing = parser.reader.isName("ignore") && next.type === "name" && next.value === "missing";
  if (ignoreMissing) {
    parser.reader.next();
    parser.reader.next();
  }
  const withContext = parser.context(true);
  parser.close();
  return { type: "include", template, ignoreMissing, withContext, at };
}

function parseFromImport(parser: TemplateParser, at: number): Statement {
  const template = parser.expressions.expression();
  if (!parser.reader.skipName("import")) throw parser.reader.unexpected('"import"');
  const names: { name: string; as: string }[] = [];
  let withContext = false;
  while (parser.reader.token.type !== "close") {
    if (names.length > 0) parser.reader.expectOperator(",");
    const name = parser.reader.expectName();
    names.push({ name, as: parser.reader.skipName("as") ? parser.reader.expectName() : name });
    withContext = parser.context(withContext);
  }
  parser.close();
  return { type: "from-import", template, names, withContext, at };
}

function parseBlock(parser: TemplateParser, at: number): Statement {
  const name = parser.reader.expectName("the name of the block");
  while (parser.reader.isName("scoped", "required")) parser.reader.next();
  parser.close();
  const body = parser.statements(["endblock"]);
  parser.reader.expectName();
  if (parser.reader.token.type === "name") {
    const end = parser.reader.expectName();
    if (end !== name) throw new Fault(`"endblock ${end}" closes the block "${name}"`, at);
  }
  parser.close();
  if (parser.blocks.has(name)) throw new Fault(`the block "${name}" is defined twice`, at);
  parser.blocks.set(name, body);
  return { type: "block", name, body, at };
}

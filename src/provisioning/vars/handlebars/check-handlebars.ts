/** What is wrong with a Handlebars template whatever the variables are: its syntax, unknown helpers, partials. */
import { Fault } from "../expressions/value.ts";
import { helpers } from "./helpers.ts";
import { offsetOf, parse, unknownHelper } from "./render-handlebars.ts";

const blocks: ReadonlySet<string> = new Set(["if", "unless", "each", "with"]);

/** A fault's `at` is an offset into the text. */
export function checkHandlebars(text: string): Fault[] {
  try {
    const check = new Check(text);
    check.program(parse(text));
    return check.faults;
  } catch (error) {
    if (error instanceof Fault) return [error];
    throw error;
  }
}

class Check {
  readonly faults: Fault[] = [];
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }

  program(program: hbs.AST.Program | undefined): void {
    for (const statement of program?.body ?? []) this.#statement(statement);
  }

  #statement(statement: hbs.AST.Statement): void {
    switch (statement.type) {
      case "ContentStatement":
      case "CommentStatement":
        return;
      case "MustacheStatement":
        this.#call(statement as hbs.AST.MustacheStatement);
        return;
      case "BlockStatement":
        this.#block(statement as hbs.AST.BlockStatement);
        return;
      default:
        this.#note(new Fault("a template cannot have partials or decorators"), statement);
    }
  }

  #block(block: hbs.AST.BlockStatement): void {
    const { original } = block.path as hbs.AST.PathExpression;
    if (!blocks.has(original)) this.#note(unknownHelper(original), block);
    else if (block.params.length === 0) this.#note(new Fault(`{{#${original}}} wants a value`), block);
    for (const param of block.params) this.#value(param);
    this.program(block.program);
    this.program(block.inverse);
  }

  #call(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression): void {
    const { original } = node.path as hbs.AST.PathExpression;
    const isCall = node.params.length > 0 || node.hash !== undefined;
    if (isCall && !Object.hasOwn(helpers, original)) this.#note(unknownHelper(original), node.path);
    for (const param of node.params) this.#value(param);
    for (const { value } of node.hash?.pairs ?? []) this.#value(value);
  }

  #value(node: hbs.AST.Expression): void {
    if (node.type === "SubExpression") this.#call(node as hbs.AST.SubExpression);
  }

  #note(fault: Fault, { loc }: hbs.AST.Node): void {
    const placed = new Fault(fault.message, offsetOf(this.#text, loc.start.line, loc.start.column));
    placed.near = fault.near;
    this.faults.push(placed);
  }
}

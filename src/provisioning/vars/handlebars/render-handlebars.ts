/**
 * Handlebars templates (`.hbs`), the toolkit's own: parsed by the handlebars package, evaluated here.
 *
 * Nothing is escaped. A name that is unknown is an error with its place, unless `default` or `defined` asks for it; a
 * member that may be missing may also stand in `if` and `unless`. Only own data is reached, never a prototype, and a
 * variable is rendered when the template uses it. Partials and decorators do not exist.
 *
 * Helpers: if, unless, each, with, lookup as everywhere; default, defined, join, json, eq, ne, lt, lte, gt, gte, and,
 * or, not, add, subtract, multiply, length, lower, upper, replace, concat, indent.
 */
import { createRequire } from "node:module";
import { nearest } from "../../../base/nearest.ts";
import { limitText } from "../expressions/arithmetic.ts";
import { spend } from "../expressions/effort.ts";
import { attributeOf, itemOf } from "../expressions/members.ts";
import { str } from "../expressions/text.ts";
import {
  aTypeName,
  Fault,
  isList,
  isMapping,
  mappingEntries,
  Undefined,
  type Value,
} from "../expressions/value.ts";
import { helpers } from "./helpers.ts";

export interface HandlebarsRequest {
  readonly text: string;
  /** A variable by its name, rendered; undefined: there is none. */
  variable(name: string): Value | undefined;
  names(): Iterable<string>;
}

interface Level {
  /** Undefined at the top: there names are variables. */
  readonly self: Value | undefined;
  readonly outer: Level | undefined;
  readonly data: ReadonlyMap<string, Value>;
  readonly blockParams: ReadonlyMap<string, Value>;
}

/** A fault's `at` is an offset into the text. */
export function renderHandlebars(request: HandlebarsRequest): string {
  const program = parse(request.text);
  const top: Level = { self: undefined, outer: undefined, data: new Map(), blockParams: new Map() };
  return new Evaluation(request).program(program, top);
}

/** Loaded with the first template: 25 ms that most runs do not need. */
let loaded: typeof Handlebars | undefined;
const handlebars = (): typeof Handlebars => {
  loaded ??= createRequire(import.meta.url)("handlebars") as typeof Handlebars;
  return loaded;
};

/** Programs by text, as many as a site has templates. */
const parsed = new Map<string, hbs.AST.Program>();
const maxParsed = 500;

export function parse(text: string): hbs.AST.Program {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  try {
    const program = handlebars().parse(text);
    if (parsed.size >= maxParsed) parsed.clear();
    parsed.set(text, program);
    return program;
  } catch (error) {
    throw parseFault(text, error);
  }
}

/** The parser's messages hold a line number and a drawing with an arrow: both are read, the words are ours. */
function parseFault(text: string, error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  const [first = "", excerpt = "", arrow = "", wanted = ""] = message.split("\n");
  const place = /(?:on line |- )(\d+)(?::(\d+))?/.exec(first);
  if (!first.startsWith("Parse error")) {
    const at = place === null ? 0 : offsetOf(text, Number(place[1]), Number(place[2] ?? 0));
    return new Fault(first.replace(/ - \d+:\d+$/, ""), at);
  }
  const rest = excerpt.slice(arrow.length - 1);
  const from = offsetOf(text, Number(place?.[1] ?? 1), 0);
  const found = rest === "" ? text.length : text.indexOf(rest.slice(0, 10), Math.min(from, text.length));
  const got = /got '([^']*)'/.exec(wanted)?.[1] ?? "";
  if (got === "EOF" && wanted.includes("OPEN_ENDBLOCK"))
    return new Fault("a block is not closed", text.length);
  const what =
    got === "EOF"
      ? "the template ends within braces"
      : `this is not understood: ${tokenWords[got] ?? rest.slice(0, 10)}`;
  return new Fault(what, found < 0 ? from : found);
}
const tokenWords: Readonly<Record<string, string>> = {
  NUMBER: "a number (a list's item is written list.[0] among parameters)",
  INVALID: "a character that has no meaning here",
};
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split("\n").slice(0, Math.max(0, line - 1));
  return Math.min(text.length, lines.reduce((sum, one) => sum + one.length + 1, 0) + column);
}

export function unknownHelper(name: string): Fault {
  const fault = new Fault(`there is no helper "${name}"`);
  fault.near = nearest(name, [...Object.keys(helpers), "if", "unless", "each", "with"]);
  return fault;
}

class Evaluation {
  readonly #request: HandlebarsRequest;
  constructor(request: HandlebarsRequest) {
    this.#request = request;
  }

  program(program: hbs.AST.Program | undefined, level: Level): string {
    const text = (program?.body ?? []).map((statement) => this.#statement(statement, level)).join("");
    limitText(text.length);
    return text;
  }

  #statement(statement: hbs.AST.Statement, level: Level): string {
    switch (statement.type) {
      case "ContentStatement":
        return (statement as hbs.AST.ContentStatement).value;
      case "CommentStatement":
        return "";
      case "MustacheStatement":
        return this.#mustache(statement as hbs.AST.MustacheStatement, level);
      case "BlockStatement":
        return this.#located(statement, () => this.#block(statement as hbs.AST.BlockStatement, level));
      default:
        throw this.#at(new Fault("a template cannot have partials or decorators"), statement);
    }
  }

  #mustache(statement: hbs.AST.MustacheStatement, level: Level): string {
    return this.#located(statement.path, () => {
      const value = this.#call(statement, level);
      if (value instanceof Undefined) throw value.fault();
      if (isMapping(value))
        throw new Fault(`${aTypeName(value)} is no text: use {{json …}} or a member of it`);
      return printed(value);
    });
  }

  /** A path alone, or a helper with parameters. */
  #call(node: hbs.AST.MustacheStatement | hbs.AST.SubExpression, level: Level): Value {
    const path = node.path as hbs.AST.PathExpression | hbs.AST.Literal;
    if (path.type !== "PathExpression") return this.#value(path, level);
    const name = (path as hbs.AST.PathExpression).original;
    const helper = Object.hasOwn(helpers, name) ? helpers[name] : undefined;
    const bare = node.params.length === 0 && node.hash === undefined;
    if (helper === undefined || (bare && node.type === "MustacheStatement")) {
      if (bare) return this.#value(path, level);
      throw unknownHelper(name);
    }
    const read = helper.takesMissing === true ? this.#tolerant : this.#strict;
    const args = node.params.map((param) => read(param, level));
    const hash = new Map((node.hash?.pairs ?? []).map((pair) => [pair.key, this.#strict(pair.value, level)]));
    return helper.run(args, hash);
  }

  readonly #strict = (node: hbs.AST.Expression, level: Level): Value => {
    const value = this.#value(node, level);
    if (value instanceof Undefined) throw value.fault();
    return value;
  };
  readonly #tolerant = (node: hbs.AST.Expression, level: Level): Value => this.#value(node, level);

  #value(node: hbs.AST.Expression, level: Level): Value {
    switch (node.type) {
      case "PathExpression":
        return this.#located(node, () => this.#path(node as hbs.AST.PathExpression, level));
      case "SubExpression":
        return this.#located(node, () => this.#call(node as hbs.AST.SubExpression, level));
      case "StringLiteral":
      case "NumberLiteral":
      case "BooleanLiteral":
        return (node as hbs.AST.StringLiteral | hbs.AST.NumberLiteral | hbs.AST.BooleanLiteral).value;
      case "NullLiteral":
        return null;
      default:
        throw new Fault(`"${(node as { original?: string }).original ?? node.type}" is no value`);
    }
  }

  #path(path: hbs.AST.PathExpression, level: Level): Value {
    const parts = path.parts as string[];
    const at = this.#offset(path);
    const [first, ...rest] = parts;
    if (path.data)
      return this.#follow(
        this.#data(path, level),
        path.original.startsWith("@root") ? parts.slice(2) : rest,
        at,
      );
    let from: Level | undefined = level;
    for (let up = 0; up < path.depth; up++) from = from?.outer;
    if (from === undefined) throw new Fault(`"${path.original}" goes up further than the blocks are nested`);
    const scoped =
      path.depth === 0 && first !== undefined && !/^this\b/.test(path.original)
        ? blockParam(level, first)
        : undefined;
    if (scoped !== undefined) return this.#follow(scoped, rest, at);
    if (first === undefined) {
      if (from.self === undefined) throw new Fault('"this" means nothing outside of each and with');
      return from.self;
    }
    if (from.self !== undefined) return this.#follow(from.self, parts, at);
    return this.#follow(this.#top(first, at), rest, at);
  }

  #top(name: string, at: number): Value {
    const value = this.#request.variable(name);
    if (value !== undefined) return value;
    const near = nearest(name, this.#request.names());
    return new Undefined({ name, message: `"${name}" is undefined`, near, at });
  }

  #follow(start: Value, parts: readonly string[], at: number): Value {
    return parts.reduce<Value>(
      (value, part) =>
        isList(value) && /^\d+$/.test(part) ? itemOf(value, Number(part), at) : attributeOf(value, part, at),
      start,
    );
  }

  #data(path: hbs.AST.PathExpression, level: Level): Value {
    const [name = ""] = path.parts as string[];
    if (name === "root") return this.#top((path.parts as string[])[1] ?? "", this.#offset(path));
    let from: Level | undefined = level;
    for (let up = 0; up < path.depth; up++) from = outerData(from);
    for (; from !== undefined; from = from.outer) {
      const value = from.data.get(name);
      if (value !== undefined) return value;
    }
    return new Undefined({
      name: `@${name}`,
      message: `there is no "@${name}" here`,
      at: this.#offset(path),
    });
  }

  #block(block: hbs.AST.BlockStatement, level: Level): string {
    const { original } = block.path as hbs.AST.PathExpression;
    const [param] = block.params;
    switch (original) {
      case "if":
      case "unless": {
        const value = this.#parameter(param, original, level, true);
        return this.program(isTrue(value) === (original === "if") ? block.program : block.inverse, level);
      }
      case "each":
        return this.#each(block, this.#parameter(param, original, level, false), level);
      case "with": {
        const value = this.#parameter(param, original, level, false);
        if (!isTrue(value)) return this.program(block.inverse, level);
        return this.program(block.program, inner(level, { self: value, params: named(block, [value]) }));
      }
      default:
        throw unknownHelper(original);
    }
  }

  /** A variable must be there; a member of one may be missing where `missing` says so. */
  #parameter(param: hbs.AST.Expression | undefined, helper: string, level: Level, missing: boolean): Value {
    if (param === undefined) throw new Fault(`{{#${helper}}} wants a value`);
    const value = this.#value(param, level);
    if (!(value instanceof Undefined)) return value;
    const isMember = param.type === "PathExpression" && value.message.startsWith("there is no key");
    if (missing && isMember) return null;
    throw value.fault();
  }

  #each(block: hbs.AST.BlockStatement, over: Value, level: Level): string {
    const entries = entriesOf(over);
    spend(entries.length);
    if (entries.length === 0) return this.program(block.inverse, level);
    const pieces = entries.map(([key, value], index) => {
      const data = new Map<string, Value>([
        ["index", index],
        ["key", key],
        ["first", index === 0],
        ["last", index === entries.length - 1],
      ]);
      return this.program(
        block.program,
        inner(level, { self: value, data, params: named(block, [value, key]) }),
      );
    });
    const text = pieces.join("");
    limitText(text.length);
    return text;
  }

  #offset(node: hbs.AST.Node): number {
    return offsetOf(this.#request.text, node.loc.start.line, node.loc.start.column);
  }
  #at(fault: Fault, node: hbs.AST.Node): Fault {
    if (fault.at !== undefined || fault.located !== undefined) return fault;
    const located = new Fault(fault.message, this.#offset(node));
    located.undefinedName = fault.undefinedName;
    located.near = fault.near;
    return located;
  }
  #located<T>(node: hbs.AST.Node, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw error instanceof Fault ? this.#at(error, node) : error;
    }
  }
}

function inner(
  outer: Level,
  fields: { self: Value; data?: ReadonlyMap<string, Value>; params: ReadonlyMap<string, Value> },
): Level {
  return { self: fields.self, outer, data: fields.data ?? new Map(), blockParams: fields.params };
}
function blockParam(level: Level | undefined, name: string): Value | undefined {
  for (let from = level; from !== undefined; from = from.outer) {
    const value = from.blockParams.get(name);
    if (value !== undefined) return value;
  }
  return undefined;
}
/** `@../index`: the data of the block around the one that has data here. */
function outerData(level: Level | undefined): Level | undefined {
  let from = level;
  while (from !== undefined && from.data.size === 0) from = from.outer;
  return from?.outer;
}
/** `as |item index|` */
const named = (block: hbs.AST.BlockStatement, values: readonly Value[]): ReadonlyMap<string, Value> =>
  new Map((block.program.blockParams ?? []).map((name, index) => [name, values[index] ?? null]));

function entriesOf(over: Value): [Value, Value][] {
  if (over === null || over === false) return [];
  if (isList(over)) return over.map((item, index) => [index, item]);
  if (isMapping(over)) return mappingEntries(over);
  throw new Fault(`{{#each}} wants a list or a mapping, and ${aTypeName(over)} was given`);
}

/** Handlebars' own idea of truth: an empty list is false, an empty mapping is not. */
export const isTrue = (value: Value): boolean =>
  isList(value)
    ? value.length > 0
    : !(value === null || value === false || value === "" || value === 0 || value instanceof Undefined);

/** As configuration files write values: true, not True; nothing for null. */
export function printed(value: Value): string {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "true" : "false";
  return isList(value) ? value.map(printed).join(",") : str(value);
}

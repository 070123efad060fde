/**
 * What can be told of an expression without evaluating it: which variables it names, whether it may give another value
 * next time (rule R4), and whether every filter, test and lookup in it exists.
 */
import type { ProvisionError, Span } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { ScalarNode, SourceNode } from "../source/node.ts";
import type { Expression, Statement } from "./expressions/ast.ts";
import { filters, hasFilter, hasTest, tests } from "./expressions/builtins.ts";
import { compileExpression, compileFile, compileString, isTemplate } from "./expressions/compile.ts";
import { globalNames } from "./expressions/globals.ts";
import { locate, locateInFile } from "./expressions/locate.ts";
import { isPureLookup, lookups } from "./expressions/lookups.ts";
import { fileSyntax } from "./expressions/template-syntax.ts";
import { Fault } from "./expressions/value.ts";
import { type Visitor, walkExpression, walkStatements } from "./expressions/walk.ts";
import { checkHandlebars } from "./handlebars/check-handlebars.ts";
import { errorOf, withoutBraces } from "./render.ts";
import type { Scope } from "./variable.ts";

export interface NamesUsed {
  readonly names: ReadonlySet<string>;
  /** now(), random, pipe, a file, hostvars, vars[…]: what it gives does not follow from `names` alone. */
  readonly impure: boolean;
}

const impureFilters = new Set(["random", "shuffle", "fileglob", "realpath", "expandvars", "password_hash"]);
const impureTests = new Set([
  "file",
  "directory",
  "exists",
  "link",
  "link_exists",
  "is_file",
  "is_dir",
  "is_link",
]);

class Collector implements Visitor {
  readonly names = new Set<string>();
  impure = false;
  expression(node: Expression, bound: ReadonlySet<string>): void {
    if (node.type === "name") this.#name(node.name, bound);
    if (node.type === "filter" && impureFilters.has(node.name)) this.impure = true;
    if (node.type === "test" && impureTests.has(node.name)) this.impure = true;
    if (node.type === "call" && node.callee.type === "name")
      this.#call(node.callee.name, node.arguments.args[0]);
  }
  #name(name: string, bound: ReadonlySet<string>): void {
    if (bound.has(name)) return;
    if (name === "hostvars" || name === "vars") this.impure = true;
    this.names.add(name);
  }
  #call(name: string, first: Expression | undefined): void {
    if (name === "now") this.impure = true;
    if (name !== "lookup" && name !== "query" && name !== "q") return;
    const kind = first?.type === "constant" && typeof first.value === "string" ? first.value : undefined;
    if (kind === undefined || kind === "vars" || !isPureLookup(kind)) this.impure = true;
  }
  used(): NamesUsed {
    const names = new Set([...this.names].filter((name) => !globalNames.includes(name)));
    return { names, impure: this.impure };
  }
}

const usedByNode = new WeakMap<SourceNode, NamesUsed>();

/** Of the node itself; text that cannot be parsed uses nothing (rendering it will say why). */
export function namesUsed(node: SourceNode): NamesUsed {
  const known = usedByNode.get(node);
  if (known !== undefined) return known;
  const collector = new Collector();
  collect(node, collector);
  const used = collector.used();
  usedByNode.set(node, used);
  return used;
}

function collect(node: SourceNode, collector: Collector): void {
  if (node.kind === "list") for (const item of node.items) collect(item, collector);
  else if (node.kind === "map") for (const { value } of node.entries) collect(value, collector);
  else if (isRendered(node)) quietly(() => walkStatements(compileString(node.value).body, collector));
}
const isRendered = (node: ScalarNode): node is ScalarNode & { readonly value: string } =>
  typeof node.value === "string" && node.tag === undefined && isTemplate(node.value);

export function namesUsedInExpression(expression: string): NamesUsed {
  const collector = new Collector();
  quietly(() => walkExpression(compileExpression(withoutBraces(expression)), collector, new Set()));
  return collector.used();
}

function quietly(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
  }
}

/** The same with all variables that are reached through lazy variables of the scope. */
export function dependencies(start: SourceNode | NamesUsed, scope: Scope): NamesUsed {
  const first = "kind" in start ? namesUsed(start) : start;
  const names = new Set<string>();
  let { impure } = first;
  const queue = [...first.names];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (names.has(name)) continue;
    names.add(name);
    const variable = scope.lookup(name);
    if (variable?.kind !== "template") continue;
    const used = namesUsed(variable.node);
    impure ||= used.impure;
    queue.push(...used.names);
  }
  return { names, impure };
}

/** Finds what is wrong without values: syntax, and filters, tests and lookups that do not exist. */
class Checker implements Visitor {
  readonly faults: Fault[] = [];
  expression(node: Expression): void {
    if (node.type === "filter" && !hasFilter(node.name))
      this.#unknown("filter", node.name, Object.keys(filters), node.at);
    if (node.type === "test" && !hasTest(node.name))
      this.#unknown("test", node.name, Object.keys(tests), node.at);
    if (node.type !== "call" || node.callee.type !== "name" || !/^(?:lookup|query|q)$/.test(node.callee.name))
      return;
    const [first] = node.arguments.args;
    if (first?.type !== "constant" || typeof first.value !== "string") return;
    const name = first.value.replace(/^ansible\.(?:builtin|legacy)\./, "");
    if (!Object.hasOwn(lookups, name)) this.#unknown("lookup", name, Object.keys(lookups), first.at);
  }
  #unknown(what: string, name: string, names: readonly string[], at: number): void {
    const fault = new Fault(`there is no ${what} "${name}"`, at);
    fault.near = nearest(name, names);
    this.faults.push(fault);
  }
}

/** For --syntax-check: every string in the node. */
export function checkNode(node: SourceNode): ProvisionError[] {
  if (node.kind === "list") return node.items.flatMap(checkNode);
  if (node.kind === "map") return node.entries.flatMap(({ value }) => checkNode(value));
  if (!isRendered(node)) return [];
  return checked(
    () => compileString(node.value).body,
    (fault) => locate(node.span, node.value, fault.at),
    shown(node.value),
  );
}
export function checkCondition(expression: string | boolean, span: Span): ProvisionError[] {
  if (typeof expression === "boolean") return [];
  const text = withoutBraces(expression);
  const body = (): readonly Statement[] => [{ type: "output", expression: compileExpression(text), at: 0 }];
  return checked(body, (fault) => locate(span, expression, fault.at), shown(expression));
}
/** A .j2 or .hbs file. */
export function checkTemplateFile(file: string, text: string): ProvisionError[] {
  if (file.endsWith(".hbs")) {
    const faults = checkHandlebars(text);
    return faults.map((fault) => placedError(fault, locateInFile(file, text, fault.at), file));
  }
  let line = 1;
  let source = text;
  const body = (): readonly Statement[] => {
    const parsed = fileSyntax(text);
    ({ text: source, firstLine: line } = parsed);
    return compileFile(parsed.text, parsed.syntax).body;
  };
  const place = (fault: Fault): Span => {
    const span = locateInFile(file, source, fault.at);
    return { ...span, line: span.line + line - 1 };
  };
  return checked(body, place, file);
}

const shown = (text: string): string => `"${text.trim().replace(/\s+/g, " ").slice(0, 60)}"`;

function checked(
  parse: () => readonly Statement[],
  place: (fault: Fault) => Span,
  subject: string,
): ProvisionError[] {
  const checker = new Checker();
  try {
    walkStatements(parse(), checker);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    checker.faults.push(error);
  }
  return checker.faults.map((fault) => placedError(fault, place(fault), subject));
}

function placedError(fault: Fault, span: Span, subject: string): ProvisionError {
  fault.located = { span, subject: `read ${subject}` };
  return errorOf(fault, span);
}

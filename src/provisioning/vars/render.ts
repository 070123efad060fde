/**
 * Variables and expressions: this folder turns what YAML says into values.
 *
 * A Scope (made by engine/scopes.ts) lays the sources of variables over each other; it knows for each name the one
 * Variable that counts. `render` and its kin evaluate the Jinja in a node against a RenderContext (`expressions/`:
 * lexer and parser → tree → evaluator with Python's semantics; filters, tests and lookups in tables). A variable that
 * is a template is rendered when it is used; a value that came from a host is data and never rendered, however it
 * looks. `vault/` opens what is encrypted. Nothing here knows tasks, hosts' connections or modules.
 */
import { ProvisionError, type Span } from "../../base/errors.ts";
import type { JsonObject, JsonValue } from "../../base/json.ts";
import type { SourceNode } from "../source/node.ts";
import { truth } from "./expressions/compare.ts";
import { isTemplate } from "./expressions/compile.ts";
import { withinLimits } from "./expressions/effort.ts";
import { omitPlaceholder } from "./expressions/globals.ts";
import type { Syntax } from "./expressions/lexer.ts";
import { faultOf, Renderer } from "./expressions/renderer.ts";
import { templateFileSyntax } from "./expressions/template-syntax.ts";
import { str } from "./expressions/text.ts";
import { type Fault, toJson, type Value } from "./expressions/value.ts";
import { factHint } from "./fact-hint.ts";
import type { RenderContext } from "./render-context.ts";

export { omitPlaceholder };

/** A node with everything in it rendered. A string that is one expression alone keeps the expression's type. */
export const render = (node: SourceNode, context: RenderContext): JsonValue =>
  run(context, (renderer) => toJson(renderer.renderNode(node)), node.span);

/** A string of a playbook, or any text that stands at `span`. */
export const renderText = (text: string, span: Span, context: RenderContext): JsonValue =>
  isTemplate(text) ? run(context, (renderer) => toJson(renderer.renderString(text, span)), span) : text;

/** The same as text, for names and paths. */
export const renderToString = (node: SourceNode, context: RenderContext): string =>
  run(context, (renderer) => textOf(renderer.renderNode(node)), node.span);
const textOf = (value: Value): string => (value === null ? "" : str(value));

/** Bare Jinja without braces: `until`, `assert`'s `that`, `debug`'s `var`. */
export const evaluateExpression = (expression: string, span: Span, context: RenderContext): JsonValue =>
  run(context, (renderer) => toJson(bare(renderer, expression, span)), span);

/**
 * A condition. Words that mean yes or no count as what they mean, so that `-e flag=false` is false; other values by
 * Python's truth. A condition in braces is understood, though the braces are not needed.
 */
export const evaluateCondition = (
  expression: string | boolean,
  span: Span,
  context: RenderContext,
): boolean => {
  if (typeof expression === "boolean") return expression;
  return run(context, (renderer) => asCondition(bare(renderer, expression, span)), span);
};

/** Braces in a bare expression are a habit of old: whole as in "{{ x }}", around a part, also within a string. */
function bare(renderer: Renderer, expression: string, span: Span): Value {
  const text = expression.trim();
  if (!isTemplate(text)) return renderer.expression(expression, span);
  if (/^(?:\{%|\{\{(?:(?!\}\})[\s\S])*\}\}$)/.test(text)) return renderer.renderString(text, span);
  return renderer.expression(withoutBraces(text), span, `evaluate "${text.replace(/\s+/g, " ")}"`);
}

const quotedOrBrace = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"|\{\{|\}\}/g;
export function withoutBraces(expression: string): string {
  return expression.replace(quotedOrBrace, (part) => {
    if (part === "{{") return "( ";
    if (part === "}}") return " )";
    const quote = part.charAt(0);
    const joined = part.replace(
      /\{\{([\s\S]*?)\}\}/g,
      (_all, inner: string) => `${quote} ~ (${inner}) ~ ${quote}`,
    );
    return joined === part ? part : `(${joined})`;
  });
}

function asCondition(value: Value): boolean {
  if (typeof value !== "string") return truth(value);
  if (/^(?:false|no|off|n|f|0|)$/i.test(value.trim())) return false;
  return true;
}

export interface TemplateFileRequest {
  readonly text: string;
  /** Path as shown in messages; `include` looks beside it. */
  readonly file: string;
  readonly language: "hbs" | "j2";
  /** Names that only this template sees (`ansible_managed`, `template_path`, …). */
  readonly variables?: JsonObject;
  /** How a .j2 is read, where the task departs from the usual. */
  readonly syntax?: TemplateSyntax;
}
export interface TemplateSyntax {
  readonly blockStart?: string;
  readonly blockEnd?: string;
  readonly variableStart?: string;
  readonly variableEnd?: string;
  readonly commentStart?: string;
  readonly commentEnd?: string;
  readonly trimBlocks?: boolean;
  readonly lstripBlocks?: boolean;
  /** What ends each line of the result. Default: as in the template. */
  readonly newline?: "\n" | "\r" | "\r\n";
}

/** A template file, as the module `template` does it. */
export function renderTemplateFile(request: TemplateFileRequest, context: RenderContext): string {
  const span: Span = { file: request.file, line: 1, column: 1 };
  const variables = new Map<string, Value>(Object.entries(request.variables ?? {}));
  const { syntax } = request;
  const text = run(
    context,
    (renderer) => {
      if (request.language === "hbs") return renderer.renderHandlebars(request.file, request.text, variables);
      return renderer.renderFile(request.file, request.text, { variables, syntax: syntaxOf(syntax) });
    },
    span,
  );
  return syntax?.newline === undefined ? text : text.replace(/\r\n|\r|\n/g, syntax.newline);
}

function syntaxOf(given: TemplateSyntax | undefined): Syntax {
  const usual = templateFileSyntax;
  if (given === undefined) return usual;
  return {
    ...usual,
    trimBlocks: given.trimBlocks ?? usual.trimBlocks,
    lstripBlocks: given.lstripBlocks ?? usual.lstripBlocks,
    variable: [given.variableStart ?? usual.variable[0], given.variableEnd ?? usual.variable[1]],
    block: [given.blockStart ?? usual.block[0], given.blockEnd ?? usual.block[1]],
    comment: [given.commentStart ?? usual.comment[0], given.commentEnd ?? usual.comment[1]],
  };
}

/** Leaves out what rendered to `omit`: members of objects and items of lists, at every depth. */
export function dropOmitted(value: JsonValue): JsonValue | undefined {
  if (value === omitPlaceholder) return undefined;
  if (Array.isArray(value)) return value.map(dropOmitted).filter((item) => item !== undefined);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).flatMap(([key, member]) => {
    const left = dropOmitted(member);
    return left === undefined ? [] : [[key, left] as const];
  });
  return Object.fromEntries(kept);
}

/** Faults become errors with a place; everything else that is thrown is a defect and goes on. */
function run<T>(context: RenderContext, work: (renderer: Renderer) => T, span: Span): T {
  try {
    return withinLimits(() => work(new Renderer(context)));
  } catch (error) {
    const fault = faultOf(error);
    throw fault === undefined ? error : errorOf(fault, span);
  }
}

export function errorOf(fault: Fault, span: Span): ProvisionError {
  const through = fault.through.slice(1, 6).map((name) => `"${name}"`);
  return new ProvisionError({
    code: fault.undefinedName === undefined ? "bad-expression" : "undefined-variable",
    action: fault.located?.subject ?? "evaluate the expression",
    state: partsOf(fault.message).state,
    span: fault.located?.span ?? span,
    ...explained(fault, through),
    cause: fault,
  });
}
function explained(
  fault: Fault,
  through: readonly string[],
): { readonly why?: string | undefined; readonly fix?: string | undefined } {
  const why = through.length > 0 ? `it is needed by ${through.join(", by ")}` : undefined;
  const name = wrongName(fault);
  const fact = fault.undefinedName === undefined ? undefined : factHint(name);
  if (fact !== undefined) return { why: fact.why, fix: fact.fix };
  if (fault.near !== undefined) return { why, fix: `write "${fault.near}" instead of "${name}"` };
  const { fix } = partsOf(fault.message);
  if (fix !== undefined || fault.undefinedName === undefined) return { why, fix };
  if (fault.message.startsWith("the inventory has no host"))
    return { why, fix: `add a line "${name}" to the inventory, or mend the name` };
  if (fault.message !== `"${name}" is undefined`)
    return { why, fix: "if it may be missing: put | default(…) behind it" };
  if (name === "item")
    return { why: why ?? "a loop sets it, and this task has none", fix: 'add "loop: …" to the task' };
  return {
    why: why ?? "no inventory, no vars and no task before this one sets it on this host",
    fix: `-e ${name}=VALUE, or ${name} | default(VALUE)`,
  };
}

/** Some sentences end with what to type. */
function partsOf(message: string): { readonly state: string; readonly fix?: string } {
  const [, state, fix] = /^(.*)[:;] ((?:write|convert|if it is text, write) .*)$/s.exec(message) ?? [];
  return state === undefined || fix === undefined ? { state: message } : { state, fix };
}
const wrongName = (fault: Fault): string =>
  (fault.undefinedName ?? /"([^"]+)"/.exec(fault.message)?.[1] ?? "").replace(/^"|"$/g, "");

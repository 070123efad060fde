/** Parsed templates and expressions, kept by their text: a site renders the same strings for hundreds of hosts. */
import type { Expression, Template } from "./ast.ts";
import { parseJmespath } from "./jmespath/parser.ts";
import { ansibleSyntax, type Syntax } from "./lexer.ts";
import { parseExpressionText } from "./parse-expression.ts";
import { parseTemplateText } from "./parse-template.ts";
import { Fault, type Value } from "./value.ts";

/** Texts whose trees are kept; the oldest goes first. */
const maxCompiled = 20_000;

type Kept<T> =
  | { readonly made: T }
  | { readonly fault: { readonly message: string; readonly at: number | undefined } };

class TextCache<T> {
  readonly #kept = new Map<string, Kept<T>>();
  readonly #make: (text: string) => T;
  constructor(make: (text: string) => T) {
    this.#make = make;
  }
  get(text: string): T {
    let kept = this.#kept.get(text);
    if (kept === undefined) {
      kept = this.#attempt(text);
      if (this.#kept.size >= maxCompiled) this.#kept.delete(this.#kept.keys().next().value ?? "");
      this.#kept.set(text, kept);
    }
    if ("made" in kept) return kept.made;
    throw new Fault(kept.fault.message, kept.fault.at);
  }
  #attempt(text: string): Kept<T> {
    try {
      return { made: this.#make(text) };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return { fault: { message: error.message, at: error.at } };
    }
  }
}

const expressions = new TextCache<Expression>(parseExpressionText);
const queries = new TextCache<(data: Value) => Value>(parseJmespath);
const templates = new TextCache<Template>((text) => parseTemplateText(text, ansibleSyntax));

/** JMESPath, as json_query takes it. */
export const compileQuery = (text: string): ((data: Value) => Value) => queries.get(text);
export const compileExpression = (text: string): Expression => expressions.get(text);
/** A string of a playbook: one newline at its end is no part of it. */
export const compileString = (text: string): Template =>
  templates.get(text.endsWith("\n") ? text.slice(0, -1) : text);
/** A file, or the text of one with its own `#jinja2:` line or delimiters. */
export const compileFile = (text: string, syntax: Syntax): Template => parseTemplateText(text, syntax);

/** Whether a string holds anything to render. */
export const isTemplate = (text: string): boolean =>
  text.includes("{") && (text.includes("{{") || text.includes("{%") || text.includes("{#"));

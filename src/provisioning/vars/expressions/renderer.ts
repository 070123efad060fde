/**
 * One rendering: resolves names in a scope, renders lazy variables when they are used, and turns faults into errors
 * with a place. A Renderer lives for one call of the public functions in ../render.ts; what it computed of a variable
 * is kept with the Scope, unless it was impure.
 */
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import type { Span } from "../../../base/errors.ts";
import { nearest } from "../../../base/nearest.ts";
import type { MapNode, ScalarNode, SourceNode } from "../../source/node.ts";
import { renderHandlebars } from "../handlebars/render-handlebars.ts";
import type { RenderContext } from "../render-context.ts";
import type { Scope } from "../variable.ts";
import type { Expression, Template } from "./ast.ts";
import { callFilter, callTest, hasFilter, hasTest } from "./builtins.ts";
import { equals } from "./compare.ts";
import { compileExpression, compileFile, compileString, isTemplate } from "./compile.ts";
import { evaluate, type Frame } from "./evaluate.ts";
import { Locals, type Place, type TemplateFile } from "./frame.ts";
import { globalNames, globalValue } from "./globals.ts";
import { expressionLimits } from "./limits.ts";
import { locate, locateInFile } from "./locate.ts";
import { runTemplate, type TemplateHost } from "./run-template.ts";
import type { RenderFileOptions, Runtime } from "./runtime.ts";
import { fileSyntax } from "./template-syntax.ts";
import { str } from "./text.ts";
import { type CallArgs, Dict, Fault, Float, float, Undefined, type Value } from "./value.ts";

/** What all renderers of one call share, also those of other hosts. */
interface Shared {
  readonly calls: { depth: number };
  impure: boolean;
  /** Renderers of other hosts, by name: templates ask the same few again and again. */
  readonly hosts: Map<string, Renderer | undefined>;
  /** Lazy variables that are being rendered, outermost first. */
  readonly stack: { readonly node: SourceNode; readonly name: string }[];
}

const keptByScope = new WeakMap<Scope, Map<SourceNode, Value>>();

const lastNewlines = (text: string): number => /\n*$/.exec(text)?.[0].length ?? 0;
/** Jinja drops a template's last newline: a value that ends with one ends the file already. */
const withoutLastNewline = (text: string): string => text.replace(/\n$/, "");
/** Ansible gives it back where the file would end otherwise than its template does. */
const withLastNewlines = (text: string, template: string): string =>
  text + "\n".repeat(Math.max(0, lastNewlines(template) - lastNewlines(text)));

export class Renderer implements Runtime {
  readonly context: RenderContext;
  readonly #shared: Shared;
  readonly #kept: Map<SourceNode, Value>;

  constructor(context: RenderContext, shared?: Shared) {
    this.context = context;
    this.#shared = shared ?? { calls: { depth: 0 }, impure: false, hosts: new Map(), stack: [] };
    let kept = keptByScope.get(context.scope);
    if (kept === undefined) {
      kept = new Map();
      keptByScope.set(context.scope, kept);
    }
    this.#kept = kept;
  }

  /** The renderer of another host, under the same limits. */
  host(name: string): Renderer | undefined {
    const { hosts } = this.#shared;
    if (!hosts.has(name)) {
      const context = this.context.hosts?.context(name);
      // What must not happen here must not happen by way of another host's variables either.
      const { onImpure, allowCommands } = this.context;
      const made = context === undefined ? undefined : { ...context, onImpure, allowCommands };
      hosts.set(name, made === undefined ? undefined : new Renderer(made, this.#shared));
    }
    return hosts.get(name);
  }

  filter(name: string, input: Value, call: CallArgs): Value {
    return callFilter(input, { name, runtime: this, ...call });
  }
  test(name: string, input: Value, call: CallArgs): boolean {
    return callTest(input, { name, runtime: this, ...call });
  }
  hasFilter(name: string): boolean {
    return hasFilter(name);
  }
  hasTest(name: string): boolean {
    return hasTest(name);
  }
  markImpure(what = "a value that may change"): void {
    this.context.onImpure?.(what);
    this.#shared.impure = true;
  }
  random(): number {
    this.markImpure("random");
    return (this.context.random ?? Math.random)();
  }
  /** For secrets: never seeded, unless a test gives its own source. */
  secureRandom(): number {
    this.markImpure("random");
    return this.context.random?.() ?? randomInt(0, 2 ** 40) / 2 ** 40;
  }
  now(): number {
    this.markImpure("now()");
    return (this.context.now ?? Date.now)();
  }

  variable(name: string): Value | undefined {
    const found = this.context.scope.lookup(name);
    if (found === undefined) return undefined;
    return found.kind === "data" ? found.value : this.#lazy(name, found.node);
  }

  /** A variable's template, or a member of one, rendered once. An undefined name in it makes it undefined itself. */
  #lazy(name: string, node: SourceNode): Value {
    if (isPlain(node)) return node.float === true ? float(Number(node.value)) : node.value;
    const kept = this.#kept.get(node);
    if (kept !== undefined) return kept;
    const { stack } = this.#shared;
    if (stack.some((entry) => entry.node === node)) throw new Fault(cycleMessage(stack, name));
    if (stack.length >= expressionLimits.callDepth)
      throw new Fault(`variables refer to each other more than ${expressionLimits.callDepth} deep`);
    stack.push({ node, name });
    const impureBefore = this.#shared.impure;
    this.#shared.impure = false;
    try {
      const value = this.renderNode(node, name);
      if (!this.#shared.impure) this.#kept.set(node, value);
      return value;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      error.through.push(name);
      if (error.undefinedName === undefined) throw error;
      return new Undefined({ name, message: error.message, at: 0, cause: error });
    } finally {
      stack.pop();
      this.#shared.impure ||= impureBefore;
    }
  }

  /** `subject` names what is rendered in messages. */
  renderNode(node: SourceNode, subject?: string): Value {
    if (node.kind === "list") return node.items.map((item) => this.renderNode(item, subject));
    if (node.kind === "map") return this.#renderMap(node, subject);
    return this.#renderScalar(node, subject);
  }

  #renderMap(node: MapNode, subject: string | undefined): Value {
    const dict = new Dict();
    for (const { key, value } of node.entries) dict.set(key.value, this.renderNode(value, subject));
    return dict;
  }

  #renderScalar(node: ScalarNode, subject: string | undefined): Value {
    const { value, tag } = node;
    if (typeof value === "number" && node.float === true) return float(value);
    if (typeof value !== "string" || tag === "!unsafe") return value;
    if (tag === "!vault") return this.openVault(value, node.span);
    return isTemplate(value) ? this.renderString(value, node.span, subject) : value;
  }

  openVault(ciphertext: string, span: Span): string {
    const { openVault } = this.context;
    if (openVault !== undefined) return openVault(ciphertext, span);
    const fault = new Fault("the value is encrypted, and no vault password was given");
    fault.located = { span, subject: "open a vault value" };
    throw fault;
  }

  /** A string of a playbook: one expression alone keeps its type, anything else is text. */
  renderString(text: string, span: Span, subject?: string, locals = new Locals()): Value {
    const place: Place = { text, at: 0 };
    return this.#located({ place, span, subject: subjectOf(text, subject) }, () => {
      const template = compileString(text);
      const value = runTemplate(template, this.#frame(locals, place), this.#host(undefined)).value();
      if (typeof value === "string") {
        // "{% if a %}True{% else %}False{% endif %}" means a truth value, as in Ansible.
        if (/^(?:True|False)$/.test(value) && !isExpressionAlone(template)) return value === "True";
        return keepNewlines(text, value);
      }
      // A newline behind the braces makes text of a number ("{{ 1 }}\n"); a list or mapping keeps its type, as in Ansible.
      const isScalar = typeof value !== "object" || value === null || value instanceof Float;
      return isScalar && text.endsWith("\n") ? keepNewlines(text, value === null ? "" : str(value)) : value;
    });
  }

  expression(text: string, span: Span, subject?: string): Value {
    const place: Place = { text, at: 0 };
    return this.#located({ place, span, subject: subject ?? `evaluate ${shown(text)}` }, () => {
      const value = evaluate(compileExpression(text), this.#frame(new Locals(), place));
      if (value instanceof Undefined) throw value.fault();
      return value;
    });
  }

  renderFile(file: string, text: string, options: RenderFileOptions = {}): string {
    const parsed = fileSyntax(text, options.syntax);
    const place: Place = { text: parsed.text, at: 0 };
    const template = { file, text: parsed.text, syntax: parsed.syntax };
    const locals = new Locals();
    for (const [name, value] of options.variables ?? []) locals.set(name, value);
    const rendered = this.#locatedInFile(place, template, parsed.firstLine, () =>
      runTemplate(
        compileFile(withoutLastNewline(parsed.text), parsed.syntax),
        this.#frame(locals, place),
        this.#host(template),
      ).text(),
    );
    return withLastNewlines(rendered, parsed.text);
  }

  renderHandlebars(file: string, text: string, variables: ReadonlyMap<string, Value>): string {
    const place: Place = { text, at: 0 };
    const { scope } = this.context;
    return this.#locatedInFile(place, { file, text }, 1, () =>
      renderHandlebars({
        text,
        variable: (name) => (variables.has(name) ? variables.get(name) : this.variable(name)),
        names: () => scope.names(),
      }),
    );
  }

  #located<T>(where: { place: Place; span: Span; subject: string }, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      fault.located ??= {
        span: locate(where.span, where.place.text, fault.at ?? where.place.at),
        subject: where.subject,
      };
      throw fault;
    }
  }

  #locatedInFile<T>(place: Place, template: TemplateFile, firstLine: number, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const fault = faultOf(error);
      if (fault === undefined) throw error;
      const span = locateInFile(template.file, template.text, fault.at ?? place.at);
      fault.located ??= {
        span: { ...span, line: span.line + firstLine - 1 },
        subject: `render ${template.file}`,
      };
      throw fault;
    }
  }

  #frame(locals: Locals, place: Place): Frame {
    return {
      runtime: this,
      locals,
      place,
      name: (name, at) => this.#name(name, at),
      member: (node, frame) => this.#member(node, frame),
    };
  }

  #name(name: string, at: number): Value {
    const value = this.variable(name);
    if (value !== undefined) return value;
    const general = globalValue(name, this);
    if (general !== undefined) return general;
    const near = name.length > 2 ? nearest(name, this.#allNames()) : undefined;
    return new Undefined({ name, message: `"${name}" is undefined`, near, at });
  }
  *#allNames(): Iterable<string> {
    yield* this.context.scope.names();
    yield* globalNames;
  }

  /** Walks `a.b[c]` through the source of a variable, so that only the member is rendered. */
  #member(node: Expression, frame: Frame): Value | undefined {
    const found = this.#source(node, frame);
    return found === undefined ? undefined : this.#lazy(found.name, found.node);
  }

  #source(node: Expression, frame: Frame): { readonly node: SourceNode; readonly name: string } | undefined {
    if (node.type === "name") {
      if (frame.locals.get(node.name) !== undefined) return undefined;
      const variable = this.context.scope.lookup(node.name);
      return variable?.kind === "template" ? { node: variable.node, name: node.name } : undefined;
    }
    if (node.type !== "attribute" && node.type !== "item") return undefined;
    const outer = this.#source(node.object, frame);
    if (outer === undefined || outer.node.kind === "scalar") return undefined;
    const key = node.type === "attribute" ? node.name : evaluate(node.key, frame);
    const child = childOf(outer.node, key);
    return child === undefined ? undefined : { node: child, name: `${outer.name}.${String(key)}` };
  }

  /** Where `include`, `import` and `extends` look: beside the template, then along the search path. */
  #host(from: TemplateFile | undefined): TemplateHost {
    return {
      calls: this.#shared.calls,
      load: (names) => {
        for (const name of names) {
          const loaded = this.#loadTemplate(name, from);
          if (loaded !== undefined) return loaded;
        }
        return undefined;
      },
    };
  }

  #loadTemplate(
    name: string,
    from: TemplateFile | undefined,
  ): { template: Template; enter: (locals: Locals) => Frame } | undefined {
    const beside = from === undefined ? [] : [dirname(from.file)];
    const folders = [
      ...beside,
      ...this.context.searchPath.flatMap((folder) => [join(folder, "templates"), folder]),
    ];
    const candidates = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
    for (const file of candidates) {
      const text = readIfThere(file);
      if (text === undefined) continue;
      const parsed = fileSyntax(text, from?.syntax);
      const place: Place = { text: parsed.text, at: 0 };
      const template = { file, text: parsed.text };
      const compiled = this.#locatedInFile(place, template, parsed.firstLine, () =>
        compileFile(withoutLastNewline(parsed.text), parsed.syntax),
      );
      return { template: compiled, enter: (locals) => this.#frame(locals, place) };
    }
    return undefined;
  }
}

const isExpressionAlone = ({ body }: Template): boolean => body.length === 1 && body[0]?.type === "output";

const isPlain = (node: SourceNode): node is ScalarNode =>
  node.kind === "scalar" &&
  node.tag === undefined &&
  (typeof node.value !== "string" || !isTemplate(node.value));

function childOf(node: SourceNode, key: Value): SourceNode | undefined {
  if (node.kind === "map") {
    // The last of two equal keys counts, as in YAML readers that let them pass.
    return node.entries.findLast((entry) => !(key instanceof Undefined) && equals(entry.key.value, key))
      ?.value;
  }
  if (node.kind !== "list" || typeof key !== "number") return undefined;
  return node.items[key < 0 ? node.items.length + key : key];
}

function cycleMessage(stack: Shared["stack"], name: string): string {
  const names = stack.map((entry) => entry.name);
  const from = names.indexOf(name);
  return `the variable refers to itself: ${[...names.slice(Math.max(0, from)), name].join(" → ")}: write another name for one of them`;
}

/** Jinja drops one newline at the end; a string of a playbook keeps all of its own. */
function keepNewlines(source: string, text: string): string {
  const wanted = /\n*$/.exec(source)?.[0].length ?? 0;
  const has = /\n*$/.exec(text)?.[0].length ?? 0;
  return has < wanted ? text + "\n".repeat(wanted - has) : text;
}

const subjectOf = (text: string, subject: string | undefined): string =>
  subject === undefined ? `render ${shown(text)}` : `render the variable "${subject}"`;
const shown = (text: string): string => {
  const line = text.trim().replace(/\s+/g, " ");
  return `"${line.length > 60 ? `${line.slice(0, 59)}…` : line}"`;
};

/** Faults, and what a runaway nesting throws. */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  if (error instanceof RangeError && /call stack/.test(error.message))
    return new Fault("the value is nested too deeply");
  if (error instanceof RangeError && /^Invalid (?:string|array) length|toString/.test(error.message))
    return new Fault("the value is too large");
  return undefined;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw new Fault(`${basename(file)} cannot be read: ${code}`);
  }
}

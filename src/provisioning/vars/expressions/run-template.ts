/** Runs the statements of a template. What is put out is kept in pieces: one piece alone keeps its type. */
import { limitText } from "./arithmetic.ts";
import type { MacroDefinition, Statement, Target, Template } from "./ast.ts";
import { spend } from "./effort.ts";
import { applyFilter, evaluate, evaluateArguments, type Frame, truthAt } from "./evaluate.ts";
import type { Locals } from "./frame.ts";
import { expressionLimits } from "./limits.ts";
import { Loop, Namespace, TemplateModule } from "./loop.ts";
import { bindParameters, Macro } from "./macro.ts";
import { iterate } from "./members.ts";
import { str } from "./text.ts";
import { aTypeName, blankText, Fault, isList, PyObject, Undefined, type Value } from "./value.ts";

/** What a template needs beyond its frame: other files, and who goes on below. */
export interface TemplateHost {
  /** Parses the file that `include`, `import` or `extends` names. Undefined: there is no such file. */
  load(
    names: readonly string[],
  ): { readonly template: Template; readonly enter: (locals: Locals) => Frame } | undefined;
  readonly calls: { depth: number };
}

export class Output {
  readonly pieces: Value[] = [];
  #chars = 0;
  push(value: Value): void {
    if (value instanceof Undefined) {
      blankText(value);
      return;
    }
    if (typeof value === "string") {
      if (value === "") return;
      this.#chars += value.length;
      limitText(this.#chars);
    }
    this.pieces.push(value);
  }
  text(): string {
    const text = this.pieces.map((piece) => (piece === null ? "" : str(piece))).join("");
    limitText(text.length);
    return text;
  }
  /** One piece alone as it is, several as text; what prints as nothing is none. */
  value(): Value {
    const [first = null, second] = this.pieces.length > 1 ? this.pieces.filter(isSeen) : this.pieces;
    return second === undefined && this.pieces.length > 0 ? first : this.text();
  }
}

/** A call of a macro against a round of a loop. */
const callCost = 10;

const isSeen = (piece: Value): boolean => piece !== null;

type Signal = "break" | "continue" | undefined;
interface Blocks {
  /** The bodies of a block, the most derived first. */
  readonly bodies: Map<string, { readonly body: readonly Statement[]; readonly frame: Frame }[]>;
}

export function runTemplate(template: Template, frame: Frame, host: TemplateHost, blocks?: Blocks): Output {
  const output = new Output();
  new Runner(frame, host, output, registerBlocks(template, frame, blocks)).template(template);
  return output;
}

function registerBlocks(template: Template, frame: Frame, known: Blocks | undefined): Blocks {
  const blocks = known ?? { bodies: new Map() };
  for (const [name, body] of template.blocks) {
    const bodies = blocks.bodies.get(name) ?? [];
    bodies.push({ body, frame });
    blocks.bodies.set(name, bodies);
  }
  return blocks;
}

class Runner {
  readonly #frame: Frame;
  readonly #host: TemplateHost;
  readonly #output: Output;
  readonly #blocks: Blocks;
  readonly #loopDepth: number;
  constructor(frame: Frame, host: TemplateHost, output: Output, blocks: Blocks, loopDepth = 0) {
    this.#frame = frame;
    this.#host = host;
    this.#output = output;
    this.#blocks = blocks;
    this.#loopDepth = loopDepth;
  }

  template(template: Template): void {
    const extending = template.body.find((statement) => statement.type === "extends");
    if (extending === undefined) {
      this.run(template.body);
      return;
    }
    // Of a template that extends another only definitions count; its text is not shown.
    this.#into(new Output()).run(
      template.body.filter(({ type }) => type !== "text" && type !== "output" && type !== "block"),
    );
    const loaded = this.#load(extending.template);
    const frame = loaded.enter(this.#frame.locals);
    const blocks = registerBlocks(loaded.template, frame, this.#blocks);
    new Runner(frame, this.#host, this.#output, blocks).template(loaded.template);
  }

  run(statements: readonly Statement[]): Signal {
    for (const statement of statements) {
      const signal = this.#statement(statement);
      if (signal !== undefined) return signal;
    }
    return undefined;
  }

  #into(output: Output, locals?: Locals, loopDepth = this.#loopDepth): Runner {
    const frame = locals === undefined ? this.#frame : { ...this.#frame, locals };
    return new Runner(frame, this.#host, output, this.#blocks, loopDepth);
  }
  #captured(body: readonly Statement[], locals: Locals): string {
    const output = new Output();
    this.#into(output, locals).run(body);
    return output.text();
  }

  #statement(statement: Statement): Signal {
    const frame = this.#frame;
    switch (statement.type) {
      case "text":
        this.#output.push(statement.text);
        return undefined;
      case "output": {
        const value = evaluate(statement.expression, frame);
        frame.place.at = statement.expression.at;
        this.#output.push(value);
        return undefined;
      }
      case "if": {
        const branch = statement.branches.find(({ test }) => truthAt(evaluate(test, frame), test.at, frame));
        return this.run(branch === undefined ? statement.otherwise : branch.body);
      }
      case "for":
        this.#for(statement, evaluate(statement.over, frame), this.#loopDepth + 1);
        return undefined;
      case "break":
      case "continue":
        return statement.type;
      case "do":
        evaluate(statement.expression, frame);
        return undefined;
      case "set":
        this.#assign(statement.target, evaluate(statement.value, frame));
        return undefined;
      default:
        return this.#blockStatement(statement);
    }
  }

  #blockStatement(
    statement: Exclude<
      Statement,
      { type: "text" | "output" | "if" | "for" | "break" | "continue" | "do" | "set" }
    >,
  ): Signal {
    const frame = this.#frame;
    switch (statement.type) {
      case "set-block": {
        const text = this.#captured(statement.body, frame.locals.inner());
        this.#assign(statement.target, this.#filtered(statement.filter, text));
        return undefined;
      }
      case "filter-block": {
        const text = this.#captured(statement.body, frame.locals.inner());
        this.#output.push(this.#filtered(statement.filter, text));
        return undefined;
      }
      case "with": {
        const locals = frame.locals.inner();
        const inside = this.#into(this.#output, locals);
        for (const { target, value } of statement.assignments) inside.#assign(target, evaluate(value, frame));
        return inside.run(statement.body);
      }
      case "scope":
        return this.#into(this.#output, frame.locals.inner()).run(statement.body);
      case "macro":
        frame.locals.set(statement.macro.name, this.#macro(statement.macro));
        return undefined;
      case "call-block":
        this.#callBlock(statement);
        return undefined;
      case "block":
        this.#block(statement.name, 0);
        return undefined;
      default:
        this.#otherFile(statement);
        return undefined;
    }
  }

  #filtered(filter: Extract<Statement, { type: "filter-block" }>["filter"] | undefined, text: string): Value {
    if (filter === undefined) return text;
    if (filter.type !== "filter") return evaluate(filter, this.#frame);
    const input = filter.input === undefined ? text : this.#filtered(filter.input, text);
    return applyFilter(filter, input, this.#frame);
  }

  #assign(target: Target, value: Value): void {
    const { locals, place } = this.#frame;
    if (target.type === "name") {
      locals.set(target.name, value);
      return;
    }
    place.at = target.at;
    if (target.type === "member") {
      const object = evaluate({ type: "name", name: target.name, at: target.at }, this.#frame);
      if (!(object instanceof Namespace))
        throw new Fault(
          `"set ${target.name}.${target.member}" is for a namespace(), not for ${aTypeName(object)}`,
        );
      object.set(target.member, value);
      return;
    }
    const items = iterate(value);
    if (items.length !== target.items.length)
      throw new Fault(`${target.items.length} names are assigned ${items.length} values`);
    for (const [index, part] of target.items.entries()) this.#assign(part, items[index] ?? null);
  }

  #for(statement: Extract<Statement, { type: "for" }>, over: Value, depth: number): void {
    const frame = this.#frame;
    frame.place.at = statement.over.at;
    let items = iterate(over);
    if (statement.filter !== undefined) {
      const test = statement.filter;
      items = items.filter((item) => {
        const inside = this.#into(this.#output, frame.locals.inner());
        inside.#assign(statement.target, item);
        return truthAt(evaluate(test, inside.#frame), test.at, frame);
      });
    }
    spend(items.length);
    const again = statement.recursive ? (more: Value) => this.#recursive(statement, more, depth) : undefined;
    const loop = new Loop(items, depth, again);
    for (const [index, item] of items.entries()) {
      loop.index = index;
      const inside = this.#into(this.#output, frame.locals.inner(), depth);
      inside.#frame.locals.set("loop", loop);
      inside.#assign(statement.target, item);
      if (inside.run(statement.body) === "break") break;
    }
    if (items.length === 0) this.run(statement.otherwise);
  }

  #recursive(statement: Extract<Statement, { type: "for" }>, items: Value, depth: number): Value {
    return this.#deeper("loop", () => {
      const output = new Output();
      this.#into(output).#for(statement, items, depth + 1);
      return output.text();
    });
  }

  #deeper<T>(name: string, work: () => T): T {
    const { calls } = this.#host;
    if (calls.depth >= expressionLimits.callDepth)
      throw new Fault(`"${name}" calls itself more than ${expressionLimits.callDepth} times`);
    spend(callCost);
    calls.depth++;
    try {
      return work();
    } finally {
      calls.depth--;
    }
  }

  #macro(definition: MacroDefinition): Macro {
    return new Macro(definition.name, (given) =>
      this.#deeper(definition.name, () => {
        const locals = this.#frame.locals.inner();
        bindParameters({ definition, given, locals, frame: this.#frame });
        return this.#captured(definition.body, locals);
      }),
    );
  }

  #callBlock(statement: Extract<Statement, { type: "call-block" }>): void {
    const { call } = statement;
    if (call.type !== "call") throw new Fault("a call of a macro is wanted", call.at);
    const callee = evaluate(call.callee, this.#frame);
    const given = evaluateArguments(call.arguments, this.#frame);
    this.#frame.place.at = call.at;
    if (callee instanceof Undefined) throw callee.fault();
    if (!(callee instanceof PyObject)) throw new Fault(`${aTypeName(callee)} is no macro`);
    const kwargs = new Map(given.kwargs).set("caller", this.#macro(statement.caller));
    this.#output.push(callee.call({ args: given.args, kwargs }));
  }

  #block(name: string, level: number): void {
    const found = this.#blocks.bodies.get(name)?.[level];
    if (found === undefined) return;
    const locals = found.frame.locals.inner();
    for (const [key, value] of this.#frame.locals.own()) locals.set(key, value);
    locals.set(
      "super",
      new Macro("super", () => {
        const output = new Output();
        this.#into(output).#block(name, level + 1);
        return output.text();
      }),
    );
    new Runner({ ...found.frame, locals }, this.#host, this.#output, this.#blocks).run(found.body);
  }

  #otherFile(
    statement: Extract<Statement, { type: "include" | "import" | "from-import" | "extends" }>,
  ): void {
    if (statement.type === "extends") return;
    if (statement.type === "include") {
      const loaded = this.#find(statement.template);
      if (loaded === undefined) {
        if (statement.ignoreMissing) return;
        throw this.#missingTemplate(statement.template);
      }
      this.#deeper("include", () => {
        const frame = loaded.enter(this.#frame.locals.inner());
        for (const piece of runTemplate(loaded.template, frame, this.#host).pieces) this.#output.push(piece);
      });
      return;
    }
    const module = this.#deeper("import", () => this.#module(statement.template));
    if (statement.type === "import") {
      this.#frame.locals.set(statement.as, module);
      return;
    }
    for (const { name, as } of statement.names) {
      const member = module.attribute(name);
      this.#frame.place.at = statement.at;
      if (member === undefined) throw new Fault(`the template does not define "${name}"`);
      this.#frame.locals.set(as, member);
    }
  }

  #module(template: Extract<Statement, { type: "import" }>["template"]): TemplateModule {
    const loaded = this.#load(template);
    const frame = loaded.enter(this.#frame.locals.inner());
    runTemplate(loaded.template, frame, this.#host);
    return new TemplateModule(frame.locals.own());
  }

  #find(template: Extract<Statement, { type: "extends" }>["template"]): ReturnType<TemplateHost["load"]> {
    const value = evaluate(template, this.#frame);
    this.#frame.place.at = template.at;
    return this.#host.load(isList(value) ? value.map(str) : [str(value)]);
  }
  #load(
    template: Extract<Statement, { type: "extends" }>["template"],
  ): NonNullable<ReturnType<TemplateHost["load"]>> {
    const loaded = this.#find(template);
    if (loaded === undefined) throw this.#missingTemplate(template);
    return loaded;
  }
  #missingTemplate(template: Extract<Statement, { type: "extends" }>["template"]): Fault {
    return new Fault(`there is no template ${str(evaluate(template, this.#frame))}`, template.at);
  }
}

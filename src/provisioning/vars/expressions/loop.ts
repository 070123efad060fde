/** Objects that templates talk to: loop, namespace, cycler, joiner, macros, imported modules. */
import { equals } from "./compare.ts";
import { parameters, type Runtime } from "./runtime.ts";
import { str } from "./text.ts";
import {
  type CallArgs,
  Fault,
  isMapping,
  mappingEntries,
  PyObject,
  tuple,
  Undefined,
  type Value,
} from "./value.ts";

export class Loop extends PyObject {
  override readonly typeName = "LoopContext";
  index = 0;
  readonly #items: readonly Value[];
  readonly #depth: number;
  readonly #again: ((items: Value) => Value) | undefined;
  #last: readonly Value[] | undefined;
  constructor(items: readonly Value[], depth: number, again: ((items: Value) => Value) | undefined) {
    super();
    this.#items = items;
    this.#depth = depth;
    this.#again = again;
  }
  override attribute(name: string): Value | undefined {
    const { index } = this;
    const { length } = this.#items;
    const values: Readonly<Record<string, () => Value>> = {
      index: () => index + 1,
      index0: () => index,
      revindex: () => length - index,
      revindex0: () => length - index - 1,
      first: () => index === 0,
      last: () => index === length - 1,
      length: () => length,
      depth: () => this.#depth,
      depth0: () => this.#depth - 1,
      previtem: () => this.#neighbour(index - 1, "previtem"),
      nextitem: () => this.#neighbour(index + 1, "nextitem"),
    };
    return Object.hasOwn(values, name) ? values[name]?.() : undefined;
  }
  #neighbour(index: number, name: string): Value {
    const item = this.#items[index];
    if (item !== undefined) return item;
    return new Undefined({ name: `loop.${name}`, message: `there is no loop.${name} here`, at: 0 });
  }
  override method(name: string, given: CallArgs): Value | undefined {
    if (name === "cycle") {
      if (given.args.length === 0) throw new Fault("loop.cycle() wants values");
      return given.args[this.index % given.args.length] ?? null;
    }
    if (name === "changed") {
      const before = this.#last;
      this.#last = given.args;
      return before === undefined || !equals(tuple(...before), tuple(...given.args));
    }
    return undefined;
  }
  override call(given: CallArgs): Value {
    if (this.#again === undefined) throw new Fault('loop() is for loops that are marked "recursive"');
    return this.#again(given.args[0] ?? null);
  }
  override text(): string {
    return `<LoopContext ${this.index + 1}/${this.#items.length}>`;
  }
}

export class Namespace extends PyObject {
  override readonly typeName = "Namespace";
  readonly #members = new Map<string, Value>();
  constructor(given: CallArgs) {
    super();
    for (const source of given.args)
      if (isMapping(source))
        for (const [key, value] of mappingEntries(source)) this.#members.set(str(key), value);
    for (const [key, value] of given.kwargs) this.#members.set(key, value);
  }
  override attribute(name: string): Value | undefined {
    return this.#members.get(name);
  }
  set(name: string, value: Value): void {
    this.#members.set(name, value);
  }
  override text(): string {
    const members = [...this.#members].map(([key, value]) => `${key}=${str(value)}`);
    return `<Namespace ${members.join(", ")}>`;
  }
}

export class Cycler extends PyObject {
  override readonly typeName = "Cycler";
  readonly #items: readonly Value[];
  #position = 0;
  constructor(items: readonly Value[]) {
    super();
    if (items.length === 0) throw new Fault("cycler() wants values");
    this.#items = items;
  }
  override attribute(name: string): Value | undefined {
    return name === "current" ? (this.#items[this.#position] ?? null) : undefined;
  }
  override method(name: string): Value | undefined {
    const current = this.#items[this.#position] ?? null;
    if (name === "next") this.#position = (this.#position + 1) % this.#items.length;
    else if (name === "reset") this.#position = 0;
    else return undefined;
    return name === "next" ? current : null;
  }
}

export class Joiner extends PyObject {
  override readonly typeName = "Joiner";
  readonly #separator: string;
  #used = false;
  constructor(separator: string) {
    super();
    this.#separator = separator;
  }
  override call(): Value {
    const text = this.#used ? this.#separator : "";
    this.#used = true;
    return text;
  }
}

/** A function of the template language itself. */
export class NativeFunction extends PyObject {
  override readonly typeName = "function";
  readonly #name: string;
  readonly #runtime: Runtime;
  readonly #names: readonly string[] | undefined;
  readonly #work: (args: readonly (Value | undefined)[], given: CallArgs) => Value;
  /** Without `names` the arguments are handed on as they are. */
  constructor(fields: {
    name: string;
    runtime: Runtime;
    names?: readonly string[];
    work: (args: readonly (Value | undefined)[], given: CallArgs) => Value;
  }) {
    super();
    this.#name = fields.name;
    this.#runtime = fields.runtime;
    this.#names = fields.names;
    this.#work = fields.work;
  }
  override call(given: CallArgs): Value {
    const call = { name: this.#name, runtime: this.#runtime, ...given };
    const args = this.#names === undefined ? given.args : parameters(call, this.#names);
    return this.#work(args, given);
  }
}

/** What `import` gives: the macros and names that a template file sets at its top. */
export class TemplateModule extends PyObject {
  override readonly typeName = "TemplateModule";
  readonly #members: ReadonlyMap<string, Value>;
  constructor(members: ReadonlyMap<string, Value>) {
    super();
    this.#members = members;
  }
  override attribute(name: string): Value | undefined {
    return name.startsWith("_") ? undefined : this.#members.get(name);
  }
}

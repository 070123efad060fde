/** Macros as values, and how a call binds their parameters. */
import type { MacroDefinition } from "./ast.ts";
import { evaluate, type Frame } from "./evaluate.ts";
import type { Locals } from "./frame.ts";
import { type CallArgs, Dict, Fault, PyObject, tuple, Undefined, type Value } from "./value.ts";

export class Macro extends PyObject {
  override readonly typeName = "Macro";
  readonly #name: string;
  readonly #work: (given: CallArgs) => Value;
  constructor(name: string, work: (given: CallArgs) => Value) {
    super();
    this.#name = name;
    this.#work = work;
  }
  override attribute(name: string): Value | undefined {
    return name === "name" ? this.#name : undefined;
  }
  override call(given: CallArgs): Value {
    return this.#work(given);
  }
  override text(): string {
    return `<Macro '${this.#name}'>`;
  }
}

export function bindParameters(options: {
  readonly definition: MacroDefinition;
  readonly given: CallArgs;
  readonly locals: Locals;
  readonly frame: Frame;
}): void {
  const { definition, given, locals, frame } = options;
  const { parameters, uses, name } = definition;
  const named = new Map(given.kwargs);
  for (const [index, parameter] of parameters.entries()) {
    const positional = index < given.args.length;
    const value = positional ? given.args[index] : named.get(parameter.name);
    if (positional && named.has(parameter.name))
      throw new Fault(`"${name}" was given "${parameter.name}" twice`);
    named.delete(parameter.name);
    if (value !== undefined && !(value instanceof Undefined)) locals.set(parameter.name, value);
    else if (parameter.default !== undefined)
      locals.set(parameter.name, evaluate(parameter.default, { ...frame, locals }));
    else
      locals.set(parameter.name, value instanceof Undefined ? value : notGiven(name, parameter.name, frame));
  }
  const surplus = given.args.slice(parameters.length);
  if (uses.has("caller") || named.has("caller")) {
    locals.set("caller", named.get("caller") ?? notGiven(name, "caller", frame));
    named.delete("caller");
  }
  if (uses.has("varargs")) locals.set("varargs", tuple(...surplus));
  else if (surplus.length > 0) throw new Fault(`"${name}" takes no more than ${parameters.length} arguments`);
  if (uses.has("kwargs")) locals.set("kwargs", Dict.of(named));
  else if (named.size > 0) throw new Fault(`"${name}" has no argument "${[...named.keys()][0]}"`);
}

function notGiven(macro: string, name: string, frame: Frame): Undefined {
  return new Undefined({ name, message: `"${macro}" was not given "${name}"`, at: frame.place.at });
}

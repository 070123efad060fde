/** Names that every expression knows: functions, `omit`, `vars` and `hostvars`. A variable of the same name wins. */
import { randomBytes } from "node:crypto";
import { limitItems } from "./arithmetic.ts";
import { makeDateTime } from "./date-time.ts";
import { callLookup } from "./lookups.ts";
import { Cycler, Joiner, Namespace, NativeFunction } from "./loop.ts";
import type { Renderer } from "./renderer.ts";
import { flagOf, textOf, wholeOf } from "./runtime.ts";
import { str } from "./text.ts";
import {
  type CallArgs,
  Dict,
  Fault,
  isList,
  isMapping,
  mappingEntries,
  PyObject,
  Undefined,
  type Value,
} from "./value.ts";

/** What `omit` renders to. The engine leaves out arguments that are equal to it. */
export const omitPlaceholder = `__omit_place_holder__${randomBytes(20).toString("hex")}`;

type Global = (renderer: Renderer) => Value;
const fn =
  (
    name: string,
    names: readonly string[],
    work: (args: readonly (Value | undefined)[], renderer: Renderer) => Value,
  ): Global =>
  (runtime) =>
    new NativeFunction({ name, runtime, names, work: (args) => work(args, runtime) });
const open =
  (name: string, work: (given: CallArgs, renderer: Renderer) => Value): Global =>
  (runtime) =>
    new NativeFunction({ name, runtime, work: (_args, given) => work(given, runtime) });

const globals: Readonly<Record<string, Global>> = {
  range: fn("range", ["start", "stop", "step"], ([a, b, c]) => {
    const [start, stop] = b === undefined ? [0, wholeOf(a, 0)] : [wholeOf(a, 0), wholeOf(b, 0)];
    return range(start, stop, wholeOf(c, 1));
  }),
  dict: open("dict", ({ args, kwargs }) => {
    const made = new Dict();
    for (const source of args) {
      const pairs = isMapping(source) ? mappingEntries(source) : isList(source) ? source.map(pairOf) : [];
      for (const [key, value] of pairs) made.set(key, value);
    }
    for (const [key, value] of kwargs) made.set(key, value);
    return made;
  }),
  namespace: open("namespace", (given) => new Namespace(given)),
  cycler: open("cycler", ({ args }) => new Cycler(args)),
  joiner: fn("joiner", ["sep"], ([separator]) => new Joiner(textOf(separator, ", "))),
  lookup: open("lookup", (given, renderer) => callLookup(given, renderer, "lookup")),
  query: open("query", (given, renderer) => callLookup(given, renderer, "query")),
  q: open("q", (given, renderer) => callLookup(given, renderer, "query")),
  now: fn("now", ["utc", "fmt"], ([utc, format], renderer) => {
    const time = makeDateTime(renderer.now(), flagOf(utc, false));
    return format === undefined ? time : time.format(textOf(format, ""));
  }),
  undef: fn("undef", ["hint"], ([hint]) => {
    const message = hint === undefined ? "it is marked as undefined" : str(hint);
    return new Undefined({ name: "undef()", message, at: 0 });
  }),
  omit: () => omitPlaceholder,
  vars: (renderer) => new AllVariables(renderer),
  hostvars: (renderer) => new HostVariables(renderer),
};
export const globalNames: readonly string[] = Object.keys(globals);

export function globalValue(name: string, renderer: Renderer): Value | undefined {
  if (!Object.hasOwn(globals, name)) return undefined;
  if (name === "hostvars" && renderer.context.hosts === undefined) return undefined;
  return globals[name]?.(renderer);
}

function pairOf(pair: Value): [Value, Value] {
  if (!isList(pair) || pair.length !== 2) throw new Fault("dict() wants pairs");
  return [pair[0] ?? null, pair[1] ?? null];
}

export function range(start: number, stop: number, step: number): number[] {
  if (step === 0) throw new Fault("the step of range() cannot be 0");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  limitItems(count);
  return Array.from({ length: count }, (_, index) => start + index * step);
}

/** `vars`: the scope itself, each member rendered when it is used. */
class AllVariables extends PyObject {
  override readonly typeName = "dict";
  readonly #renderer: Renderer;
  constructor(renderer: Renderer) {
    super();
    this.#renderer = renderer;
  }
  override attribute(name: string): Value | undefined {
    return this.#renderer.variable(name);
  }
  override keys(): readonly string[] {
    return [...this.#renderer.context.scope.names()];
  }
  override lacks(name: string): string {
    const host = this.#renderer.variable("inventory_hostname");
    return typeof host === "string"
      ? `host "${host}" has no variable ${name}`
      : `there is no variable ${name}`;
  }
}

/** `hostvars[name]`: another host's variables, rendered in that host's own scope. */
class HostVariables extends PyObject {
  override readonly typeName = "HostVars";
  readonly #renderer: Renderer;
  constructor(renderer: Renderer) {
    super();
    this.#renderer = renderer;
  }
  override attribute(name: string): Value | undefined {
    const other = this.#renderer.host(name);
    return other === undefined ? undefined : new AllVariables(other);
  }
  override keys(): readonly string[] {
    return [...(this.#renderer.context.hosts?.names() ?? [])];
  }
  override lacks(name: string): string {
    return `the inventory has no host ${name}`;
  }
}

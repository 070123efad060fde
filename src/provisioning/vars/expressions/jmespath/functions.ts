/** The functions of JMESPath. Each says which types it takes. */

import { nearest } from "../../../../base/nearest.ts";
import { compareText } from "../compare.ts";
import { jsonText } from "../json-text.ts";
import { characters, textLength } from "../text.ts";
import {
  Dict,
  Fault,
  Float,
  float,
  isList,
  isMapping,
  isNumeric,
  mappingEntries,
  mappingKeys,
  toNumber,
  type Value,
} from "../value.ts";

/** `&expression` comes as what it does with each item. */
export type Argument = { readonly value: Value } | { readonly each: (item: Value) => Value };

class Arguments {
  readonly #name: string;
  readonly #given: readonly Argument[];
  constructor(name: string, given: readonly Argument[]) {
    this.#name = name;
    this.#given = given;
  }
  get all(): readonly Value[] {
    return this.#given.map((_, index) => this.value(index));
  }
  value(index: number): Value {
    const given = this.#given[index];
    if (given === undefined || !("value" in given)) throw this.#wrong(index, "a value");
    return given.value;
  }
  each(index: number): (item: Value) => Value {
    const given = this.#given[index];
    if (given === undefined || !("each" in given)) throw this.#wrong(index, "an expression after &");
    return given.each;
  }
  list(index: number): readonly Value[] {
    const value = this.value(index);
    if (!isList(value)) throw this.#wrong(index, "an array");
    return value;
  }
  number(index: number): number {
    const value = this.value(index);
    if (!isNumeric(value) || typeof value === "boolean") throw this.#wrong(index, "a number");
    return toNumber(value);
  }
  text(index: number): string {
    const value = this.value(index);
    if (typeof value !== "string") throw this.#wrong(index, "a string");
    return value;
  }
  object(index: number): readonly [Value, Value][] {
    const value = this.value(index);
    if (!isMapping(value)) throw this.#wrong(index, "an object");
    return mappingEntries(value);
  }
  numbers(index: number): readonly number[] {
    return this.list(index).map((item) => {
      if (isNumeric(item) && typeof item !== "boolean") return toNumber(item);
      throw this.#wrong(index, "an array of numbers");
    });
  }
  /** Numbers alone or strings alone. */
  sortable(index: number, keyOf: (item: Value) => Value = (item) => item): Keyed[] {
    const keyed = this.list(index).map((item) => ({ item, key: keyOf(item) }));
    const kinds = new Set(keyed.map(({ key }) => kindOf(key)));
    if (kinds.size > 1 || [...kinds].some((kind) => kind !== "number" && kind !== "string"))
      throw this.#wrong(index, "an array of numbers or of strings");
    return keyed;
  }
  #wrong(index: number, wanted: string): Fault {
    const given = this.#given[index];
    const is =
      given === undefined
        ? "none"
        : "value" in given
          ? `a value of type ${kindOf(given.value)}`
          : "an expression";
    return new Fault(`json_query: ${this.#name}() wants ${wanted}, and ${is} was given`);
  }
}

interface Keyed {
  readonly item: Value;
  readonly key: Value;
}
const inOrder = (a: Keyed, b: Keyed): number =>
  typeof a.key === "string" && typeof b.key === "string"
    ? compareText(a.key, b.key)
    : toNumber(a.key as number) - toNumber(b.key as number);
const sorted = (keyed: Keyed[]): Value => keyed.sort(inOrder).map(({ item }) => item);
const extreme = (keyed: readonly Keyed[], sign: 1 | -1): Value => {
  const [first, ...rest] = keyed;
  if (first === undefined) return null;
  return rest.reduce((best, one) => (inOrder(one, best) * sign > 0 ? one : best), first).item;
};

function kindOf(value: Value): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "string") return "string";
  if (isNumeric(value)) return "number";
  return isList(value) ? "array" : "object";
}

function toNumberValue(value: Value): Value {
  if (isNumeric(value) && typeof value !== "boolean") return value;
  if (typeof value !== "string" || !/^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/.test(value))
    return null;
  return /[.eE]/.test(value) ? float(Number(value)) : Number(value);
}
const compactJson = (value: Value): string =>
  jsonText(value, { indent: undefined, sortKeys: false, ascii: true, separators: [",", ":"] });

function lengthOf(args: Arguments): Value {
  const value = args.value(0);
  if (typeof value === "string") return textLength(value);
  return isMapping(value) ? mappingKeys(value).length : args.list(0).length;
}
function contains(args: Arguments): Value {
  const [within, item] = args.all;
  if (typeof within === "string") return typeof item === "string" && within.includes(item);
  return args.list(0).some((member) => kindOf(member) === kindOf(item ?? null) && same(member, item ?? null));
}
const same = (a: Value, b: Value): boolean => compactJson(a) === compactJson(b);
const reversed = (value: Value, args: Arguments): Value =>
  typeof value === "string" ? characters(value).reverse().join("") : args.list(0).toReversed();
const whole = (input: Value, rounded: number): Value => (input instanceof Float ? input.value : rounded);

type Entry = readonly [count: number | "any", work: (args: Arguments) => Value];
const functions: Readonly<Record<string, Entry>> = {
  abs: [
    1,
    (args) => (args.value(0) instanceof Float ? float(Math.abs(args.number(0))) : Math.abs(args.number(0))),
  ],
  avg: [
    1,
    (args) => {
      const numbers = args.numbers(0);
      if (numbers.length === 0) return null;
      return float(numbers.reduce((sum, one) => sum + one, 0) / numbers.length);
    },
  ],
  ceil: [1, (args) => whole(args.value(0), Math.ceil(args.number(0)))],
  contains: [2, contains],
  ends_with: [2, (args) => args.text(0).endsWith(args.text(1))],
  floor: [1, (args) => whole(args.value(0), Math.floor(args.number(0)))],
  join: [
    2,
    (args) =>
      args
        .sortable(1)
        .map(({ key }) => (typeof key === "string" ? key : args.text(1)))
        .join(args.text(0)),
  ],
  keys: [1, (args) => args.object(0).map(([key]) => key)],
  length: [1, lengthOf],
  map: [2, (args) => args.list(1).map(args.each(0))],
  max: [1, (args) => extreme(args.sortable(0), 1)],
  max_by: [2, (args) => extreme(args.sortable(0, args.each(1)), 1)],
  merge: ["any", (args) => Dict.of(args.all.flatMap((_, index) => args.object(index)))],
  min: [1, (args) => extreme(args.sortable(0), -1)],
  min_by: [2, (args) => extreme(args.sortable(0, args.each(1)), -1)],
  not_null: ["any", (args) => args.all.find((value) => value !== null) ?? null],
  reverse: [1, (args) => reversed(args.value(0), args)],
  sort: [1, (args) => sorted(args.sortable(0))],
  sort_by: [2, (args) => sorted(args.sortable(0, args.each(1)))],
  starts_with: [2, (args) => args.text(0).startsWith(args.text(1))],
  sum: [1, (args) => total(args.list(0), args.numbers(0))],
  to_array: [1, (args) => (isList(args.value(0)) ? args.value(0) : [args.value(0)])],
  to_number: [1, (args) => toNumberValue(args.value(0))],
  to_string: [1, (args) => (typeof args.value(0) === "string" ? args.value(0) : compactJson(args.value(0)))],
  type: [1, (args) => kindOf(args.value(0))],
  values: [1, (args) => args.object(0).map(([, value]) => value)],
};
function total(items: readonly Value[], numbers: readonly number[]): Value {
  const sum = numbers.reduce((so, one) => so + one, 0);
  return items.some((item) => item instanceof Float) ? float(sum) : sum;
}

export function callFunction(name: string, given: readonly Argument[]): Value {
  const entry = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (entry === undefined) {
    const fault = new Fault(`json_query: there is no function "${name}"`);
    fault.near = nearest(name, Object.keys(functions));
    throw fault;
  }
  const [count, work] = entry;
  if (count !== "any" && given.length !== count)
    throw new Fault(`json_query: ${name}() takes ${count} arguments, and ${given.length} were given`);
  return work(new Arguments(name, given));
}

/**
 * Values while an expression is evaluated: plain data plus what Python tells apart and JSON does not. An integral
 * float is a Float (2.0 prints "2.0"), any other fraction a plain number; integers beyond 2^53 are bigints; a Tuple
 * is a list that prints with parentheses; a Dict keeps the order and the types of its keys. Objects that came as data
 * stay plain objects: only own properties of them are ever read. Everything becomes JsonValue again in `toJson`.
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../../base/json.ts";
import { spendOn } from "./effort.ts";
import { Fault } from "./fault.ts";

export { Fault };

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Float
  | readonly Value[]
  | Dict
  | JsonObject
  | PyObject
  | Undefined;

/** A float without a fraction. Make floats with `float()`. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}
export const float = (value: number): Value => (Number.isInteger(value) ? new Float(value) : value);

export class Tuple extends Array<Value> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
  /** Members by name, where it has any. */
  named(_name: string): Value | undefined {
    return undefined;
  }
}
export const tuple = (...items: readonly Value[]): Tuple => {
  const made = new Tuple();
  for (const item of items) made.push(item);
  return made;
};

/** Something with behaviour: loop, namespace, a macro, a date, hostvars. Reaches nothing but what it hands out. */
export abstract class PyObject {
  abstract readonly typeName: string;
  /** `object.name`; undefined when there is no such thing. */
  attribute(_name: string): Value | undefined {
    return undefined;
  }
  /** `object[key]` */
  item(key: Value): Value | undefined {
    return typeof key === "string" ? this.attribute(key) : undefined;
  }
  method(_name: string, _args: CallArgs): Value | undefined {
    return undefined;
  }
  call(_args: CallArgs): Value {
    throw new Fault(`a ${this.typeName} cannot be called`);
  }
  /** Keys when it behaves as a mapping. */
  keys(): readonly string[] | undefined {
    return undefined;
  }
  iterate(): Iterable<Value> | undefined {
    return this.keys();
  }
  truth(): boolean {
    return true;
  }
  text(): string {
    throw new Fault(`a ${this.typeName} has no text of its own`);
  }
  /** What is left of it outside of expressions. */
  json(): JsonValue {
    const keys = this.keys();
    if (keys === undefined) return this.text();
    return Object.fromEntries(keys.map((key) => [key, toJson(this.item(key) ?? null)]));
  }
  /** A sentence that says that `key` is not there; undefined: the usual one. */
  lacks(_key: string): string | undefined {
    return undefined;
  }
  /** Order among its own kind; undefined: there is none. */
  compareTo(_other: PyObject): number | undefined {
    return undefined;
  }
  /** `this OPERATOR other`, or with "r" before it `other OPERATOR this`; undefined: no meaning. */
  binary(_operator: string, _other: Value): Value | undefined {
    return undefined;
  }
  equals(other: Value): boolean {
    return this === other;
  }
}

export interface CallArgs {
  readonly args: readonly Value[];
  readonly kwargs: ReadonlyMap<string, Value>;
}

/** What an undefined value is as text: nothing if it may be, else an error. */
export function blankText(value: Undefined): string {
  if (value.isBlank) return "";
  throw value.fault();
}

/** A name or member that is not there. Harmless until used; then `fault` says what was missing. */
export class Undefined {
  readonly name: string;
  readonly message: string;
  readonly near: string | undefined;
  /** Where it was looked up, an offset into the template. */
  readonly at: number;
  /** What stopped the rendering of a lazy variable: thrown again as it was when the variable is used. */
  readonly cause: Fault | undefined;
  /** Of an inline `if` without `else`: counts as nothing where others are an error. */
  readonly isBlank: boolean;
  constructor(fields: {
    blank?: boolean;
    name: string;
    message: string;
    near?: string | undefined;
    at: number;
    cause?: Fault | undefined;
  }) {
    this.cause = fields.cause;
    this.isBlank = fields.blank ?? false;
    this.name = fields.name;
    this.message = fields.message;
    this.near = fields.near;
    this.at = fields.at;
  }
  fault(): Fault {
    if (this.cause !== undefined) return this.cause;
    const fault = new Fault(this.message, this.at);
    fault.undefinedName = this.name;
    fault.near = this.near;
    return fault;
  }
}

/** Python's dict: insertion order, 1 and 1.0 and True one key, "1" another. */
export class Dict {
  readonly #entries = new Map<unknown, { key: Value; value: Value }>();
  static of(entries: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict();
    for (const [key, value] of entries) dict.set(key, value);
    return dict;
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: Value): Value | undefined {
    return this.#entries.get(hashKey(key))?.value;
  }
  has(key: Value): boolean {
    return this.#entries.has(hashKey(key));
  }
  set(key: Value, value: Value): void {
    const hash = hashKey(key);
    const known = this.#entries.get(hash);
    this.#entries.set(hash, { key: known === undefined ? key : known.key, value });
  }
  delete(key: Value): void {
    this.#entries.delete(hashKey(key));
  }
  *entries(): IterableIterator<[Value, Value]> {
    for (const { key, value } of this.#entries.values()) yield [key, value];
  }
  *keys(): IterableIterator<Value> {
    for (const { key } of this.#entries.values()) yield key;
  }
}

/** What makes two values the same key of a dict or set. Lists and dicts cannot be keys. */
export function hashKey(value: Value): unknown {
  if (value === null || typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Float) return value.value;
  if (value instanceof Undefined) throw value.fault();
  if (value instanceof Tuple) return `\0tuple ${JSON.stringify(value.map(hashText))}`;
  if (value instanceof PyObject) return value;
  throw new Fault(`${aTypeName(value)} cannot be a key`);
}
const hashText = (value: Value): string => {
  const key = hashKey(value);
  return `${typeof key}:${String(key)}`;
};

export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isData = (value: Value): value is JsonObject =>
  isJsonObject(value) &&
  !(value instanceof Dict) &&
  !(value instanceof Float) &&
  !(value instanceof PyObject) &&
  !(value instanceof Undefined);
export type Mapping = Dict | JsonObject | PyObject;
export const isMapping = (value: Value): value is Mapping =>
  value instanceof Dict || isData(value) || (value instanceof PyObject && value.keys() !== undefined);

/** An own member of a mapping, never anything inherited. JSON objects answer to whole numbers as to their digits. */
export function mappingGet(map: Mapping, key: Value): Value | undefined {
  if (map instanceof Dict) return map.get(key);
  if (map instanceof PyObject) return map.item(key);
  const name = typeof key === "number" ? String(key) : key;
  return typeof name === "string" && Object.hasOwn(map, name) ? map[name] : undefined;
}
export function mappingKeys(map: Mapping): Value[] {
  if (map instanceof Dict) return [...map.keys()];
  return map instanceof PyObject ? [...(map.keys() ?? [])] : Object.keys(map);
}
export function mappingEntries(map: Mapping): [Value, Value][] {
  if (map instanceof Dict) return [...map.entries()];
  if (map instanceof PyObject) return [...(map.keys() ?? [])].map((key) => [key, map.item(key) ?? null]);
  return Object.entries(map);
}

export const isFloat = (value: Value): value is number | Float =>
  value instanceof Float || (typeof value === "number" && !Number.isInteger(value));
export const isInt = (value: Value): value is number | bigint =>
  typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
/** Numbers as Python counts them: True is 1. */
export const isNumeric = (value: Value): value is number | bigint | Float | boolean =>
  typeof value === "number" ||
  typeof value === "bigint" ||
  typeof value === "boolean" ||
  value instanceof Float;
export const toNumber = (value: number | bigint | Float | boolean): number =>
  value instanceof Float ? value.value : Number(value);

/** Python's name for the type, as type_debug and messages say it. */
export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  if (value instanceof Undefined) return "undefined";
  if (value instanceof PyObject) return value.typeName;
  if (isInt(value)) return "int";
  if (isFloat(value)) return "float";
  if (value instanceof Tuple) return "tuple";
  return isList(value) ? "list" : "dict";
}

export function aTypeName(value: Value): string {
  const name = typeName(value);
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
}

/** Leaves the expression: numbers lose what JSON cannot tell apart, an undefined member is an error. */
export function toJson(value: Value): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "number")
    return value;
  // JSON's numbers would lose digits.
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Float) return value.value;
  if (value instanceof Undefined) return blankText(value);
  if (value instanceof PyObject) return value.json();
  if (isList(value)) {
    spendOn(value.length);
    return value.map(toJson);
  }
  if (value instanceof Dict) {
    spendOn(value.size);
    const pairs = [...value.entries()].map(([key, member]) => [keyText(key), toJson(member)] as const);
    return Object.fromEntries(pairs);
  }
  return value;
}
/** A key as JSON writes it. */
export function keyText(key: Value): string {
  if (typeof key === "string") return key;
  if (key === null) return "null";
  if (typeof key === "boolean") return key ? "true" : "false";
  if (isNumeric(key)) return key instanceof Float ? `${key.value}.0` : String(key);
  throw new Fault(`${aTypeName(key)} cannot be a key of JSON`);
}

/** `.name`, `[key]`, slices and iteration: own data only. Nothing of JavaScript's objects can be reached by a name. */
import { nearest } from "../../../base/nearest.ts";
import { characters, repr } from "./text.ts";
import {
  aTypeName,
  blankText,
  Fault,
  isInt,
  isList,
  isMapping,
  mappingGet,
  mappingKeys,
  PyObject,
  Tuple,
  toNumber,
  tuple,
  Undefined,
  type Value,
} from "./value.ts";

/** A member of what is undefined is undefined too, and says what was missing first. */
function chained(object: Undefined): Undefined {
  if (object.isBlank) throw object.fault();
  return object;
}

export function attributeOf(object: Value, name: string, at: number): Value {
  if (object instanceof Undefined) return chained(object);
  let found: Value | undefined;
  if (object instanceof PyObject) {
    found = object.attribute(name);
    if (found === undefined) found = object.item(name);
  } else if (isMapping(object)) found = mappingGet(object, name);
  else if (object instanceof Tuple) found = object.named(name);
  return found === undefined ? missing(object, name, at) : found;
}

export function itemOf(object: Value, key: Value, at: number): Value {
  if (object instanceof Undefined) return chained(object);
  if (key instanceof Undefined) throw key.fault();
  if (typeof object === "string") {
    if (isInt(key)) refuseWrittenList(object);
    return indexed(characters(object), object, key, at);
  }
  if (isList(object)) return indexed(object, object, key, at);
  let found: Value | undefined;
  if (object instanceof PyObject) found = object.item(key);
  else if (isMapping(object)) found = mappingGet(object, key);
  return found === undefined ? missing(object, key, at) : found;
}

function indexed(items: readonly Value[], object: Value, key: Value, at: number): Value {
  if (!isInt(key) && typeof key !== "boolean") return missing(object, key, at);
  const index = toNumber(key);
  const found = items[index < 0 ? items.length + index : index];
  return found === undefined ? missing(object, key, at) : found;
}

/**
 * Text like "['a', 'b']", from -e or a template, is a list to older Ansible. Here it stays text, and to take it letter
 * by letter is never meant.
 */
export function refuseWrittenList(text: string): void {
  if (/^\[\s*(?:\]$|["'{[]|-?\d|[Tt]rue|[Ff]alse|None|null)/.test(text) && text.endsWith("]"))
    throw new Fault("the text looks like a list but is text: write | from_yaml behind it");
}

/** What is not there, with a sentence that says what is. */
function missing(object: Value, key: Value, at: number): Undefined {
  const shown = typeof key === "string" ? `"${key}"` : repr(key);
  const keys = isMapping(object) ? mappingKeys(object).filter((name) => typeof name === "string") : undefined;
  const near =
    keys !== undefined && typeof key === "string" && key.length > 2 ? nearest(key, keys) : undefined;
  return new Undefined({ name: shown, message: missingMessage(object, shown, keys), near, at });
}
function missingMessage(object: Value, shown: string, keys: readonly string[] | undefined): string {
  const own = object instanceof PyObject ? object.lacks(shown) : undefined;
  if (own !== undefined) return own;
  if (
    isMapping(object) &&
    mappingGet(object, "skipped") === true &&
    mappingGet(object, "skip_reason") !== undefined
  )
    return `there is no key ${shown}: the task that registered it was skipped`;
  if (isList(object)) {
    const count = `${object.length} item${object.length === 1 ? "" : "s"}`;
    return /^-?\d+$/.test(shown)
      ? `a list of ${count} has no item ${shown}`
      : `a list has no member ${shown}`;
  }
  if (typeof object === "string" && /^\{\s*(?:["']|\w+\s*:)/.test(object) && object.endsWith("}"))
    return `the text looks like a mapping but is text, so it has no ${shown}: write | from_yaml behind it`;
  if (keys === undefined) return `${aTypeName(object)} has no member ${shown}`;
  const listed = keys.slice(0, 8).map((name) => `"${name}"`);
  if (keys.length > listed.length) listed.push("…");
  return `there is no key ${shown}${listed.length > 0 ? ` among ${listed.join(", ")}` : ": the mapping is empty"}`;
}

export interface SliceBounds {
  readonly start: Value | undefined;
  readonly stop: Value | undefined;
  readonly step: Value | undefined;
}
export function sliceOf(object: Value, bounds: SliceBounds): Value {
  if (object instanceof Undefined) return chained(object);
  if (typeof object === "string") return sliceItems(characters(object), bounds).join("");
  if (!isList(object)) throw new Fault(`${aTypeName(object)} cannot be sliced`);
  const items = sliceItems(object, bounds);
  return object instanceof Tuple ? tuple(...items) : items;
}

export function sliceItems<T>(items: readonly T[], bounds: SliceBounds): T[] {
  const step = bound(bounds.step) ?? 1;
  if (step === 0) throw new Fault("the step of a slice cannot be 0");
  const size = items.length;
  const clamp = (value: number, low: number, high: number): number =>
    Math.max(low, Math.min(high, value < 0 ? value + size : value));
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const start = bound(bounds.start);
  const stop = bound(bounds.stop);
  const from = start === undefined ? (step > 0 ? low : high) : clamp(start, low, high);
  const to = stop === undefined ? (step > 0 ? high : low) : clamp(stop, low, high);
  const found: T[] = [];
  for (let index = from; step > 0 ? index < to : index > to; index += step) found.push(items[index] as T);
  return found;
}
function bound(value: Value | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (value instanceof Undefined) throw value.fault();
  if (isInt(value) || typeof value === "boolean") return toNumber(value);
  throw new Fault(`a slice wants whole numbers, and ${aTypeName(value)} was given`);
}

/** The items that a loop or a filter walks over: of a mapping its keys, of text its characters. */
export function iterate(value: Value): readonly Value[] {
  if (value instanceof Undefined) return [...blankText(value)];
  if (isList(value)) return value;
  if (typeof value === "string") {
    refuseWrittenList(value);
    return characters(value);
  }
  if (value instanceof PyObject) {
    const items = value.iterate();
    if (items !== undefined) return [...items];
  } else if (isMapping(value)) return mappingKeys(value);
  throw new Fault(`${aTypeName(value)} is no list to walk over`);
}

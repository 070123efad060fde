/** Truth, equality, order and membership as Python has them. */
import { spendOn } from "./effort.ts";
import {
  aTypeName,
  blankText,
  Dict,
  Fault,
  Float,
  isList,
  isMapping,
  isNumeric,
  type Mapping,
  mappingEntries,
  mappingGet,
  mappingKeys,
  PyObject,
  Tuple,
  toNumber,
  Undefined,
  type Value,
} from "./value.ts";

export function truth(value: Value): boolean {
  if (value === null) return false;
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value !== "";
  if (typeof value === "number") return value !== 0;
  if (typeof value === "bigint") return value !== 0n;
  if (value instanceof Float) return value.value !== 0;
  if (value instanceof Undefined) return blankText(value) !== "";
  if (value instanceof PyObject) return value.truth();
  if (isList(value)) return value.length > 0;
  return value instanceof Dict ? value.size > 0 : Object.keys(value).length > 0;
}

export function equals(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a instanceof Undefined || b instanceof Undefined) return equalBlanks(a, b);
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b) === 0;
  if (a instanceof PyObject) return a.equals(b);
  if (b instanceof PyObject) return b.equals(a);
  if (isList(a) && isList(b)) {
    if (a instanceof Tuple !== b instanceof Tuple || a.length !== b.length) return false;
    spendOn(a.length);
    return a.every((item, index) => equals(item, b[index] ?? null));
  }
  if (isMapping(a) && isMapping(b)) return equalMappings(a, b);
  return false;
}

/** The blank of an `if` without `else` equals only its like. */
function equalBlanks(a: Value, b: Value): boolean {
  for (const value of [a, b]) if (value instanceof Undefined) blankText(value);
  return a instanceof Undefined && b instanceof Undefined;
}

function equalMappings(a: Mapping, b: Mapping): boolean {
  const left = mappingEntries(a);
  if (left.length !== mappingKeys(b).length) return false;
  spendOn(left.length);
  return left.every(([key, value]) => {
    const other = mappingGet(b, key);
    return other !== undefined && equals(value, other);
  });
}

function compareNumbers(a: number | bigint | Float | boolean, b: number | bigint | Float | boolean): number {
  const left = a instanceof Float ? a.value : typeof a === "boolean" ? Number(a) : a;
  const right = b instanceof Float ? b.value : typeof b === "boolean" ? Number(b) : b;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** Negative, zero or positive; values that Python cannot order are an error, as there. */
export function compare(a: Value, b: Value, operator: string): number {
  if (a instanceof Undefined) throw a.fault();
  if (b instanceof Undefined) throw b.fault();
  if (isNumeric(a) && isNumeric(b)) {
    if (Number.isNaN(toNumber(a)) || Number.isNaN(toNumber(b))) return Number.NaN;
    return compareNumbers(a, b);
  }
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (isList(a) && isList(b) && a instanceof Tuple === b instanceof Tuple)
    return compareLists(a, b, operator);
  if (a instanceof PyObject && b instanceof PyObject) {
    const order = a.compareTo(b);
    if (order !== undefined) return order;
  }
  throw new Fault(
    `"${operator}" cannot order ${aTypeName(a)} and ${aTypeName(b)}: convert one with | int or | string`,
  );
}

/** By code points, not by UTF-16 units. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdfff;
    if (isHigh(left) !== isHigh(right)) return isHigh(left) ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}

function compareLists(a: readonly Value[], b: readonly Value[], operator: string): number {
  for (const [index, item] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    if (!equals(item, other)) return compare(item, other, operator);
  }
  return a.length - b.length;
}

/** `item in container` */
export function contains(container: Value, item: Value): boolean {
  if (container instanceof Undefined) return blankText(container) !== "";
  if (item instanceof Undefined) {
    if (!isList(container) && !isMapping(container)) throw item.fault();
    return blankText(item) !== "";
  }
  if (typeof container === "string") {
    if (typeof item !== "string")
      throw new Fault(`"in" looks for text in text, and ${aTypeName(item)} is no text`);
    return container.includes(item);
  }
  if (isList(container)) return container.some((member) => equals(member, item));
  if (container instanceof Dict) return container.has(item);
  if (isMapping(container)) return mappingGet(container, item) !== undefined;
  if (container instanceof PyObject) {
    const members = container.iterate();
    if (members !== undefined) return [...members].some((member) => equals(member, item));
  }
  throw new Fault(`${aTypeName(container)} has no members to look "in"`);
}

/** Lists as sets, and lists against lists: union, zip, product, permutations. */
import { equals } from "../compare.ts";
import { spend } from "../effort.ts";
import { expressionLimits } from "../limits.ts";
import { iterate } from "../members.ts";
import { type Filter, flagOf, parameters, wholeOf } from "../runtime.ts";
import { Fault, hashKey, isList, isMapping, tuple, Undefined, type Value } from "../value.ts";
import { lookInto } from "./attribute.ts";

/** Membership by hash where values can be keys, by comparison where they cannot. */
class ValueSet {
  readonly #hashed = new Set<unknown>();
  readonly #others: Value[] = [];
  has(value: Value): boolean {
    return isKey(value)
      ? this.#hashed.has(hashKey(value))
      : this.#others.some((other) => equals(other, value));
  }
  /** False when it was there already. */
  add(value: Value): boolean {
    if (this.has(value)) return false;
    if (isKey(value)) this.#hashed.add(hashKey(value));
    else this.#others.push(value);
    return true;
  }
}
const isKey = (value: Value): boolean => !isList(value) && !isMapping(value);
const setOf = (items: readonly Value[]): ValueSet => {
  const set = new ValueSet();
  for (const item of items) set.add(item);
  return set;
};
const distinct = (items: readonly Value[]): Value[] => {
  const seen = new ValueSet();
  return items.filter((item) => seen.add(item));
};

const two =
  (work: (a: readonly Value[], b: readonly Value[]) => Value[]): Filter =>
  (input, call) => {
    const [other] = parameters(call, ["b"], 1);
    return work(iterate(input), iterate(other ?? null));
  };
const without = (a: readonly Value[], b: readonly Value[]): Value[] => {
  const set = setOf(b);
  return distinct(a.filter((item) => !set.has(item)));
};

const unique: Filter = (input, call) => {
  const [sensitive, attribute] = parameters(call, ["case_sensitive", "attribute"]);
  const seen = new ValueSet();
  const isSensitive = flagOf(sensitive, false);
  return iterate(input).filter((item) => {
    const value = attribute === undefined || attribute === null ? item : lookInto(item, attribute);
    if (value instanceof Undefined) throw value.fault();
    return seen.add(typeof value === "string" && !isSensitive ? value.toLowerCase() : value);
  });
};

const zip: Filter = (input, call) => {
  const lists = [input, ...call.args].map(iterate);
  const longest = call.name === "zip_longest";
  const lengths = lists.map((list) => list.length);
  const size = longest ? Math.max(...lengths) : Math.min(...lengths);
  const fill = call.kwargs.get("fillvalue") ?? null;
  return Array.from({ length: size }, (_, index) =>
    tuple(...lists.map((list) => (index < list.length ? (list[index] ?? null) : fill))),
  );
};

export function product(lists: readonly (readonly Value[])[]): Value[][] {
  const total = lists.reduce((count, list) => count * list.length, 1);
  spend(Math.min(total, Number.MAX_SAFE_INTEGER) * lists.length);
  if (total > expressionLimits.combinations) throw new Fault(`the product would have ${total} items`);
  return lists.reduce<Value[][]>(
    (rows, list) => rows.flatMap((row) => list.map((item) => [...row, item])),
    [[]],
  );
}

function* choose(items: readonly Value[], size: number, ordered: boolean, from = 0): Generator<Value[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let index = ordered ? 0 : from; index < items.length; index++) {
    const rest = ordered ? items.toSpliced(index, 1) : items;
    for (const tail of choose(rest, size - 1, ordered, index + 1)) yield [items[index] ?? null, ...tail];
  }
}
const choosing =
  (ordered: boolean): Filter =>
  (input, call) => {
    const items = iterate(input);
    const [given] = parameters(call, ["r"], ordered ? 0 : 1);
    const size = wholeOf(given, items.length);
    if (size < 0) throw new Fault(`${call.name} wants a size that is not negative`);
    const found: Value[] = [];
    for (const chosen of choose(items, size, ordered)) {
      if (found.length >= expressionLimits.combinations) throw new Fault("there are too many combinations");
      spend(size);
      found.push(tuple(...chosen));
    }
    return found;
  };

export const setFilters: Readonly<Record<string, Filter>> = {
  unique,
  union: two((a, b) => distinct([...a, ...b])),
  intersect: two((a, b) => {
    const set = setOf(b);
    return distinct(a.filter((item) => set.has(item)));
  }),
  difference: two(without),
  symmetric_difference: two((a, b) => [...without(a, b), ...without(b, a)]),
  zip,
  zip_longest: zip,
  product: (input, call) => {
    const repeat = wholeOf(call.kwargs.get("repeat"), 1);
    const lists = [input, ...call.args].map(iterate);
    return product(Array.from({ length: repeat }, () => lists).flat()).map((row) => tuple(...row));
  },
  permutations: choosing(true),
  combinations: choosing(false),
};

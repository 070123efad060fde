/** Filters that walk over a list: map, select, sort, groupby, batch, join and their kin. */
import { binary, limitItems, limitText } from "../arithmetic.ts";
import { compare, equals, truth } from "../compare.ts";
import { spend, spendOn } from "../effort.ts";
import { iterate, refuseWrittenList } from "../members.ts";
import { PythonRandom } from "../python-random.ts";
import { type Filter, flagOf, type Invocation, parameters, textOf, wholeOf } from "../runtime.ts";
import { characters, str, textLength } from "../text.ts";
import {
  aTypeName,
  Dict,
  Fault,
  isInt,
  isList,
  isMapping,
  mappingEntries,
  mappingKeys,
  Tuple,
  tuple,
  Undefined,
  type Value,
} from "../value.ts";
import { lookInto, restOf } from "./attribute.ts";

/** Jinja's map and select take anything that is false for an empty list. */
const itemsOrNone = (input: Value): readonly Value[] => (truth(input) ? iterate(input) : []);

const map: Filter = (input, call) => {
  const items = itemsOrNone(input);
  spend(items.length);
  const [name] = call.args;
  if (name !== undefined) {
    const filter = textOf(name, "", "the name of a filter");
    return items.map((item) => call.runtime.filter(filter, item, restOf(call, 1)));
  }
  const [attribute, usual] = parameters(call, ["attribute", "default"]);
  if (attribute === undefined) throw new Fault('map wants the name of a filter, or attribute="…"');
  return items.map((item) => {
    const found = lookInto(item, attribute);
    return found instanceof Undefined && usual !== undefined ? usual : found;
  });
};

/** select, reject, selectattr, rejectattr */
const selecting =
  (keep: boolean, byAttribute: boolean): Filter =>
  (input, call) => {
    const items = itemsOrNone(input);
    spend(items.length);
    const from = byAttribute ? 1 : 0;
    const attribute = byAttribute ? (call.args[0] ?? call.kwargs.get("attribute")) : undefined;
    if (byAttribute && attribute === undefined)
      throw new Fault(`${call.name} wants the name of an attribute`);
    const test = call.args[from];
    return items.filter((item) => {
      const value = attribute === undefined ? item : lookInto(item, attribute);
      if (test === undefined) return !(value instanceof Undefined) && truth(value) === keep;
      return call.runtime.test(textOf(test, ""), value, restOf(call, from + 1)) === keep;
    });
  };

const caseless = (value: Value, caseSensitive: boolean): Value =>
  typeof value === "string" && !caseSensitive ? value.toLowerCase() : value;

interface Keyed {
  readonly key: readonly Value[];
  readonly item: Value;
}
function keyed(items: readonly Value[], attribute: Value | undefined, caseSensitive: boolean): Keyed[] {
  const paths =
    typeof attribute === "string" ? attribute.split(",") : attribute === undefined ? [] : [attribute];
  return items.map((item) => {
    const values = paths.length === 0 ? [item] : paths.map((path) => lookInto(item, path));
    return { key: values.map((value) => caseless(defined(value), caseSensitive)), item };
  });
}
function defined(value: Value): Value {
  if (value instanceof Undefined) throw value.fault();
  return value;
}
const byKey = (a: Keyed, b: Keyed): number => compare(a.key, b.key, "sort");

const sort: Filter = (input, call) => {
  const [reverse, sensitive, attribute] = parameters(call, ["reverse", "case_sensitive", "attribute"]);
  const entries = keyed(iterate(input), attribute === null ? undefined : attribute, flagOf(sensitive, false));
  const backwards = flagOf(reverse, false);
  return entries.sort((a, b) => (backwards ? byKey(b, a) : byKey(a, b))).map(({ item }) => item);
};

const groupby: Filter = (input, call) => {
  const [attribute, usual, sensitive] = parameters(call, ["attribute", "default", "case_sensitive"], 1);
  const items = iterate(input).map((item) => {
    const found = lookInto(item, attribute ?? null);
    return { name: found instanceof Undefined && usual !== undefined ? usual : defined(found), item };
  });
  const isSensitive = flagOf(sensitive, false);
  items.sort((a, b) => compare(caseless(a.name, isSensitive), caseless(b.name, isSensitive), "groupby"));
  const groups: { name: Value; members: Value[] }[] = [];
  for (const { name, item } of items) {
    const last = groups.at(-1);
    if (last !== undefined && equals(caseless(last.name, isSensitive), caseless(name, isSensitive)))
      last.members.push(item);
    else groups.push({ name, members: [item] });
  }
  return groups.map(({ name, members }) => Group.pair(name, members));
};

/** What groupby gives: a pair that Jinja also names. */
class Group extends Tuple {
  static pair(name: Value, members: readonly Value[]): Group {
    const made = new Group();
    made.push(name, members);
    return made;
  }
  override named(name: string): Value | undefined {
    return name === "grouper" ? this[0] : name === "list" ? this[1] : undefined;
  }
}

const extreme =
  (sign: 1 | -1): Filter =>
  (input, call) => {
    const [sensitive, attribute] = parameters(call, ["case_sensitive", "attribute"]);
    const [first, ...rest] = keyed(iterate(input), attribute, flagOf(sensitive, false));
    if (first === undefined) return nothing(`the list is empty, so it has no ${call.name}`);
    return rest.reduce((best, one) => (byKey(one, best) * sign > 0 ? one : best), first).item;
  };
const nothing = (message: string): Undefined => new Undefined({ name: "item", message, at: 0 });

const sum: Filter = (input, call) => {
  const [attribute, start] = parameters(call, ["attribute", "start"]);
  const values = iterate(input).map((item) =>
    defined(attribute === undefined || attribute === null ? item : lookInto(item, attribute)),
  );
  return values.reduce<Value>((total, value) => binary("+", total, value), start ?? 0);
};

const join: Filter = (input, call) => {
  const [separator, attribute] = parameters(call, ["d", "attribute"]);
  const items = iterate(input).map((item) =>
    str(defined(attribute === undefined || attribute === null ? item : lookInto(item, attribute))),
  );
  const between = textOf(separator, "");
  limitText(items.reduce((sum, item) => sum + item.length + between.length, 0));
  return items.join(between);
};

function length(input: Value): Value {
  if (typeof input === "string") {
    refuseWrittenList(input);
    return textLength(input);
  }
  if (isList(input)) return input.length;
  if (isMapping(input)) return input instanceof Dict ? input.size : mappingKeys(input).length;
  throw new Fault(`${aTypeName(input)} has no length`);
}

const flatten: Filter = (input, call) => {
  const [levels, skipNulls] = parameters(call, ["levels", "skip_nulls"]);
  const depth = levels === undefined || levels === null ? Number.POSITIVE_INFINITY : wholeOf(levels, 0);
  const skips = flagOf(skipNulls, true);
  const walk = (items: readonly Value[], left: number): Value[] => {
    spendOn(items.length);
    return items.flatMap((item) => {
      if (skips && (item === null || item === "None" || item === "null")) return [];
      return isList(item) ? (left >= 1 ? walk(item, left - 1) : [item]) : [item];
    });
  };
  if (!isList(input)) throw new Fault(`flatten wants a list, and ${aTypeName(input)} was given`);
  return walk(input, depth);
};

const batch: Filter = (input, call) => {
  const [count, fill] = parameters(call, ["linecount", "fill_with"], 1);
  const size = Math.max(1, wholeOf(count, 1));
  if (fill !== undefined && fill !== null) limitItems(size);
  const items = iterate(input);
  const rows: Value[][] = [];
  for (let from = 0; from < items.length; from += size) rows.push(items.slice(from, from + size));
  const last = rows.at(-1);
  if (fill !== undefined && fill !== null) while (last !== undefined && last.length < size) last.push(fill);
  return rows;
};

const slice: Filter = (input, call) => {
  const [count, fill] = parameters(call, ["slices", "fill_with"], 1);
  const items = iterate(input);
  const columns = Math.max(1, wholeOf(count, 1));
  limitItems(columns);
  const each = Math.floor(items.length / columns);
  const longer = items.length % columns;
  let from = 0;
  return Array.from({ length: columns }, (_, column): Value[] => {
    const size = each + (column < longer ? 1 : 0);
    const part = items.slice(from, from + size);
    from += size;
    if (fill !== undefined && fill !== null && longer > 0 && column >= longer) part.push(fill);
    return part;
  });
};

const subelements: Filter = (input, call) => {
  const [path, skip] = parameters(call, ["subelements", "skip_missing"], 1);
  const parts =
    typeof path === "string"
      ? path.split(".")
      : isList(path ?? null)
        ? (path as readonly Value[]).map(str)
        : [];
  const items = isMapping(input) ? mappingEntries(input).map(([, value]) => value) : iterate(input);
  return items.flatMap((item) => {
    const inner = lookInto(item, parts.join("."));
    if (inner instanceof Undefined || inner === null) {
      if (flagOf(skip, false)) return [];
      throw new Fault(`an item has no list "${parts.join(".")}" for subelements`);
    }
    if (!isList(inner)) throw new Fault(`"${parts.join(".")}" is no list but ${aTypeName(inner)}`);
    return inner.map((one) => tuple(item, one));
  });
};

const at =
  (from: "first" | "last"): Filter =>
  (input, call) => {
    parameters(call, []);
    const items = iterate(input);
    const found = from === "first" ? items[0] : items.at(-1);
    return found === undefined ? nothing(`the list is empty, so it has no ${from} item`) : found;
  };

export const listFilters: Readonly<Record<string, Filter>> = {
  map,
  select: selecting(true, false),
  reject: selecting(false, false),
  selectattr: selecting(true, true),
  rejectattr: selecting(false, true),
  sort,
  groupby,
  first: at("first"),
  last: at("last"),
  min: extreme(-1),
  max: extreme(1),
  sum,
  join,
  length,
  count: length,
  reverse: (input) =>
    typeof input === "string" ? characters(input).reverse().join("") : [...iterate(input)].reverse(),
  flatten,
  batch,
  slice,
  subelements,
  random: (input, call) => random(input, call),
  shuffle: (input, call) => {
    const below = randomBelow(call, parameters(call, ["seed"])[0]);
    const items = [...iterate(input)];
    for (let index = items.length - 1; index > 0; index--) {
      const other = below(index + 1);
      [items[index], items[other]] = [items[other] ?? null, items[index] ?? null];
    }
    return items;
  },
};

/** Of a list one item, of a number one below it. With a seed always the same. */
function random(input: Value, call: Invocation): Value {
  const [end, start, step, seed] = parameters({ ...call, args: [input, ...call.args] }, [
    "end",
    "start",
    "step",
    "seed",
  ]);
  const below = randomBelow(call, seed);
  if (isList(input) || typeof input === "string") {
    const items = iterate(input);
    if (items.length === 0) throw new Fault("random of an empty list");
    return items[below(items.length)] ?? null;
  }
  const from = wholeOf(start, 0);
  const by = wholeOf(step, 1);
  const count = Math.ceil((wholeOf(end, 0) - from) / by);
  if (count <= 0) throw new Fault("random of an empty range");
  return from + by * below(count);
}

function randomBelow(call: Invocation, seed: Value | undefined): (n: number) => number {
  if (seed === undefined || seed === null) return (n) => Math.floor(call.runtime.random() * n);
  const source = new PythonRandom(isInt(seed) ? seed : str(seed));
  return (n) => source.below(n);
}

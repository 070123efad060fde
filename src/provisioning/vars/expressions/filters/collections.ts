/** Mappings: combine, dict2items, items2dict, dictsort. */
import { compare } from "../compare.ts";
import { spend } from "../effort.ts";
import { itemOf, iterate } from "../members.ts";
import { type Filter, flagOf, parameters, textOf } from "../runtime.ts";
import { repr, str } from "../text.ts";
import {
  aTypeName,
  Dict,
  Fault,
  isInt,
  isList,
  isMapping,
  type Mapping,
  mappingEntries,
  mappingGet,
  tuple,
  Undefined,
  type Value,
} from "../value.ts";
import { setFilters } from "./sets.ts";

interface Merging {
  readonly recursive: boolean;
  readonly lists: string;
  readonly filter: (name: string, a: Value, b: Value) => Value;
}

function merge(low: Mapping, high: Mapping, how: Merging): Dict {
  const merged = Dict.of(mappingEntries(low));
  spend(10 + merged.size);
  for (const [key, value] of mappingEntries(high)) {
    const known = mappingGet(low, key);
    if (how.recursive && known !== undefined && isMapping(known) && isMapping(value))
      merged.set(key, merge(known, value, how));
    else if (known !== undefined && isList(known) && isList(value))
      merged.set(key, mergeLists(known, value, how));
    else merged.set(key, value);
  }
  return merged;
}
function mergeLists(low: readonly Value[], high: readonly Value[], how: Merging): Value {
  switch (how.lists) {
    case "replace":
      return high;
    case "keep":
      return low;
    case "append":
      return [...low, ...high];
    case "prepend":
      return [...high, ...low];
    case "append_rp":
      return [...iterate(how.filter("difference", low, high)), ...high];
    case "prepend_rp":
      return [...high, ...iterate(how.filter("difference", low, high))];
    default:
      throw new Fault(
        `list_merge cannot be "${how.lists}": replace, keep, append, prepend, append_rp, prepend_rp`,
      );
  }
}

const combine: Filter = (input, call) => {
  const { recursive, list_merge: lists, ...unknown } = Object.fromEntries(call.kwargs);
  const [surplus] = Object.keys(unknown);
  if (surplus !== undefined) throw new Fault(`combine has no argument "${surplus}"`);
  const how: Merging = {
    recursive: flagOf(recursive, false),
    lists: textOf(lists, "replace"),
    filter: (name, a, b) =>
      setFilters[name]?.(a, { name, runtime: call.runtime, args: [b], kwargs: new Map() }) ?? [],
  };
  const all = [input, ...call.args].flatMap((value): readonly Value[] =>
    isList(value) ? flat(value) : [value],
  );
  return all.reduce<Dict>((merged, value) => {
    if (!isMapping(value)) throw new Fault(`combine wants mappings, and ${aTypeName(value)} was given`);
    return merge(merged, value, how);
  }, new Dict());
};
const flat = (items: readonly Value[]): Value[] =>
  items.flatMap((item) => (isList(item) ? flat(item) : [item]));

const dict2items: Filter = (input, call) => {
  const [keyName, valueName] = parameters(call, ["key_name", "value_name"]);
  if (!isMapping(input)) throw new Fault(`dict2items wants a mapping, and ${aTypeName(input)} was given`);
  return mappingEntries(input).map(([key, value]) =>
    Dict.of([
      [textOf(keyName, "key"), key],
      [textOf(valueName, "value"), value],
    ]),
  );
};

const items2dict: Filter = (input, call) => {
  const [keyName, valueName] = parameters(call, ["key_name", "value_name"]);
  const fields = [keyName ?? "key", valueName ?? "value"] as const;
  return Dict.of(
    iterate(input).map((item): [Value, Value] => {
      // The names may also be the places of pairs: key_name=0, value_name=1.
      const [key, value] = fields.map((field) =>
        isMapping(item) || (isList(item) && isInt(field)) ? itemOf(item, field, 0) : undefined,
      );
      if (key === undefined || value === undefined || key instanceof Undefined || value instanceof Undefined)
        throw new Fault(`items2dict wants items with ${repr(fields[0])} and ${repr(fields[1])}`);
      return [key, value];
    }),
  );
};

const dictsort: Filter = (input, call) => {
  const [sensitive, by, reverse] = parameters(call, ["case_sensitive", "by", "reverse"]);
  if (!isMapping(input)) throw new Fault(`dictsort wants a mapping, and ${aTypeName(input)} was given`);
  const position = textOf(by, "key") === "value" ? 1 : 0;
  const keyOf = (entry: readonly [Value, Value]): Value => {
    const key = entry[position];
    return typeof key === "string" && !flagOf(sensitive, false) ? key.toLowerCase() : key;
  };
  const sorted = mappingEntries(input).sort((a, b) => compare(keyOf(a), keyOf(b), "dictsort"));
  return (flagOf(reverse, false) ? sorted.reverse() : sorted).map(([key, value]) => tuple(key, value));
};

/** A list, or the values of a mapping, under what each has as `key`. */
const rekeyOnMember: Filter = (input, call) => {
  const [key, duplicates] = parameters(call, ["key", "duplicates"], 1);
  const how = textOf(duplicates, "error");
  if (how !== "error" && how !== "overwrite")
    throw new Fault(`duplicates cannot be "${how}": error, overwrite`);
  const items = isMapping(input) ? mappingEntries(input).map(([, value]) => value) : iterate(input);
  const made = new Dict();
  for (const item of items) {
    const name = isMapping(item) ? mappingGet(item, key ?? null) : undefined;
    if (name === undefined) throw new Fault(`rekey_on_member wants items with ${repr(key ?? null)}`);
    if (how === "error" && made.has(name))
      throw new Fault(`two items have the ${str(key ?? null)} ${repr(name)}`);
    made.set(name, item);
  }
  return made;
};

export const collectionFilters: Readonly<Record<string, Filter>> = {
  combine,
  dict2items,
  items2dict,
  dictsort,
  rekey_on_member: rekeyOnMember,
  dict: (input) => (isMapping(input) ? Dict.of(mappingEntries(input)) : Dict.of(iterate(input).map(pair))),
};
function pair(value: Value): [Value, Value] {
  if (!isList(value) || value.length !== 2) throw new Fault("dict wants pairs");
  return [value[0] ?? null, value[1] ?? null];
}

/** Filters of the collection community.general that roles use. */
import { crc32 } from "node:zlib";
import { parseCsv } from "../csv.ts";
import { iterate } from "../members.ts";
import { asText, type Filter, flagOf, parameters, textOf } from "../runtime.ts";
import { compareLoose } from "../tests/version.ts";
import { str } from "../text.ts";
import { Dict, Fault, isList, isMapping, mappingGet, type Value } from "../value.ts";
import { collectionFilters } from "./collections.ts";

function memberOf(item: Value, key: string, filter: string): Value {
  const found = isMapping(item) ? mappingGet(item, key) : undefined;
  if (found === undefined) throw new Fault(`${filter} wants items with "${key}"`);
  return found;
}

/** Lists of mappings by what they have as `index`; of equal ones the later members win. */
const listsMergeby: Filter = (input, call) => {
  const named = new Map(call.kwargs);
  const index = textOf(named.get("index") ?? call.args.at(-1), "");
  const merges = new Map([...named].filter(([name]) => name !== "index"));
  const others = named.has("index") ? call.args : call.args.slice(0, -1);
  const lists = [input, ...others].flatMap((list): readonly Value[] =>
    isList(list) && list.every((one) => isList(one)) ? list : [list],
  );
  const made = new Map<string, Value>();
  for (const item of lists.flatMap(iterate)) {
    const key = str(memberOf(item, index, call.name));
    const known = made.get(key);
    const combined = collectionFilters.combine?.(known ?? new Dict(), {
      ...call,
      args: [item],
      kwargs: merges,
    });
    made.set(key, combined ?? item);
  }
  return [...made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
};

export const communityFilters: Readonly<Record<string, Filter>> = {
  version_sort: (input, call) => {
    const backwards = flagOf(parameters(call, ["reverse"])[0], false);
    const sorted = [...iterate(input)].sort((a, b) => compareLoose(str(a), str(b)));
    return backwards ? sorted.reverse() : sorted;
  },
  dict_kv: (input, call) => Dict.of([[parameters(call, ["key"], 1)[0] ?? null, input]]),
  groupby_as_dict: (input, call) => {
    const key = textOf(parameters(call, ["attribute"], 1)[0], "");
    const made = new Dict();
    for (const item of iterate(input)) {
      const name = memberOf(item, key, call.name);
      if (made.has(name)) throw new Fault(`two items have the ${key} "${str(name)}"`);
      made.set(name, item);
    }
    return made;
  },
  lists_mergeby: listsMergeby,
  counter: (input) => {
    const made = new Dict();
    for (const item of iterate(input)) made.set(item, Number(made.get(item) ?? 0) + 1);
    return made;
  },
  crc32: (input) => crc32(asText(input)).toString(16),
  from_csv: (input, call) => {
    const [, names, delimiter] = parameters(call, [
      "dialect",
      "fieldnames",
      "delimiter",
      "skipinitialspace",
      "strict",
    ]);
    const [head = [], ...rows] = parseCsv(asText(input), textOf(delimiter, ","));
    const given = names === undefined || names === null ? undefined : iterate(names).map(str);
    return (given === undefined ? rows : [head, ...rows]).map((row) =>
      Dict.of((given ?? head).map((name, index) => [name, row[index] ?? null] as const)),
    );
  },
  unicode_normalize: (input, call) => asText(input).normalize(textOf(parameters(call, ["form"])[0], "NFC")),
};

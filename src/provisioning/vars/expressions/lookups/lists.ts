/** Lookups that only rearrange what they are given: the `with_` forms of loops. */

import { limitItems } from "../arithmetic.ts";
import { lookInto } from "../filters/attribute.ts";
import { product } from "../filters/sets.ts";
import { formatPercent } from "../format-percent.ts";
import type { Lookup } from "../lookups.ts";
import { iterate } from "../members.ts";
import { flagOf } from "../runtime.ts";
import { str } from "../text.ts";
import {
  aTypeName,
  Dict,
  Fault,
  isList,
  isMapping,
  mappingEntries,
  tuple,
  Undefined,
  type Value,
} from "../value.ts";

const flattened = (terms: readonly Value[]): Value[] =>
  terms.flatMap((term) => (isList(term) ? flattened(term) : [term]));
const listsOf = (terms: readonly Value[]): Value[][] =>
  terms.map((term) => (isList(term) ? [...term] : [term]));

const items: Lookup = ({ terms }) => terms.flatMap((term) => (isList(term) ? [...term] : [term]));

const dict: Lookup = ({ terms }) => {
  const all = terms.flatMap((term) => (isList(term) ? [...term] : [term]));
  return all.flatMap((term) => {
    if (!isMapping(term)) throw new Fault(`dict wants a mapping, and ${aTypeName(term)} was given`);
    return mappingEntries(term).map(([key, value]) =>
      Dict.of([
        ["key", key],
        ["value", value],
      ]),
    );
  });
};

/** `start=1 end=4 stride=1 format=%02d`, `1-4/2:node%d`, or count=N. */
const sequence: Lookup = ({ terms, options }) =>
  (terms.length === 0 ? [""] : terms).flatMap((term) => {
    const given = new Map([...options].map(([key, value]) => [key, str(value)]));
    const settings = typeof term === "string" ? sequenceSettings(term, given) : given;
    return numbers(settings);
  });
function sequenceSettings(term: string, given: Map<string, string>): Map<string, string> {
  const short = /^(?:(0?x?[\da-f]+)-)?(0?x?[\da-f]+)(?:\/([-+]?\d+))?(?::(.*))?$/i.exec(term.trim());
  if (short !== null) {
    const [, start, end, stride, format] = short;
    const parts: [string, string | undefined][] = [
      ["start", start],
      ["end", end],
      ["stride", stride],
      ["format", format],
    ];
    for (const [key, value] of parts) if (value !== undefined) given.set(key, value);
    return given;
  }
  for (const [, key = "", value = ""] of term.matchAll(/(\w+)=("[^"]*"|'[^']*'|\S+)/g))
    given.set(key, value.replace(/^(['"])(.*)\1$/, "$2"));
  return given;
}
function numbers(settings: ReadonlyMap<string, string>): Value[] {
  const number = (name: string): number | undefined => {
    const text = settings.get(name);
    if (text === undefined) return undefined;
    const value = Number(/^0\d+$/.test(text) ? Number.parseInt(text, 8) : text);
    if (!Number.isInteger(value)) throw new Fault(`sequence wants whole numbers, and ${name} is "${text}"`);
    return value;
  };
  const start = number("start") ?? 1;
  const count = number("count");
  const stride = number("stride") ?? 1;
  const end = count === undefined ? number("end") : start + (count - 1) * stride;
  if (end === undefined) throw new Fault("sequence wants end or count");
  if (count === 0 || stride === 0) return [];
  if (stride > 0 && end < start) throw new Fault("sequence counts backwards only with a negative stride");
  const size = Math.floor((end - start) / stride) + 1;
  limitItems(size);
  const format = settings.get("format") ?? "%d";
  return Array.from({ length: Math.max(0, size) }, (_, index) =>
    formatPercent(format, start + index * stride),
  );
}

const together: Lookup = ({ terms }) => {
  const lists = listsOf(terms);
  if (lists.length === 0) throw new Fault("together wants lists");
  const size = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: size }, (_, index) => lists.map((list) => list[index] ?? null));
};

const nested: Lookup = ({ terms }) => {
  const lists = listsOf(terms);
  if (lists.length === 0) throw new Fault("nested wants lists");
  return product(lists).map((row) => row.flatMap((item) => (isList(item) ? [...item] : [item])));
};

/** The list itself is taken out of the item, as Ansible's lookup does (its filter does not). */
const without = (item: Value, key: string): Value =>
  isMapping(item) ? Dict.of(mappingEntries(item).filter(([name]) => name !== key)) : item;

const subelements: Lookup = ({ terms }) => {
  const [over, key, flags] = terms;
  if (over === undefined || typeof key !== "string")
    throw new Fault("subelements wants a list and the name of a list in its items");
  const skips =
    flags !== undefined && isMapping(flags)
      ? flagOf(mappingEntries(flags).find(([name]) => name === "skip_missing")?.[1], false)
      : false;
  const members = isMapping(over) ? mappingEntries(over).map(([, value]) => value) : iterate(over);
  return members.flatMap((item) => {
    const inner = lookInto(item, key);
    if (inner instanceof Undefined) {
      if (skips) return [];
      throw new Fault(`an item has no list "${key}" for subelements`);
    }
    if (!isList(inner)) throw new Fault(`"${key}" is no list but ${aTypeName(inner)}`);
    return inner.map((one) => tuple(without(item, key), one));
  });
};

export const listLookups: Readonly<Record<string, Lookup>> = {
  items,
  list: ({ terms }) => terms,
  flattened: ({ terms }) => flattened(terms),
  dict,
  sequence,
  together,
  nested,
  cartesian: nested,
  subelements,
  indexed_items: (call) => items(call).map((item, index) => tuple(index, item)),
  random_choice: (call) => {
    const all = items(call);
    call.renderer.markImpure('lookup("random_choice")');
    return all.length === 0 ? [] : [all[Math.floor(call.renderer.random() * all.length)] ?? null];
  },
};

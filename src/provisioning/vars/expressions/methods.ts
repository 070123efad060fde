/** The methods of Python's str, list and dict that templates use. Nothing changes its object except append and its kin. */

import { limitText } from "./arithmetic.ts";
import { compare, equals } from "./compare.ts";
import { spend } from "./effort.ts";
import { formatText } from "./format-text.ts";
import { isOwn } from "./frame.ts";
import { iterate, sliceOf } from "./members.ts";
import { type Invocation, parameters, textOf, wholeOf } from "./runtime.ts";
import { splitLines, splitText, titleCase } from "./split-text.ts";
import { characters, str, textLength } from "./text.ts";
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
  mappingKeys,
  Tuple,
  toNumber,
  tuple,
  type Value,
} from "./value.ts";

export function callMethod(object: Value, call: Invocation): Value {
  const found =
    typeof object === "string"
      ? own(textMethods, call.name)?.(object, call)
      : isList(object)
        ? own(listMethods, call.name)?.(object, call)
        : isMapping(object)
          ? own(mappingMethods, call.name)?.(object, call)
          : isInt(object) || typeof object === "number"
            ? numberMethod(object, call)
            : undefined;
  if (found === undefined) throw new Fault(`${aTypeName(object)} has no method "${call.name}"`);
  if (typeof found === "string") limitText(found.length);
  return found;
}
const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

function numberMethod(object: Value, call: Invocation): Value | undefined {
  if (call.name === "bit_length" && isInt(object))
    return toNumber(object).toString(2).replace("-", "").length;
  if (call.name === "is_integer") return isInt(object);
  return undefined;
}

type TextMethod = (text: string, call: Invocation) => Value;
const simple =
  (work: (text: string) => Value): TextMethod =>
  (text, call) => {
    parameters(call, []);
    return work(text);
  };

/** str.strip and its kin: `chars` is a set of characters; without it, blanks. */
export function strip(text: string, chars: string | undefined, sides: "both" | "left" | "right"): string {
  const set = chars === undefined ? undefined : new Set(characters(chars));
  const drops = (char: string): boolean => (set === undefined ? /\s/.test(char) : set.has(char));
  const all = characters(text);
  let start = 0;
  let end = all.length;
  if (sides !== "right") while (start < end && drops(all[start] ?? "")) start++;
  if (sides !== "left") while (end > start && drops(all[end - 1] ?? "")) end--;
  return all.slice(start, end).join("");
}
const stripping =
  (sides: "both" | "left" | "right"): TextMethod =>
  (text, call) => {
    const [chars] = parameters(call, ["chars"]);
    return strip(text, chars === undefined || chars === null ? undefined : textOf(chars, ""), sides);
  };

function startsOrEnds(text: string, call: Invocation): Value {
  const [affix, start, end] = parameters(call, ["affix", "start", "end"], 1);
  const part = characters(text)
    .slice(wholeOf(start, 0), end === undefined ? undefined : wholeOf(end, 0))
    .join("");
  const wanted = isList(affix as Value) ? (affix as readonly Value[]) : [affix as Value];
  return wanted.some((one) =>
    call.name === "startswith" ? part.startsWith(textOf(one, "")) : part.endsWith(textOf(one, "")),
  );
}

function find(text: string, call: Invocation): Value {
  const [wanted, start, end] = parameters(call, ["sub", "start", "end"], 1);
  const all = characters(text);
  const from = wholeOf(start, 0) < 0 ? Math.max(0, all.length + wholeOf(start, 0)) : wholeOf(start, 0);
  const part = all.slice(from, end === undefined ? undefined : wholeOf(end, 0)).join("");
  const needle = textOf(wanted, "");
  const unit = call.name.startsWith("r") ? part.lastIndexOf(needle) : part.indexOf(needle);
  if (unit < 0 && call.name.endsWith("index"))
    throw new Fault(`there is no ${JSON.stringify(needle)} in the text`);
  return unit < 0 ? -1 : from + textLength(part.slice(0, unit));
}

/** str.replace: an empty `old` stands between all characters. */
export function replaceText(text: string, old: string, fresh: string, count = -1): string {
  if (count < 0) {
    limitText(text.length + (old === "" ? text.length : text.split(old).length) * fresh.length);
    return text.replaceAll(old, () => fresh);
  }
  let left = count;
  return text.replaceAll(old, (found) => (left-- > 0 ? fresh : found));
}

function justified(text: string, call: Invocation): Value {
  const [width, fill] = parameters(call, ["width", "fillchar"], 1);
  const missing = Math.max(0, wholeOf(width, 0) - textLength(text));
  limitText(missing);
  const blank = textOf(fill, " ");
  if (call.name === "ljust") return text + blank.repeat(missing);
  if (call.name === "rjust") return blank.repeat(missing) + text;
  return centered(text, missing, blank, textLength(text) + missing);
}
/** Where the blanks do not halve, Python gives the left one more when the width is odd. */
export function centered(text: string, missing: number, blank: string, width: number): string {
  const left = Math.floor(missing / 2) + (missing & width & 1);
  return blank.repeat(left) + text + blank.repeat(missing - left);
}

function partition(text: string, call: Invocation): Value {
  const [separator] = parameters(call, ["sep"], 1);
  const mark = textOf(separator, "");
  const last = call.name === "rpartition";
  const at = last ? text.lastIndexOf(mark) : text.indexOf(mark);
  if (at < 0) return last ? tuple("", "", text) : tuple(text, "", "");
  return tuple(text.slice(0, at), mark, text.slice(at + mark.length));
}

const every =
  (pattern: RegExp): TextMethod =>
  (text) =>
    pattern.test(text);

const textMethods: Readonly<Record<string, TextMethod>> = {
  capitalize: simple((text) => {
    const [first = "", ...rest] = characters(text);
    return first.toUpperCase() + rest.join("").toLowerCase();
  }),
  casefold: simple((text) => text.toLowerCase()),
  center: justified,
  count(text, call) {
    const [wanted, start, end] = parameters(call, ["sub", "start", "end"], 1);
    const needle = textOf(wanted, "");
    const isWhole = start === undefined && end === undefined;
    const part = isWhole ? text : sliceOf(text, { start, stop: end, step: undefined });
    return needle === "" ? textLength(str(part)) + 1 : str(part).split(needle).length - 1;
  },
  encode: (text) => text,
  endswith: startsOrEnds,
  expandtabs(text, call) {
    const size = Math.max(0, wholeOf(parameters(call, ["tabsize"])[0], 8));
    let column = 0;
    const expanded = characters(text).map((char) => {
      if (char === "\n" || char === "\r") column = -1;
      const width = char === "\t" ? (size === 0 ? 0 : size - (column % size)) : 1;
      limitText(width);
      column += width;
      return char === "\t" ? " ".repeat(width) : char;
    });
    limitText(expanded.reduce((sum, part) => sum + part.length, 0));
    return expanded.join("");
  },
  find,
  format: (text, call) => formatText(text, call),
  index: find,
  isalnum: every(/^[\p{L}\p{N}]+$/u),
  isalpha: every(/^\p{L}+$/u),
  isdecimal: every(/^\p{Nd}+$/u),
  isdigit: every(/^\p{Nd}+$/u),
  isidentifier: every(/^[\p{L}_][\p{L}\p{N}_]*$/u),
  islower: simple((text) => text === text.toLowerCase() && text !== text.toUpperCase()),
  isnumeric: every(/^\p{N}+$/u),
  isspace: every(/^\s+$/),
  istitle: simple((text) => text === titleCase(text) && text.toLowerCase() !== text.toUpperCase()),
  isupper: simple((text) => text === text.toUpperCase() && text !== text.toLowerCase()),
  join(text, call) {
    const [items] = parameters(call, ["iterable"], 1);
    return iterate(items ?? null)
      .map((item) => textOf(item, "", "text for join()"))
      .join(text);
  },
  ljust: justified,
  lower: simple((text) => text.toLowerCase()),
  lstrip: stripping("left"),
  partition,
  removeprefix(text, call) {
    const affix = textOf(parameters(call, ["prefix"], 1)[0], "");
    return text.startsWith(affix) ? text.slice(affix.length) : text;
  },
  removesuffix(text, call) {
    const affix = textOf(parameters(call, ["suffix"], 1)[0], "");
    return affix !== "" && text.endsWith(affix) ? text.slice(0, -affix.length) : text;
  },
  replace(text, call) {
    const [old, fresh, count] = parameters(call, ["old", "new", "count"], 2);
    return replaceText(text, textOf(old, ""), textOf(fresh, ""), wholeOf(count, -1));
  },
  rfind: find,
  rindex: find,
  rjust: justified,
  rpartition: partition,
  rsplit: (text, call) => split(text, call, true),
  rstrip: stripping("right"),
  split: (text, call) => split(text, call, false),
  splitlines(text, call) {
    return splitLines(text, parameters(call, ["keepends"])[0] === true);
  },
  startswith: startsOrEnds,
  strip: stripping("both"),
  swapcase: simple((text) =>
    characters(text)
      .map((char) => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase()))
      .join(""),
  ),
  title: simple(titleCase),
  upper: simple((text) => text.toUpperCase()),
  zfill(text, call) {
    const width = wholeOf(parameters(call, ["width"], 1)[0], 0);
    limitText(width);
    const sign = /^[-+]/.exec(text)?.[0] ?? "";
    return sign + text.slice(sign.length).padStart(width - sign.length, "0");
  },
};

function split(text: string, call: Invocation, fromRight: boolean): Value {
  const [separator, most] = parameters(call, ["sep", "maxsplit"]);
  const mark = separator === undefined || separator === null ? undefined : textOf(separator, "");
  return splitText(text, { separator: mark, most: wholeOf(most, -1), fromRight });
}

type ListMethod = (list: readonly Value[], call: Invocation) => Value;
const listMethods: Readonly<Record<string, ListMethod>> = {
  append(list, call) {
    growable(list, call).push(parameters(call, ["object"], 1)[0] ?? null);
    return null;
  },
  extend(list, call) {
    growable(list, call).push(...iterate(parameters(call, ["iterable"], 1)[0] ?? null));
    return null;
  },
  insert(list, call) {
    const [index, item] = parameters(call, ["index", "object"], 2);
    growable(list, call).splice(wholeOf(index, 0), 0, item ?? null);
    return null;
  },
  pop(list, call) {
    const index = wholeOf(parameters(call, ["index"])[0], -1);
    const [taken] = growable(list, call).splice(index < 0 ? list.length + index : index, 1);
    if (taken === undefined) throw new Fault("pop() from a list without that item");
    return taken;
  },
  remove(list, call) {
    const [item] = parameters(call, ["value"], 1);
    const index = list.findIndex((member) => equals(member, item ?? null));
    if (index < 0) throw new Fault("remove() of an item that is not in the list");
    growable(list, call).splice(index, 1);
    return null;
  },
  reverse(list, call) {
    growable(list, call).reverse();
    return null;
  },
  sort(list, call) {
    growable(list, call).sort((a, b) => compare(a, b, "sort"));
    return null;
  },
  copy: (list) => [...list],
  count(list, call) {
    const [item] = parameters(call, ["value"], 1);
    return list.filter((member) => equals(member, item ?? null)).length;
  },
  index(list, call) {
    const [item] = parameters(call, ["value"], 1);
    const index = list.findIndex((member) => equals(member, item ?? null));
    if (index < 0) throw new Fault("index() of an item that is not in the list");
    return index;
  },
};
function growable(list: readonly Value[], call: Invocation): Value[] {
  if (list instanceof Tuple) throw new Fault(`a tuple has no method "${call.name}"`);
  if (!isOwn(list))
    throw new Fault(`"${call.name}" would change a list that others read: take a copy with | list`);
  spend(1);
  return list as Value[];
}

type MappingMethod = (map: Mapping, call: Invocation) => Value;
const mappingMethods: Readonly<Record<string, MappingMethod>> = {
  items: (map) => mappingEntries(map).map(([key, value]) => tuple(key, value)),
  keys: (map) => mappingKeys(map),
  values: (map) => mappingEntries(map).map(([, value]) => value),
  get(map, call) {
    const [key, usual] = parameters(call, ["key", "default"], 1);
    const found = mappingGet(map, key ?? null);
    return found === undefined ? (usual ?? null) : found;
  },
  copy: (map) => Dict.of(mappingEntries(map)),
  update(map, call) {
    const target = changeable(map, call);
    for (const source of call.args)
      if (isMapping(source)) for (const [k, v] of mappingEntries(source)) target.set(k, v);
    for (const [key, value] of call.kwargs) target.set(key, value);
    return null;
  },
  pop(map, call) {
    const [key, usual] = parameters(call, ["key", "default"], 1);
    const known = mappingGet(map, key ?? null);
    const found = known === undefined ? usual : known;
    if (found === undefined) throw new Fault(`pop() of a key that is not there: ${str(key ?? null)}`);
    changeable(map, call).delete(key ?? null);
    return found;
  },
  setdefault(map, call) {
    const [key, usual] = parameters(call, ["key", "default"], 1);
    const known = mappingGet(map, key ?? null);
    if (known !== undefined) return known;
    changeable(map, call).set(key ?? null, usual ?? null);
    return usual ?? null;
  },
};
function changeable(map: Mapping, call: Invocation): Dict {
  if (!(map instanceof Dict)) throw new Fault(`"${call.name}" would change a value that came as data`);
  return map;
}

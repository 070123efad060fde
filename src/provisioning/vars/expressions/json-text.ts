/** JSON as Python writes it: a blank after colons and commas, 1.0 for floats, keys in order when asked. */
import { limitText } from "./arithmetic.ts";
import { compareText } from "./compare.ts";
import { spendOn } from "./effort.ts";
import { reprFloat } from "./text.ts";
import {
  aTypeName,
  Fault,
  Float,
  isList,
  isMapping,
  keyText,
  mappingEntries,
  PyObject,
  Undefined,
  type Value,
} from "./value.ts";

export interface JsonOptions {
  readonly indent: number | undefined;
  readonly sortKeys: boolean;
  readonly ascii: boolean;
  readonly separators?: readonly [string, string] | undefined;
}

export function jsonText(value: Value, options: JsonOptions): string {
  const [comma, colon] = options.separators ?? (options.indent === undefined ? [", ", ": "] : [",", ": "]);
  const write = (item: Value, depth: number): string => {
    const scalar = scalarText(item, options.ascii);
    if (scalar !== undefined) return scalar;
    if (isList(item)) {
      spendOn(item.length);
      const items = item.map((one) => write(one, depth + 1));
      return wrap(["[", "]"], items, depth);
    }
    if (!isMapping(item)) throw new Fault(`${aTypeName(item)} is nothing that JSON can write`);
    const pairs = mappingEntries(item);
    spendOn(pairs.length);
    const entries = pairs.map(([key, member]) => [keyText(key), member] as const);
    if (options.sortKeys) entries.sort(([a], [b]) => compareText(a, b));
    const members = entries.map(
      ([key, member]) => `${jsonString(key, options.ascii)}${colon}${write(member, depth + 1)}`,
    );
    return wrap(["{", "}"], members, depth);
  };
  const wrap = (ends: readonly [string, string], parts: readonly string[], depth: number): string => {
    if (parts.length === 0) return ends.join("");
    if (options.indent === undefined) return ends[0] + parts.join(comma) + ends[1];
    const pad = (level: number): string => `\n${" ".repeat((options.indent ?? 0) * level)}`;
    return ends[0] + pad(depth + 1) + parts.join(comma.trimEnd() + pad(depth + 1)) + pad(depth) + ends[1];
  };
  return write(value, 0);
}

function scalarText(value: Value, ascii: boolean): string | undefined {
  if (value === null) return "null";
  if (typeof value === "string") return jsonString(value, ascii);
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : jsonFloat(value);
  if (value instanceof Float) return jsonFloat(value.value);
  if (value instanceof Undefined) throw value.fault();
  if (value instanceof PyObject && value.keys() === undefined) return jsonString(value.text(), ascii);
  return undefined;
}
const jsonFloat = (value: number): string =>
  Number.isFinite(value)
    ? reprFloat(value)
    : Number.isNaN(value)
      ? "NaN"
      : value > 0
        ? "Infinity"
        : "-Infinity";

export function jsonString(text: string, ascii: boolean): string {
  const quoted = JSON.stringify(text);
  if (!ascii) return quoted;
  return quoted.replace(/[\u0080-\uffff]+/g, (units) => {
    limitText(units.length * 6);
    let escaped = "";
    for (let index = 0; index < units.length; index++)
      escaped += `\\u${units.charCodeAt(index).toString(16).padStart(4, "0")}`;
    return escaped;
  });
}

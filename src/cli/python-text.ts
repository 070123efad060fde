/** Values as Python prints them: what scripts that read `ansible-inventory` expect, to the byte. */
import type { ScalarNode, SourceNode } from "../provisioning/source/node.ts";
import { keyText } from "../provisioning/source/to-plain.ts";

/** `json.dumps(sort_keys=True, indent=4, ensure_ascii=False)`, with vault text and unsafe text as Ansible wraps them. */
export function pythonJson(value: PrintValue, indent = ""): string {
  if (isScalar(value)) return typeof value === "object" ? scalarJson(value, indent) : JSON.stringify(value);
  const deeper = `${indent}    `;
  const items = itemsOf(value);
  if (items !== undefined) {
    const lines = items.map((item) => deeper + pythonJson(item, deeper));
    return lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n${indent}]`;
  }
  const lines = sortedMembers(value).map(
    ([key, item]) => `${deeper}${JSON.stringify(textOfKey(key))}: ${pythonJson(item, deeper)}`,
  );
  return lines.length === 0 ? "{}" : `{\n${lines.join(",\n")}\n${indent}}`;
}

/** What is printed: plain text and lists, maps by name, and nodes of a source. */
export type PrintValue =
  | string
  | number
  | readonly PrintValue[]
  | ReadonlyMap<string, PrintValue>
  | SourceNode;

const isNode = (value: PrintValue): value is SourceNode =>
  typeof value === "object" && !Array.isArray(value) && !(value instanceof Map) && "kind" in value;

export const isScalar = (value: PrintValue): value is string | number | ScalarNode =>
  typeof value !== "object" || (isNode(value) && value.kind === "scalar");

/** Undefined: it is no list. */
export function itemsOf(value: PrintValue): readonly PrintValue[] | undefined {
  if (Array.isArray(value)) return value;
  return isNode(value) && value.kind === "list" ? value.items : undefined;
}

type Key = string | ScalarNode;

export const textOfKey = (key: Key): string => (typeof key === "string" ? key : keyText(key));

/** In the order in which they were written; none of what is no map. */
export function membersOf(value: PrintValue): readonly (readonly [Key, PrintValue])[] {
  if (value instanceof Map) return [...value];
  if (!isNode(value) || value.kind !== "map") return [];
  return value.entries.map(({ key, value: member }) => [key, member]);
}

/** As Python's sorted() has them: numbers by size, all else by its text. */
export function sortedMembers(value: PrintValue): readonly (readonly [Key, PrintValue])[] {
  const members = membersOf(value);
  const sizes = members.map(([key]) => (typeof key === "string" ? undefined : key.value));
  const areNumbers = sizes.every((size) => typeof size === "number");
  return members.toSorted(([a], [b]) =>
    areNumbers ? Number(textOfKey(a)) - Number(textOfKey(b)) : byCodePoint(textOfKey(a), textOfKey(b)),
  );
}

function scalarJson({ value, float, tag }: ScalarNode, indent: string): string {
  if (tag !== undefined) return pythonJson(new Map([[`__ansible_${tag.slice(1)}`, String(value)]]), indent);
  if (typeof value === "number") return numberText(value, float === true);
  return JSON.stringify(value);
}

function byCodePoint(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Floats keep their point; exponents begin where Python's do. */
export function numberText(value: number, isFloat: boolean): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  const size = Math.abs(value);
  if (isFloat && size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [mantissa = "", exponent = ""] = value.toExponential().split("e");
    const digits = exponent.slice(1).padStart(2, "0");
    return `${mantissa}e${exponent.startsWith("-") ? "-" : "+"}${digits}`;
  }
  const text = Object.is(value, -0) ? "-0" : String(value);
  return isFloat && Number.isInteger(value) ? `${text}.0` : text;
}

/** `str(value)`: text as it is, all else as `repr`. */
export function pythonStr(node: SourceNode): string {
  return node.kind === "scalar" && typeof node.value === "string" ? node.value : pythonRepr(node);
}

export function pythonRepr(node: SourceNode): string {
  if (node.kind === "list") {
    const items = node.items.map(pythonRepr);
    if (node.tuple === true) return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
    return `[${items.join(", ")}]`;
  }
  if (node.kind === "map") {
    return `{${node.entries.map(({ key, value }) => `${pythonRepr(key)}: ${pythonRepr(value)}`).join(", ")}}`;
  }
  const { value, float } = node;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") {
    const text = numberText(value, float === true);
    return { NaN: "nan", Infinity: "inf", "-Infinity": "-inf" }[text] ?? text;
  }
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const escaped = value.replace(/[\\\p{Cc}]/gu, (char) => escapes[char] ?? hexEscape(char));
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}

const hexEscape = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Values as Python prints them: what scripts that read `ansible-inventory` expect, to the byte. */
import type { SourceNode } from "../provisioning/source/node.ts";
import { keyText } from "../provisioning/source/to-plain.ts";

/** `json.dumps(sort_keys=True, indent=4, ensure_ascii=False)`, with vault text and unsafe text as Ansible wraps them. */
export function pythonJson(value: PrintValue, indent = ""): string {
  if (isNode(value)) {
    return value.kind === "scalar" ? scalarJson(value, indent) : pythonJson(inner(value), indent);
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const deeper = `${indent}    `;
  if (Array.isArray(value)) {
    const items = value.map((item: PrintValue) => deeper + pythonJson(item, deeper));
    return items.length === 0 ? "[]" : `[\n${items.join(",\n")}\n${indent}]`;
  }
  const entries = [...(value as ReadonlyMap<string, PrintValue>)].sort(([a], [b]) => byCodePoint(a, b));
  const lines = entries.map(([key, item]) => `${deeper}${JSON.stringify(key)}: ${pythonJson(item, deeper)}`);
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

function inner(node: Exclude<SourceNode, { readonly kind: "scalar" }>): PrintValue {
  if (node.kind === "list") return node.items;
  return new Map(node.entries.map(({ key, value }) => [keyText(key), value]));
}

type Scalar = Extract<SourceNode, { readonly kind: "scalar" }>;

function scalarJson({ value, float, tag }: Scalar, indent: string): string {
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

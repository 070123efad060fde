/** str() and repr() as Python writes them. */
import { spendOn } from "./effort.ts";
import { Float, isList, mappingEntries, PyObject, Tuple, Undefined, type Value } from "./value.ts";

/** str(value): what `{{ value }}` prints amid text, except that None prints nothing there. */
export function str(value: Value): string {
  return typeof value === "string" ? value : repr(value);
}

export function repr(value: Value): string {
  if (typeof value === "string") return reprString(value);
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Undefined) throw value.fault();
  if (typeof value === "number") return Number.isInteger(value) ? value.toString() : reprFloat(value);
  if (value instanceof Float) return reprFloat(value.value);
  if (isList(value)) return reprList(value);
  if (value instanceof PyObject && value.keys() === undefined) return value.text();
  const members = mappingEntries(value);
  spendOn(members.length);
  const entries = members.map(([key, member]) => `${repr(key)}: ${repr(member)}`);
  return `{${entries.join(", ")}}`;
}

function reprList(value: readonly Value[]): string {
  spendOn(value.length);
  const items = value.map(repr).join(", ");
  if (!(value instanceof Tuple)) return `[${items}]`;
  return value.length === 1 ? `(${items},)` : `(${items})`;
}

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };
function reprString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const body = text.replace(/[\\'"\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, (char) => {
    if (char === "'" || char === '"') return char === quote ? `\\${char}` : char;
    return named[char] ?? escapeCode(char.codePointAt(0) ?? 0);
  });
  return `${quote}${body}${quote}`;
}
function escapeCode(code: number): string {
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}

/** Shortest digits that read back the same; an exponent below 1e-4 and from 1e16. */
export function reprFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [digits = "", exponentText = "0"] = value.toExponential().split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    const size = Math.abs(exponent).toString().padStart(2, "0");
    return `${digits}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const plain = exponent >= 21 || exponent < -6 ? value.toFixed(20) : value.toString();
  if (plain.includes("e")) return value.toFixed(-exponent + digits.replace(/[-.]/g, "").length - 1);
  return plain.includes(".") ? plain : `${plain}.0`;
}

/** Code points: Python's idea of a character. */
const surrogates = /[\ud800-\udfff]/;
export const characters = (text: string): string[] =>
  surrogates.test(text) ? Array.from(text) : text.split("");
export const textLength = (text: string): number =>
  surrogates.test(text) ? Array.from(text).length : text.length;

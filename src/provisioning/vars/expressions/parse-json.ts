/** JSON text → values, with 1.0 a float and long whole numbers whole. */
import { Dict, float, type Value } from "./value.ts";

/** Throws SyntaxError as JSON.parse does. */
export function parsePythonJson(text: string): Value {
  // The reviver's third argument has the text of a number (ES2025), which tells 1.0 from 1.
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }): Value => {
    if (typeof value === "number") return numberOf(value, context?.source);
    if (value !== null && typeof value === "object" && !Array.isArray(value) && needsDict(value))
      return Dict.of(Object.entries(value));
    return value as Value;
  }) as Value;
}
function numberOf(value: number, source: string | undefined): Value {
  if (source !== undefined && /[.eE]/.test(source)) return float(value);
  return source !== undefined && !Number.isSafeInteger(value) ? BigInt(source) : value;
}
/** A plain object would put keys that look like numbers first. */
const needsDict = (value: object): boolean => Object.keys(value).some((key) => /^\d+$/.test(key));

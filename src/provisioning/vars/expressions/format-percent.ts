/** "%s and %05.1f" % (a, b): text formatting with the percent sign. */
import { limitText } from "./arithmetic.ts";
import { characters, repr, reprFloat, str } from "./text.ts";
import {
  aTypeName,
  Fault,
  isList,
  isMapping,
  isNumeric,
  mappingGet,
  Tuple,
  toNumber,
  Undefined,
  type Value,
} from "./value.ts";

const directive = /%(?:\(([^)]*)\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+))?[hlL]?([\s\S]|$)/g;

export function formatPercent(template: string, given: Value): string {
  if (given instanceof Undefined) throw given.fault();
  const values = given instanceof Tuple ? [...given] : [given];
  let used = 0;
  let named = false;
  const next = (): Value => {
    const value = values[used++];
    if (value === undefined) throw new Fault("there are fewer values than % signs in the format");
    return value;
  };
  const text = template.replace(
    directive,
    (_whole, name?: string, flags = "", width?: string, precision?: string, kind = "") => {
      if (kind === "%") return "%";
      const size = (field: string | undefined): number | undefined =>
        field === undefined ? undefined : field === "*" ? wholeNumber(next(), "*") : Number(field);
      const fieldWidth = size(width);
      const digits = size(precision);
      if (name !== undefined) named = true;
      const value = name === undefined ? next() : member(given, name);
      limitText((fieldWidth ?? 0) + (digits ?? 0));
      const body = formatOne(kind, value, flags, digits);
      return pad(body, flags, fieldWidth ?? 0, "dioxXeEfFgG".includes(kind));
    },
  );
  const isSource = isMapping(given) || (isList(given) && !(given instanceof Tuple));
  if (!named && used < values.length && !isSource)
    throw new Fault("there are more values than % signs in the format");
  limitText(text.length);
  return text;
}

function member(given: Value, name: string): Value {
  const value = isMapping(given) ? mappingGet(given, name) : undefined;
  if (value === undefined) throw new Fault(`the format names "${name}", and there is no such key`);
  return value;
}

function wholeNumber(value: Value, kind: string): number {
  if (!isNumeric(value)) throw new Fault(`%${kind} wants a number, and ${aTypeName(value)} was given`);
  return Math.trunc(toNumber(value));
}

function formatOne(kind: string, value: Value, flags: string, precision: number | undefined): string {
  const sign = (text: string): string =>
    text.startsWith("-") ? text : flags.includes("+") ? `+${text}` : flags.includes(" ") ? ` ${text}` : text;
  switch (kind) {
    case "s":
    case "r":
    case "a": {
      const text = kind === "s" ? str(value) : repr(value);
      return precision === undefined ? text : characters(text).slice(0, precision).join("");
    }
    case "d":
    case "i":
    case "u":
      return sign(
        zeroPad(typeof value === "bigint" ? value.toString() : String(wholeNumber(value, kind)), precision),
      );
    case "x":
    case "X":
    case "o":
      return sign(based(kind, wholeNumber(value, kind), flags, precision));
    case "c":
      return typeof value === "string" ? value : String.fromCodePoint(wholeNumber(value, kind));
    case "e":
    case "E":
    case "f":
    case "F":
    case "g":
    case "G":
      if (!isNumeric(value)) throw new Fault(`%${kind} wants a number, and ${aTypeName(value)} was given`);
      return sign(formatFloat(toNumber(value), kind, precision ?? 6, flags.includes("#")));
    default:
      throw new Fault(kind === "" ? "the format ends with a %" : `"%${kind}" is no format`);
  }
}

function based(kind: string, value: number, flags: string, precision: number | undefined): string {
  const digits = zeroPad(Math.abs(value).toString(kind === "o" ? 8 : 16), precision);
  const prefix = flags.includes("#") ? `0${kind.toLowerCase()}` : "";
  const text = `${value < 0 ? "-" : ""}${prefix}${digits}`;
  return kind === "X" ? text.toUpperCase() : text;
}

const zeroPad = (digits: string, precision = 0): string =>
  digits.startsWith("-") ? `-${digits.slice(1).padStart(precision, "0")}` : digits.padStart(precision, "0");

/** e, f and g as C writes them; shared with str.format. */
export function formatFloat(value: number, kind: string, precision: number, alternate = false): string {
  if (!Number.isFinite(value)) return /[EFG]/.test(kind) ? reprFloat(value).toUpperCase() : reprFloat(value);
  const lower = kind.toLowerCase();
  const text =
    lower === "f"
      ? fixed(value, precision)
      : lower === "e"
        ? exponent(value, precision)
        : general(value, precision, alternate);
  return kind === lower ? text : text.toUpperCase();
}
const fixed = (value: number, precision: number): string => {
  if (Math.abs(value) < 1e21)
    return (Object.is(value, -0) ? "-" : "") + value.toFixed(Math.min(precision, 100));
  return BigInt(value).toString() + (precision > 0 ? `.${"0".repeat(precision)}` : "");
};
function exponent(value: number, precision: number): string {
  const [digits = "", power = "+0"] = value.toExponential(Math.min(precision, 100)).split("e");
  return `${digits}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}
function general(value: number, precision: number, alternate: boolean): string {
  const digits = Math.max(1, precision);
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const power = Number(value.toExponential(Math.min(digits - 1, 100)).split("e")[1]);
  const text = power < -4 || power >= digits ? exponent(value, digits - 1) : fixed(value, digits - 1 - power);
  return alternate ? text : text.replace(/(\.\d*?)0+(?=e|$)/, "$1").replace(/\.(?=e|$)/, "");
}

function pad(text: string, flags: string, width: number, isNumber: boolean): string {
  const missing = width - characters(text).length;
  if (missing <= 0) return text;
  if (flags.includes("-")) return text + " ".repeat(missing);
  if (flags.includes("0") && isNumber) {
    const prefix = /^[+\- ]?(?:0[xXo])?/.exec(text)?.[0] ?? "";
    return prefix + "0".repeat(missing) + text.slice(prefix.length);
  }
  return " ".repeat(missing) + text;
}

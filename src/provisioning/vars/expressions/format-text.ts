/** "{0:>8} {name}".format(…): members by own data only, the usual format specifications. */
import { limitText } from "./arithmetic.ts";
import { formatFloat } from "./format-percent.ts";
import { attributeOf, itemOf } from "./members.ts";
import { repr, reprFloat, str, textLength } from "./text.ts";
import {
  aTypeName,
  type CallArgs,
  Fault,
  isFloat,
  isNumeric,
  toNumber,
  Undefined,
  type Value,
} from "./value.ts";

const field = /\{\{|\}\}|\{([^{}!:]*)(?:!([rsa]))?(?::((?:[^{}]|\{[^{}]*\})*))?\}|[{}]/g;

export function formatText(template: string, given: CallArgs): string {
  let counter = 0;
  const lookup = (path: string): Value => {
    const [, first = "", rest = ""] = /^([^.[]*)([\s\S]*)$/.exec(path) ?? [];
    const key = first === "" ? String(counter++) : first;
    const root = /^\d+$/.test(key) ? given.args[Number(key)] : given.kwargs.get(key);
    if (root === undefined) throw new Fault(`the format names "{${path}}", and there is no such argument`);
    return walk(root, rest);
  };
  const text = template.replace(field, (whole, path?: string, conversion?: string, specification = "") => {
    if (whole === "{{" || whole === "}}") return whole.slice(1);
    if (path === undefined) throw new Fault(`a single "${whole}" in a format: write it twice`);
    const value = lookup(path);
    const spec = specification.replace(/\{([^{}]*)\}/g, (_all: string, inner: string) => str(lookup(inner)));
    return formatValue(
      conversion === undefined ? value : conversion === "s" ? str(value) : repr(value),
      spec,
    );
  });
  limitText(text.length);
  return text;
}

function walk(root: Value, path: string): Value {
  let value = root;
  for (const [, name, key] of path.matchAll(/\.([^.[]+)|\[([^\]]*)\]/g)) {
    if (name !== undefined) value = attributeOf(value, name, 0);
    else value = itemOf(value, /^\d+$/.test(key ?? "") ? Number(key) : (key ?? ""), 0);
    if (value instanceof Undefined) throw value.fault();
  }
  return value;
}

const specPattern = /^(?:([\s\S])?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/u;

export function formatValue(value: Value, specification: string): string {
  if (specification === "") return str(value);
  const match = specPattern.exec(specification);
  if (match === null) throw new Fault(`"${specification}" is no format`);
  const [, fill, align, sign, , zero, width, separator, precision, type] = match;
  const isNumber = isNumeric(value) && typeof value !== "boolean";
  const digits = precision === undefined ? undefined : Number(precision);
  let body = isNumber ? formatNumber(value, type, digits) : formatString(value, type, digits);
  if (isNumber && separator !== undefined) body = grouped(body, separator);
  if (isNumber && !body.startsWith("-") && (sign === "+" || sign === " ")) body = sign + body;
  const missing = Number(width ?? 0) - textLength(body);
  limitText(missing);
  if (missing <= 0) return body;
  return padded(body, {
    missing,
    fill: fill ?? (zero === undefined ? " " : "0"),
    align: align ?? (zero ? "=" : isNumber ? ">" : "<"),
  });
}

function padded(body: string, options: { missing: number; fill: string; align: string }): string {
  const { missing, fill, align } = options;
  if (align === "<") return body + fill.repeat(missing);
  if (align === ">") return fill.repeat(missing) + body;
  if (align === "=") {
    const sign = /^[-+ ]?/.exec(body)?.[0] ?? "";
    return sign + fill.repeat(missing) + body.slice(sign.length);
  }
  const left = Math.floor(missing / 2);
  return fill.repeat(left) + body + fill.repeat(missing - left);
}

function formatString(value: Value, type: string | undefined, precision: number | undefined): string {
  if (type !== undefined && type !== "s") throw new Fault(`"${type}" is no format of ${aTypeName(value)}`);
  const text = str(value);
  return precision === undefined ? text : Array.from(text).slice(0, precision).join("");
}

function formatNumber(value: Value, type: string | undefined, precision: number | undefined): string {
  const number = isNumeric(value) ? toNumber(value) : 0;
  const bases: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16, X: 16 };
  const base = type === undefined ? undefined : bases[type];
  if (base !== undefined) return type === "X" ? number.toString(base).toUpperCase() : number.toString(base);
  if (type === undefined && precision === undefined) return isFloat(value) ? reprFloat(number) : str(value);
  if (type === "d") return isFloat(value) ? bad(type, value) : str(value);
  if (type === "c") return String.fromCodePoint(number);
  if (type === "%") return `${formatFloat(number * 100, "f", precision ?? 6)}%`;
  if (type === "n") return formatFloat(number, "g", precision ?? 6);
  if (type === undefined || /[eEfFgG]/.test(type)) return formatFloat(number, type ?? "g", precision ?? 6);
  return bad(type, value);
}
function bad(type: string, value: Value): never {
  throw new Fault(`"${type}" is no format of ${aTypeName(value)}`);
}
function grouped(body: string, separator: string): string {
  return body.replace(/^(-?)(\d+)/, (_all, sign: string, whole: string) => {
    return sign + whole.replace(/\B(?=(?:\d{3})+$)/g, separator);
  });
}

/** Filters about a value as such: default, types, conversion. */
import { equals, truth } from "../compare.ts";
import { numberValue } from "../lexer.ts";
import { expressionLimits } from "../limits.ts";
import { iterate } from "../members.ts";
import { asText, type Filter, flagOf, parameters, textOf, wholeOf } from "../runtime.ts";
import { repr, str } from "../text.ts";
import {
  aTypeName,
  Fault,
  float,
  isInt,
  isList,
  isMapping,
  isNumeric,
  mappingEntries,
  mappingGet,
  toNumber,
  tuple,
  typeName,
  Undefined,
  type Value,
} from "../value.ts";

const defaultFilter: Filter = (input, call) => {
  const usual = call.args[0] ?? call.kwargs.get("default_value") ?? "";
  const given = call.args[1] ?? call.kwargs.get("boolean");
  if (input instanceof Undefined) return call.args.length > 0 && call.args[0] === null ? null : usual;
  return flagOf(given, false) && !truth(input) ? (call.args[0] === null ? null : usual) : input;
};

const mandatory: Filter = (input, call) => {
  const [message] = parameters(call, ["msg"]);
  if (!(input instanceof Undefined)) return input;
  if (message === undefined || message === null) throw input.fault();
  const fault = new Fault(str(message));
  fault.undefinedName = input.name;
  throw fault;
};

/** Ansible's: yes, on, 1 and true are true; null stays null; anything else is false. */
export function toBool(input: Value): boolean | null {
  if (input === null || typeof input === "boolean") return input;
  const text = typeof input === "string" ? input.toLowerCase() : input;
  return typeof text === "string" ? ["yes", "on", "1", "true"].includes(text) : equals(text, 1);
}

const intFilter: Filter = (input, call) => {
  const [usual, base] = parameters(call, ["default", "base"]);
  const fallback = usual === undefined ? 0 : usual;
  if (isInt(input)) return input;
  if (isNumeric(input)) {
    const whole = Math.trunc(toNumber(input));
    return Number.isFinite(whole) ? whole + 0 : fallback;
  }
  if (typeof input !== "string") return fallback;
  return parseWhole(input, wholeOf(base, 10)) ?? fallback;
};
function parseWhole(input: string, base: number): Value | undefined {
  const text = input.trim().replace(/(?<=[\da-zA-Z])_(?=[\da-zA-Z])/g, "");
  const [, sign = "", digits = ""] = /^([-+]?)(?:0[xob](?=[\da-fA-F]))?([\da-zA-Z]+)$/i.exec(text) ?? [];
  const prefixed = /^[-+]?0[xob]/i.test(text);
  if (digits.length > expressionLimits.integerDigits) return undefined;
  if (base === 10 && !prefixed && /^\d+$/.test(digits)) {
    const value = numberValue(digits);
    return sign === "-" ? (typeof value === "bigint" ? -value : -toNumber(value as number) + 0) : value;
  }
  if (base !== 10) {
    const number = Number.parseInt(
      digits,
      base === 0 ? ({ x: 16, o: 8, b: 2 }[text.replace(/^[-+]/, "")[1] ?? ""] ?? 10) : base,
    );
    const valid = !Number.isNaN(number) && number.toString(base || 10).length > 0;
    return valid ? (sign === "-" ? -number : number) : undefined;
  }
  const fraction = parseFloatText(text);
  return fraction === undefined || !Number.isFinite(fraction) ? undefined : Math.trunc(fraction) + 0;
}
function parseFloatText(input: string): number | undefined {
  const text = input.trim().replaceAll("_", "").toLowerCase();
  const special = /^([-+]?)(inf|infinity|nan)$/.exec(text);
  if (special !== null) return special[2] === "nan" ? Number.NaN : special[1] === "-" ? -Infinity : Infinity;
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/.test(text) ? Number(text) : undefined;
}

const floatFilter: Filter = (input, call) => {
  const [usual] = parameters(call, ["default"]);
  if (isNumeric(input)) return float(toNumber(input));
  const parsed = typeof input === "string" ? parseFloatText(input) : undefined;
  return parsed === undefined ? (usual === undefined ? float(0) : usual) : float(parsed);
};

const ternary: Filter = (input, call) => {
  const [yes, no, neither] = parameters(call, ["true_val", "false_val", "none_val"], 2);
  if (input === null && neither !== undefined) return neither;
  return (truth(input) ? yes : no) ?? null;
};

/** `key | extract(container, morekeys)` */
const extract: Filter = (input, call) => {
  const [container, more] = parameters(call, ["container", "morekeys"], 1);
  const keys = more === undefined || more === null ? [input] : [input, ...(isList(more) ? more : [more])];
  return keys.reduce<Value>((value, key) => {
    const found =
      isList(value) && isInt(key)
        ? value.at(toNumber(key))
        : isMapping(value)
          ? mappingGet(value, key)
          : undefined;
    return found ?? new Undefined({ name: str(key), message: `extract finds no ${repr(key)}`, at: 0 });
  }, container ?? null);
};

export const valueFilters: Readonly<Record<string, Filter>> = {
  default: defaultFilter,
  d: defaultFilter,
  mandatory,
  bool: toBool,
  int: intFilter,
  float: floatFilter,
  string: asText,
  list: (input) => [...iterate(input)],
  items: (input) => {
    if (!isMapping(input)) throw new Fault(`a mapping is wanted, and ${aTypeName(input)} was given`);
    return mappingEntries(input).map(([key, value]) => tuple(key, value));
  },
  attr: (input, call) => {
    const [name] = parameters(call, ["name"], 1);
    const key = textOf(name, "");
    const found = isMapping(input) ? mappingGet(input, key) : undefined;
    return found ?? new Undefined({ name: key, message: `there is no attribute "${key}"`, at: 0 });
  },
  ternary,
  extract,
  type_debug: (input) => (input instanceof Undefined ? "AnsibleUndefined" : typeName(input)),
  safe: asText,
  vault: () => {
    throw new Fault(
      "the filter vault would put a secret into a template: use provision vault encrypt-string",
    );
  },
};

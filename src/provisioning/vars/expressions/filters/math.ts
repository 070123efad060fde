/** Numbers: round, log, human sizes. */
import { type Filter, flagOf, numberOf, parameters, textOf, wholeOf } from "../runtime.ts";
import { aTypeName, Fault, float, isFloat, isInt, isNumeric, toNumber, type Value } from "../value.ts";

function numeric(input: Value, name: string): number {
  if (!isNumeric(input)) throw new Fault(`${name} wants a number, and ${aTypeName(input)} was given`);
  return toNumber(input);
}

/** Halves go to the even neighbour, and 2.675 is nearer to 2.67 than to 2.68: as Python rounds. */
export function roundHalfEven(value: number, digits: number): number {
  if (!Number.isFinite(value)) return value;
  if (digits === 0) return halfEven(value);
  if (digits > 0) {
    const exact = value.toFixed(Math.min(100, digits + 30));
    const scaled = Number(value.toFixed(Math.min(100, digits)));
    const isTie =
      /^5?0*$/.test(exact.slice(exact.indexOf(".") + 1 + digits)) &&
      exact.charAt(exact.indexOf(".") + 1 + digits) === "5";
    if (!isTie) return scaled;
    return Number(`${halfEven(Number(`${value}e${digits}`))}e-${digits}`);
  }
  const unit = 10 ** -digits;
  return halfEven(value / unit) * unit;
}
function halfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

const round: Filter = (input, call) => {
  const [precision, how] = parameters(call, ["precision", "method"]);
  const value = numeric(input, "round");
  const digits = wholeOf(precision, 0);
  const method = textOf(how, "common");
  if (method === "common") {
    const rounded = roundHalfEven(value, digits);
    return isFloat(input) ? float(rounded) : rounded;
  }
  if (method !== "ceil" && method !== "floor")
    throw new Fault(`round knows common, ceil and floor, not "${method}"`);
  const scale = 10 ** digits;
  return float(Math[method](value * scale) / scale);
};

const root: Filter = (input, call) => {
  const [base] = parameters(call, ["base"]);
  const value = numeric(input, "root");
  const degree = numberOf(base, 2);
  if (degree === 2 && value < 0) throw new Fault("there is no real root of a negative number");
  return float(degree === 2 ? Math.sqrt(value) : value ** (1 / degree));
};

const log: Filter = (input, call) => {
  const [base] = parameters(call, ["base"]);
  const value = numeric(input, "log");
  if (value <= 0) throw new Fault("there is no logarithm of a number that is not positive");
  if (base === undefined) return float(Math.log(value));
  const by = numberOf(base, Math.E);
  return float(by === 10 ? Math.log10(value) : Math.log(value) / Math.log(by));
};

const sizes = ["", "K", "M", "G", "T", "P", "E", "Z", "Y"];
const humanReadable: Filter = (input, call) => {
  const [isBits, unit] = parameters(call, ["isbits", "unit"]);
  const size = numberOf(input, 0, "a number of bytes");
  const suffix = flagOf(isBits, false) ? "b" : "B";
  const wanted = unit === undefined || unit === null ? undefined : textOf(unit, "").toUpperCase();
  for (let power = sizes.length - 1; power >= 0; power--) {
    const name = sizes[power] ?? "";
    const fits =
      wanted === undefined
        ? size >= 1024 ** power || power === 0
        : wanted === name || (wanted === "B" && name === "");
    if (fits) {
      const full = power === 0 ? (flagOf(isBits, false) ? "bits" : "Bytes") : name + suffix;
      return `${(size / 1024 ** power).toFixed(2)} ${full}`;
    }
  }
  throw new Fault(`human_readable knows no unit "${wanted}"`);
};

const humanToBytes: Filter = (input, call) => {
  const [defaultUnit, isBits] = parameters(call, ["default_unit", "isbits"]);
  const [, number = "", given = ""] =
    /^\s*(\d*\.?\d+)\s*([a-zA-Z]*)\s*$/.exec(String(isNumeric(input) ? toNumber(input) : input)) ?? [];
  const unit = given === "" ? textOf(defaultUnit, "") : given;
  const wants = flagOf(isBits, false) ? "b" : "B";
  const power = sizes.indexOf(unit.charAt(0).toUpperCase() === "B" ? "" : unit.charAt(0).toUpperCase());
  const rest = power > 0 ? unit.slice(1) : unit;
  // Of a single letter the case tells bits from bytes, but for a size in bytes "b" is understood too.
  const words = wants === "B" ? /^(?:B|byte|bytes|)$/i : /^(?:b|[bB][iI][tT][sS]?|)$/;
  if (number === "" || power < 0 || !words.test(rest))
    throw new Fault(`"${String(input)}" is no size in ${wants === "B" ? "bytes" : "bits"}`);
  return Math.round(Number(number) * 1024 ** power);
};

export const mathFilters: Readonly<Record<string, Filter>> = {
  abs: (input) => {
    const value = Math.abs(numeric(input, "abs"));
    return typeof input === "bigint"
      ? input < 0n
        ? -input
        : input
      : isInt(input) || typeof input === "boolean"
        ? value
        : float(value);
  },
  round,
  log,
  pow: (input, call) => {
    const [power] = parameters(call, ["y"], 1);
    return float(numeric(input, "pow") ** numberOf(power, 1));
  },
  root,
  human_readable: humanReadable,
  human_to_bytes: humanToBytes,
};

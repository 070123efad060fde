/** + - * / // % ** as Python has them: whole numbers stay whole, text and lists repeat and join. */
import type { BinaryOperator } from "./ast.ts";
import { formatPercent } from "./format-percent.ts";
import { expressionLimits } from "./limits.ts";
import { textLength } from "./text.ts";
import {
  Fault,
  type Float,
  float,
  isFloat,
  isInt,
  isList,
  isNumeric,
  PyObject,
  Tuple,
  toNumber,
  tuple,
  typeName,
  Undefined,
  type Value,
} from "./value.ts";

export function binary(operator: BinaryOperator, left: Value, right: Value): Value {
  if (left instanceof Undefined) throw left.fault();
  if (right instanceof Undefined) throw right.fault();
  if (operator === "%" && typeof left === "string") return formatPercent(left, right);
  if (isNumeric(left) && isNumeric(right)) return numeric(operator, left, right);
  const made = sequences(operator, left, right) ?? objects(operator, left, right);
  if (made !== undefined) return made;
  throw new Fault(
    `"${operator}" has no meaning between ${typeName(left)} and ${typeName(right)}${hint(left, right)}`,
  );
}

function hint(left: Value, right: Value): string {
  const types = [left, right].map((value) => (isNumeric(value) ? "number" : typeof value));
  return types.includes("number") && types.includes("string") ? ": convert one with | int or | string" : "";
}

function objects(operator: BinaryOperator, left: Value, right: Value): Value | undefined {
  if (left instanceof PyObject) return left.binary(operator, right);
  return right instanceof PyObject ? right.binary(`r${operator}`, left) : undefined;
}

function sequences(operator: BinaryOperator, left: Value, right: Value): Value | undefined {
  if (operator === "*") {
    if (isWhole(right)) return repeat(left, toNumber(right));
    return isWhole(left) ? repeat(right, toNumber(left)) : undefined;
  }
  if (operator !== "+") return undefined;
  if (typeof left === "string" && typeof right === "string") {
    limitText(left.length + right.length);
    return left + right;
  }
  if (!isList(left) || !isList(right) || left instanceof Tuple !== right instanceof Tuple) return undefined;
  limitItems(left.length + right.length);
  return left instanceof Tuple ? tuple(...left, ...right) : [...left, ...right];
}
const isWhole = (value: Value): value is number | bigint | boolean =>
  isInt(value) || typeof value === "boolean";

function repeat(value: Value, times: number): Value | undefined {
  const count = Math.max(0, times);
  if (typeof value === "string") {
    limitText(textLength(value) * count);
    return value.repeat(count);
  }
  if (!isList(value)) return undefined;
  limitItems(value.length * count);
  const items = Array.from({ length: count }, () => value).flat();
  return value instanceof Tuple ? tuple(...items) : items;
}

export function limitText(chars: number): void {
  if (chars > expressionLimits.outputChars)
    throw new Fault(`the text would have ${chars} characters, more than ${expressionLimits.outputChars}`);
}
export function limitItems(count: number): void {
  if (count > expressionLimits.listItems)
    throw new Fault(`the list would have ${count} items, more than ${expressionLimits.listItems}`);
}

type Numeric = number | bigint | Float | boolean;

function numeric(operator: BinaryOperator, left: Numeric, right: Numeric): Value {
  if (isFloat(left) || isFloat(right) || operator === "/")
    return fractions(operator, toNumber(left), toNumber(right));
  if (operator === "**" && toNumber(right) < 0) return fractions(operator, toNumber(left), toNumber(right));
  return whole(operator, left, right);
}

function fractions(operator: BinaryOperator, left: number, right: number): Value {
  if (right === 0 && (operator === "/" || operator === "//" || operator === "%"))
    throw new Fault("a division by zero");
  switch (operator) {
    case "+":
      return float(left + right);
    case "-":
      return float(left - right);
    case "*":
      return float(left * right);
    case "/":
      return float(left / right);
    case "//":
      return float(Math.floor((left - floatModulo(left, right)) / right + 0.5));
    case "%":
      return float(floatModulo(left, right));
    case "**":
      return power(left, right);
  }
}
/** The result has the sign of the divisor. */
function floatModulo(left: number, right: number): number {
  const rest = left % right;
  if (rest === 0) return right < 0 ? -0 : 0;
  return rest < 0 !== right < 0 ? rest + right : rest;
}
function power(left: number, right: number): Value {
  if (left === 0 && right < 0) throw new Fault("zero to a negative power");
  const value = left ** right;
  if (Number.isNaN(value)) throw new Fault(`${left} ** ${right} is no real number`);
  if (!Number.isFinite(value) && Number.isFinite(left) && Number.isFinite(right))
    throw new Fault("the number is too large");
  return float(value);
}

function whole(operator: BinaryOperator, left: Numeric, right: Numeric): Value {
  const a = toNumber(left);
  const b = toNumber(right);
  if (typeof left !== "bigint" && typeof right !== "bigint") {
    const quick = wholeNumbers(operator, a, b);
    if (Number.isSafeInteger(quick)) return quick;
  }
  return wholeBig(operator, toBigInt(left), toBigInt(right));
}
const toBigInt = (value: Numeric): bigint => (typeof value === "bigint" ? value : BigInt(toNumber(value)));

function wholeNumbers(operator: BinaryOperator, a: number, b: number): number {
  if ((operator === "//" || operator === "%") && b === 0) throw new Fault("a division by zero");
  // `+ 0` turns -0 into 0: whole numbers know no negative zero.
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b + 0;
    case "//":
      return (a - wholeModulo(a, b)) / b + 0;
    case "%":
      return wholeModulo(a, b);
    case "**":
      return a ** b;
    case "/":
      return a / b;
  }
}

function wholeModulo(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest + 0;
}

function wholeBig(operator: BinaryOperator, a: bigint, b: bigint): Value {
  if ((operator === "//" || operator === "%") && b === 0n) throw new Fault("a division by zero");
  switch (operator) {
    case "+":
      return fromBigInt(a + b);
    case "-":
      return fromBigInt(a - b);
    case "*":
      return fromBigInt(a * b);
    case "//":
      return fromBigInt(floorDivide(a, b));
    case "%":
      return fromBigInt(a - b * floorDivide(a, b));
    default: {
      const bits = a.toString(2).length * Number(b);
      if (bits > expressionLimits.integerBits) throw new Fault("the number is too large");
      return fromBigInt(a ** b);
    }
  }
}
const floorDivide = (a: bigint, b: bigint): bigint => {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
};
export function fromBigInt(value: bigint): number | bigint {
  if (value.toString(2).length > expressionLimits.integerBits) throw new Fault("the number is too large");
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

export function negate(value: Value): Value {
  if (value instanceof Undefined) throw value.fault();
  if (typeof value === "bigint") return fromBigInt(-value);
  if (isFloat(value)) return float(-toNumber(value));
  if (isNumeric(value)) return 0 - toNumber(value);
  if (value instanceof PyObject) {
    const made = value.binary("r-", 0);
    if (made !== undefined) return made;
  }
  throw new Fault(`"-" has no meaning before ${typeName(value)}`);
}
export function plus(value: Value): Value {
  if (value instanceof Undefined) throw value.fault();
  if (!isNumeric(value)) throw new Fault(`"+" has no meaning before ${typeName(value)}`);
  return typeof value === "boolean" ? Number(value) : value;
}

/** `is version("1.2", ">=")` */
import { asText, flagOf, parameters, type Test, textOf } from "../runtime.ts";
import { Fault } from "../value.ts";

export const versionTest: Test = (input, call) => {
  const [wanted, operator, strict, type] = parameters(
    call,
    ["version", "operator", "strict", "version_type"],
    1,
  );
  const kind = textOf(type, flagOf(strict, false) ? "strict" : "loose");
  const compareBy = Object.hasOwn(comparers, kind) ? comparers[kind] : undefined;
  if (compareBy === undefined)
    throw new Fault(`version knows the types ${Object.keys(comparers).join(", ")}, not "${kind}"`);
  if (asText(input) === "") throw new Fault("an empty text is no version");
  const order = compareBy(asText(input), asText(wanted ?? ""));
  const holds = Object.hasOwn(operators, textOf(operator, "eq"))
    ? operators[textOf(operator, "eq")]
    : undefined;
  if (holds === undefined) throw new Fault(`version knows no comparison "${textOf(operator, "")}"`);
  return holds(order);
};

const operators: Readonly<Record<string, (order: number) => boolean>> = {};
const define = (names: readonly string[], holds: (order: number) => boolean): void => {
  Object.assign(operators, Object.fromEntries(names.map((name) => [name, holds])));
};
define(["eq", "==", "="], (order) => order === 0);
define(["ne", "!=", "<>"], (order) => order !== 0);
define(["lt", "<"], (order) => order < 0);
define(["le", "<="], (order) => order <= 0);
define(["gt", ">"], (order) => order > 0);
define(["ge", ">="], (order) => order >= 0);

type Part = number | string;
/** Runs of digits and of letters, one after another. */
const looseParts = (version: string): Part[] =>
  (version.match(/\d+|[a-z]+|[^\d.a-z]+/g) ?? []).map((part) => (/^\d/.test(part) ? Number(part) : part));

function compareParts(a: readonly Part[], b: readonly Part[]): number {
  const length = Math.max(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    if (typeof left !== typeof right)
      throw new Fault(`the versions differ in kind: "${left}" against "${right}"`);
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

export const compareLoose = (a: string, b: string): number => compareParts(looseParts(a), looseParts(b));

interface Semantic {
  readonly core: readonly number[];
  readonly pre: readonly Part[];
}
function semantic(version: string): Semantic {
  const [, core, pre = ""] = /^v?(\d+(?:\.\d+)*)(?:-?([\w.-]+))?(?:\+[\w.-]+)?$/.exec(version.trim()) ?? [];
  if (core === undefined) throw new Fault(`"${version}" is no version of that kind`);
  const parts = pre === "" ? [] : pre.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return { core: trimZeros(core.split(".").map(Number)), pre: parts };
}
const trimZeros = (numbers: readonly number[]): number[] =>
  numbers.slice(0, numbers.findLastIndex((one) => one !== 0) + 1);

function compareSemantic(a: string, b: string): number {
  const [left, right] = [semantic(a), semantic(b)];
  const core = compareNumbers(left.core, right.core);
  if (core !== 0) return core;
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  for (let index = 0; index < Math.max(left.pre.length, right.pre.length); index++) {
    const [one, other] = [left.pre[index], right.pre[index]];
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    if (one === other) continue;
    if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return 0;
}
function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const comparers: Readonly<Record<string, (a: string, b: string) => number>> = {
  loose: compareLoose,
  strict: compareSemantic,
  semver: compareSemantic,
  semantic: compareSemantic,
  pep440: compareSemantic,
};

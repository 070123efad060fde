/** Tests of values: types, comparisons, numbers, text, lists. */
import { compare, contains, equals, truth } from "../compare.ts";
import { exec, regexOf } from "../filters/regex.ts";
import { iterate } from "../members.ts";
import { asText, flagOf, type Invocation, numberOf, parameters, type Test, textOf } from "../runtime.ts";
import {
  aTypeName,
  Fault,
  isFloat,
  isInt,
  isList,
  isMapping,
  isNumeric,
  PyObject,
  Tuple,
  toNumber,
  Undefined,
  type Value,
} from "../value.ts";
import { versionTest } from "./version.ts";

const other = (call: Invocation): Value => parameters(call, ["other"], 1)[0] ?? null;
const ordering =
  (operator: string, holds: (order: number) => boolean): Test =>
  (input, call) =>
    holds(compare(input, other(call), operator));
const lt = ordering("<", (order) => order < 0);
const le = ordering("<=", (order) => order <= 0);
const gt = ordering(">", (order) => order > 0);
const ge = ordering(">=", (order) => order >= 0);
const eq: Test = (input, call) => equals(input, other(call));
const ne: Test = (input, call) => !equals(input, other(call));

function whole(input: Value, name: string): number {
  if (!isNumeric(input)) throw new Fault(`${name} wants a number, and ${aTypeName(input)} was given`);
  return toNumber(input);
}
const modulo = (value: number, by: number): number => ((value % by) + by) % by;

const isIterable = (input: Value): boolean =>
  typeof input === "string" ||
  isList(input) ||
  isMapping(input) ||
  (input instanceof PyObject && input.iterate() !== undefined);
const isSequence = (input: Value): boolean => typeof input === "string" || isList(input) || isMapping(input);

/** match: at the start; search: anywhere; fullmatch: all of it; regex: as its match_type says. */
const matching =
  (usual: "match" | "search" | "fullmatch"): Test =>
  (input, call) => {
    const names =
      call.name === "regex"
        ? ["pattern", "ignorecase", "multiline", "match_type"]
        : ["pattern", "ignorecase", "multiline"];
    const [pattern, ignoreCase, multiline, type] = parameters(call, names, 1);
    const how = textOf(type, usual);
    const flags = `${flagOf(ignoreCase, false) ? "i" : ""}${flagOf(multiline, false) ? "m" : ""}`;
    const regex = regexOf(pattern, `${flags}${how === "search" ? "" : "y"}`);
    const whole = how === "fullmatch" ? new RegExp(`(?:${regex.source})(?![\\s\\S])`, regex.flags) : regex;
    return exec(whole, asText(input)) !== null;
  };

const nan: Test = (input) => isNumeric(input) && Number.isNaN(toNumber(input));

/** With convert_bool the words yes, no and their kin count as what they mean. */
function convertedBool(input: Value, call: Invocation): Value {
  const [convert] = parameters(call, ["convert_bool"]);
  if (!flagOf(convert, false)) return input;
  const word = typeof input === "string" ? input.toLowerCase() : input;
  if (["y", "yes", "on", "1", "true", "t"].some((one) => one === word)) return true;
  return ["n", "no", "off", "0", "false", "f"].some((one) => one === word) ? false : input;
}

const uri: Test = (input, call) => {
  const [schemes] = parameters(call, ["schemes"]);
  const scheme = /^([a-z][\w+.-]*):./i.exec(typeof input === "string" ? input : "")?.[1];
  if (scheme === undefined) return false;
  return !truth(schemes ?? null) || contains(schemes ?? null, scheme.toLowerCase());
};

const every = (input: Value): boolean => iterate(input).every(truth);
const some = (input: Value): boolean => iterate(input).some(truth);
const within = (small: Value, large: Value): boolean => {
  const items = iterate(large);
  return iterate(small).every((item) => items.some((one) => equals(one, item)));
};

export const valueTests: Readonly<Record<string, Test>> = {
  defined: (input) => !(input instanceof Undefined),
  undefined: (input) => input instanceof Undefined,
  none: (input) => input === null,
  boolean: (input) => typeof input === "boolean",
  true: (input) => input === true,
  false: (input) => input === false,
  truthy: (input, call) => truth(convertedBool(input, call)),
  falsy: (input, call) => !truth(convertedBool(input, call)),
  string: (input) => typeof input === "string",
  number: (input) => isNumeric(input),
  integer: (input) => isInt(input),
  float: (input) => isFloat(input),
  mapping: (input) => isMapping(input),
  iterable: isIterable,
  sequence: isSequence,
  list: (input) => isList(input) && !(input instanceof Tuple),
  callable: (input) => input instanceof PyObject && input.keys() === undefined,
  sameas: (input, call) => input === other(call),
  escaped: () => false,
  odd: (input) => modulo(whole(input, "odd"), 2) === 1,
  even: (input) => modulo(whole(input, "even"), 2) === 0,
  divisibleby: (input, call) => {
    const [by] = parameters(call, ["num"], 1);
    if (numberOf(by, 0) === 0) throw new Fault("a division by zero");
    return modulo(whole(input, "divisibleby"), numberOf(by, 1)) === 0;
  },
  eq,
  equalto: eq,
  ne,
  lt,
  lessthan: lt,
  le,
  gt,
  greaterthan: gt,
  ge,
  in: (input, call) => contains(parameters(call, ["seq"], 1)[0] ?? null, input),
  contains: (input, call) => contains(input, other(call)),
  lower: (input) =>
    asText(input) === asText(input).toLowerCase() && asText(input) !== asText(input).toUpperCase(),
  upper: (input) =>
    asText(input) === asText(input).toUpperCase() && asText(input) !== asText(input).toLowerCase(),
  filter: (input, call) => call.runtime.hasFilter(asText(input)),
  test: (input, call) => call.runtime.hasTest(asText(input)),
  match: matching("match"),
  search: matching("search"),
  fullmatch: matching("fullmatch"),
  regex: matching("search"),
  version: versionTest,
  version_compare: versionTest,
  subset: (input, call) => within(input, other(call)),
  issubset: (input, call) => within(input, other(call)),
  superset: (input, call) => within(other(call), input),
  issuperset: (input, call) => within(other(call), input),
  any: some,
  all: every,
  nan,
  isnan: nan,
  vault_encrypted: (input) => typeof input === "string" && input.startsWith("$ANSIBLE_VAULT;"),
  uri,
  url: (input, call) => uri(input, call) && /^[^:]+:\/\/[^/]+/.test(asText(input)),
  urn: (input) => typeof input === "string" && /^urn:[^:]+:./i.test(input),
};
const symbols: readonly (readonly [string, Test])[] = [
  ["==", eq],
  ["!=", ne],
  ["<", lt],
  ["<=", le],
  [">", gt],
  [">=", ge],
];
Object.assign(valueTests, Object.fromEntries(symbols));

/** The helpers of Handlebars templates: few, and each does one thing. */
import { binary } from "../expressions/arithmetic.ts";
import { compare, equals } from "../expressions/compare.ts";
import { jsonText } from "../expressions/json-text.ts";
import { iterate } from "../expressions/members.ts";
import { str } from "../expressions/text.ts";
import {
  aTypeName,
  Fault,
  isList,
  isMapping,
  mappingGet,
  mappingKeys,
  Undefined,
  type Value,
} from "../expressions/value.ts";
import { isTrue, printed } from "./render-handlebars.ts";

export interface Helper {
  /** Its parameters may be undefined. */
  readonly takesMissing?: boolean;
  run(args: readonly Value[], hash: ReadonlyMap<string, Value>): Value;
}

function exactly(name: string, args: readonly Value[], count: number): void {
  if (args.length !== count)
    throw new Fault(`{{${name}}} wants ${count} values, and ${args.length} were given`);
}
const two = (name: string, work: (a: Value, b: Value) => Value): Helper => ({
  run(args) {
    exactly(name, args, 2);
    return work(args[0] ?? null, args[1] ?? null);
  },
});
const one = (name: string, work: (value: Value, hash: ReadonlyMap<string, Value>) => Value): Helper => ({
  run(args, hash) {
    exactly(name, args, 1);
    return work(args[0] ?? null, hash);
  },
});
const folding = (operator: "+" | "-" | "*"): Helper => ({
  run: ([first, ...rest]) => rest.reduce<Value>((total, value) => binary(operator, total, value), first ?? 0),
});

export const helpers: Readonly<Record<string, Helper>> = {
  default: {
    takesMissing: true,
    run(args) {
      exactly("default", args, 2);
      const [value, usual] = args;
      return value === undefined || value instanceof Undefined || value === null ? (usual ?? null) : value;
    },
  },
  defined: { takesMissing: true, run: ([value]) => value !== undefined && !(value instanceof Undefined) },
  join: two("join", (items, separator) => iterate(items).map(printed).join(str(separator))),
  json: one("json", (value, hash) => {
    const indent = hash.get("indent");
    return jsonText(value, {
      indent: typeof indent === "number" ? indent : undefined,
      sortKeys: false,
      ascii: false,
    });
  }),
  lookup: two("lookup", (object, key) => {
    if (isMapping(object)) return mappingGet(object, key) ?? null;
    if (isList(object) && typeof key === "number") return object[key] ?? null;
    throw new Fault(`{{lookup}} wants a mapping or a list, and ${aTypeName(object)} was given`);
  }),
  eq: two("eq", equals),
  ne: two("ne", (a, b) => !equals(a, b)),
  lt: two("lt", (a, b) => compare(a, b, "lt") < 0),
  lte: two("lte", (a, b) => compare(a, b, "lte") <= 0),
  gt: two("gt", (a, b) => compare(a, b, "gt") > 0),
  gte: two("gte", (a, b) => compare(a, b, "gte") >= 0),
  and: { run: (args) => args.every(isTrue) },
  or: { run: (args) => args.find(isTrue) ?? false },
  not: one("not", (value) => !isTrue(value)),
  add: folding("+"),
  subtract: folding("-"),
  multiply: folding("*"),
  length: one("length", (value) => (isMapping(value) ? mappingKeys(value).length : iterate(value).length)),
  lower: one("lower", (value) => printed(value).toLowerCase()),
  upper: one("upper", (value) => printed(value).toUpperCase()),
  replace: {
    run(args) {
      exactly("replace", args, 3);
      const [text, old, fresh] = args.map((arg) => printed(arg));
      return (text ?? "").replaceAll(old ?? "", () => fresh ?? "");
    },
  },
  concat: { run: (args) => args.map(printed).join("") },
  indent: two("indent", (text, width) => {
    if (typeof width !== "number") throw new Fault("{{indent}} wants a number of blanks");
    return printed(text).replace(/\n(?=[^\n])/g, `\n${" ".repeat(width)}`);
  }),
};

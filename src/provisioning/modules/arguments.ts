/**
 * The kinds of arguments that modules take. Each reads what Ansible reads ("yes", "0644", a comma list) and refuses
 * the rest with a sentence. Values arrive rendered; `null` counts as not given.
 */
import { z } from "zod";
import { isJsonObject, type JsonObject, type JsonValue, pythonJson } from "../../base/json.ts";
import { type Mode, readMode } from "./file-mode.ts";

// A task's arguments are parsed once or a few times: compiling a parser for each module would take longer (20 ms a run).
z.config({ jitless: true });

/** What the docs say of an argument; kept in zod's metadata. */
export interface ArgumentInfo {
  readonly about: string;
  readonly kind: string;
  readonly required: boolean;
  readonly default?: JsonValue;
  readonly aliases: readonly string[];
  readonly choices?: readonly string[];
  /** Its value is never to be shown. */
  readonly secret?: boolean;
}

export class Refused extends Error {}

type Read<T> = (value: JsonValue) => T;
interface Common {
  readonly aliases?: readonly string[];
  readonly secret?: boolean;
}
/** A field is optional unless it is required or has a default. */
interface MakeField<T> {
  (about: string, options: Common & { readonly required: true }): z.ZodType<T>;
  (about: string, options: Common & { readonly default: JsonValue }): z.ZodType<T>;
  (about: string, options?: Common): z.ZodType<T | undefined>;
}
interface FieldOptions extends Common {
  readonly required?: boolean;
  readonly default?: JsonValue;
}

function field<T>(kind: string, read: Read<T>, choices?: readonly string[]): MakeField<T> {
  const make = (about: string, options: FieldOptions = {}): z.ZodType<T | undefined> => {
    const info: ArgumentInfo = {
      about,
      kind,
      required: options.required ?? false,
      aliases: options.aliases ?? [],
      ...(options.default === undefined ? {} : { default: options.default }),
      ...(choices === undefined ? {} : { choices }),
      ...(options.secret === true ? { secret: true } : {}),
    };
    return z
      .unknown()
      .transform((given, context): T | undefined => {
        const value = given === undefined ? options.default : (given as JsonValue);
        if (value === undefined) {
          if (info.required) context.issues.push({ code: "custom", input: given, message: "is required" });
          return undefined;
        }
        try {
          return read(value);
        } catch (error) {
          if (!(error instanceof Refused)) throw error;
          context.issues.push({ code: "custom", input: given, message: error.message });
          return z.NEVER;
        }
      })
      .meta({ description: about, info });
  };
  return make as MakeField<T>;
}

const quoted = (value: JsonValue): string => JSON.stringify(value);

export function readText(value: JsonValue): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  return pythonJson(value);
}

function readPlainText(value: JsonValue): string {
  if (typeof value === "object") throw new Refused(`wants text, not ${quoted(value)}`);
  return readText(value);
}

const trueWords = new Set(["yes", "on", "true", "1", "1.0", "y", "t"]);
const falseWords = new Set(["no", "off", "false", "0", "0.0", "n", "f"]);

function readFlag(value: JsonValue): boolean {
  if (typeof value === "boolean") return value;
  const word = String(value).trim().toLowerCase();
  if (trueWords.has(word)) return true;
  if (falseWords.has(word)) return false;
  throw new Refused(`wants true or false, not ${quoted(value)}`);
}

function readWhole(value: JsonValue): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number)) {
    throw new Refused(`wants a whole number, not ${quoted(value)}`);
  }
  return number;
}

function readNumber(value: JsonValue): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) {
    throw new Refused(`wants a number, not ${quoted(value)}`);
  }
  return number;
}

/** A list, or text with commas, or one plain value. */
function readItems(value: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[];
  if (typeof value === "string") {
    const items = value.split(",").map((item) => item.trim());
    return items.length === 1 && items[0] === "" ? [] : items;
  }
  if (isJsonObject(value)) throw new Refused(`wants a list, not ${quoted(value)}`);
  return [value];
}

function readMap(value: JsonValue): JsonObject {
  if (isJsonObject(value)) return value;
  if (typeof value === "string") {
    const text = value.trim();
    if (text.startsWith("{")) {
      try {
        const parsed: unknown = JSON.parse(text);
        if (isJsonObject(parsed)) return parsed;
      } catch {
        throw new Refused(`wants a map, not ${quoted(value)}`);
      }
    }
    const pairs = text.split(/[,\s]+/).filter((pair) => pair !== "");
    if (pairs.every((pair) => pair.includes("="))) {
      return Object.fromEntries(
        pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
      );
    }
  }
  throw new Refused(`wants a map, not ${quoted(value)}`);
}

/** An argument of Ansible's that is not taken, and why: said before any host is touched. */
export const refused = (why: string, options: Common & { readonly unless?: JsonValue } = {}) =>
  field<undefined>("refused", (value) => {
    if (value === options.unless) return undefined;
    throw new Refused(why);
  })(`Not taken: it ${why}.`, options);

export const text: MakeField<string> = field("text", readPlainText);
/** Text, or data that is written as JSON (copy's content). */
export const content: MakeField<string> = field("text", readText);
export const path: MakeField<string> = field("path", (value) => {
  const given = readPlainText(value);
  if (given.includes("\0")) throw new Refused("has a NUL byte in a path");
  return given;
});
export const flag: MakeField<boolean> = field("bool", readFlag);
export const whole: MakeField<number> = field("int", readWhole);
export const decimal: MakeField<number> = field("number", readNumber);
export const list: MakeField<readonly string[]> = field("list of text", (value) =>
  readItems(value).map(readPlainText),
);
export const wholes: MakeField<readonly number[]> = field("list of int", (value) =>
  readItems(value).map(readWhole),
);
export const map: MakeField<JsonObject> = field("map", readMap);
export const raw: MakeField<JsonValue> = field("any", (value) => value);
export const items: MakeField<readonly JsonValue[]> = field("list", (value) =>
  Array.isArray(value) ? (value as readonly JsonValue[]) : [value],
);

/** Octal digits as text, the number that YAML made of 0644, or u=rw,g=r. */
export const mode: MakeField<Mode> = field("mode", (value) => {
  const result = readMode(value);
  if ("refused" in result) throw new Refused(result.refused);
  return result.mode;
});

/** One of a few words. YAML's yes/no/true/false stand for such words too. */
export const choice = <const C extends readonly string[]>(choices: C): MakeField<C[number]> =>
  field<C[number]>(
    "choice",
    (value) => {
      const word = typeof value === "boolean" ? booleanWord(value, choices) : readPlainText(value);
      const found = choices.find((candidate) => candidate === word);
      if (found === undefined) {
        throw new Refused(`wants one of ${choices.join(", ")}, not ${quoted(value)}`);
      }
      return found;
    },
    choices,
  );

const booleanWord = (value: boolean, choices: readonly string[]): string =>
  (value ? ["yes", "on", "true"] : ["no", "off", "false"]).find((word) => choices.includes(word)) ??
  String(value);

type Shape = Readonly<Record<string, z.ZodType>>;
type ArgsOf<S extends Shape> = { readonly [K in keyof S]: z.infer<S[K]> };
const shapes = new WeakMap<z.ZodType, Shape>();

export interface Rules<Args> {
  /** At most one of each set may be given. */
  readonly exclusive?: readonly (readonly (keyof Args & string)[])[];
  /** At least one of each set must be given. */
  readonly oneOf?: readonly (readonly (keyof Args & string)[])[];
  /** Anything else: a sentence for what is wrong. */
  readonly check?: (args: Args) => string | undefined;
}

/** The arguments of one module: strict, with aliases, and what excludes what. */
export function defineArgs<S extends Shape>(shape: S, rules: Rules<ArgsOf<S>> = {}): z.ZodType<ArgsOf<S>> {
  const nameOf = new Map<string, string>();
  for (const [name, type] of Object.entries(shape)) {
    nameOf.set(name, name);
    for (const alias of infoOf(type).aliases) nameOf.set(alias, name);
  }
  const schema = z
    .unknown()
    .transform((given, context) => renamed(given, nameOf, context))
    .pipe(z.strictObject(shape))
    .superRefine((args, context) => {
      for (const message of broken(args as ArgsOf<S>, rules)) context.addIssue({ code: "custom", message });
    }) as unknown as z.ZodType<ArgsOf<S>>;
  shapes.set(schema, shape);
  return schema;
}

/** Canonical names; those not given stand as undefined, so that every field is read. */
function renamed(
  given: unknown,
  nameOf: ReadonlyMap<string, string>,
  context: z.RefinementCtx,
): Record<string, unknown> {
  if (!isJsonObject(given)) {
    context.addIssue({ code: "custom", message: "wants arguments by name" });
    return z.NEVER;
  }
  const result: Record<string, unknown> = {};
  const spelling = new Map<string, string>();
  for (const name of nameOf.values()) result[name] = undefined;
  for (const [key, value] of Object.entries(given)) {
    if (value === null) continue;
    const name = nameOf.get(key) ?? key;
    const before = spelling.get(name);
    if (before !== undefined) {
      context.addIssue({ code: "custom", path: [key], message: `is given twice, also as "${before}"` });
    }
    spelling.set(name, key);
    result[name] = value;
  }
  return result;
}

function broken<Args>(args: Args, rules: Rules<Args>): string[] {
  const given = (name: keyof Args) => args[name] !== undefined;
  const both = (rules.exclusive ?? [])
    .map((names) => names.filter(given))
    .filter((names) => names.length > 1)
    .map((names) => `only one of ${names.join(", ")} may be given`);
  const none = (rules.oneOf ?? [])
    .filter((names) => !names.some(given))
    .map((names) =>
      names.length === 1 ? `"${names[0]}" is required` : `one of ${names.join(", ")} is required`,
    );
  const other = rules.check?.(args);
  return [...both, ...none, ...(other === undefined ? [] : [other])];
}

/** Arguments whose names are the user's own (set_fact). */
export const anyArgs: z.ZodType<JsonObject> = z.custom<JsonObject>(isJsonObject, "wants arguments by name");

function infoOf(type: z.ZodType): ArgumentInfo {
  const { info } = (type.meta() ?? {}) as { readonly info?: ArgumentInfo };
  if (info === undefined) throw new Error("an argument was not made by modules/arguments.ts");
  return info;
}

/** For docs and the table of names; undefined where any name goes. */
export function argumentsOf(args: z.ZodType): ReadonlyMap<string, ArgumentInfo> | undefined {
  const shape = shapes.get(args);
  if (shape === undefined) return undefined;
  return new Map(Object.entries(shape).map(([name, type]) => [name, infoOf(type)]));
}

/** Values of a task that must be masked wherever text leaves the program: passwords, passphrases. */
export function secretsOf(schema: z.ZodType, args: unknown): readonly string[] {
  const given = isJsonObject(args) ? args : {};
  const named = secretNames(schema)
    .map((name) => given[name])
    .filter((value): value is string => typeof value === "string" && value !== "");
  const headers = isJsonObject(given.headers) ? given.headers : {};
  return [...named, ...Object.values(given).flatMap(urlPasswords), ...secretHeaders(headers)];
}

/** scheme://user:PASSWORD@host, as it is written and as it is meant. */
function urlPasswords(value: JsonValue | undefined): readonly string[] {
  if (typeof value !== "string" || !value.includes("://")) return [];
  const found = value.matchAll(/[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:([^\s/@]+)@/gi);
  return [...found].flatMap(([, password = ""]) => [password, decoded(password)]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Values of headers whose names say that they are for one pair of eyes, without the scheme ("Bearer"). */
const secretHeaders = (headers: JsonObject): readonly string[] =>
  Object.entries(headers)
    .filter(([name]) => /authorization|cookie|token|secret|password|api-?key/i.test(name))
    .map(([, value]) => String(value).replace(/^\w+ (?=\S)/, ""))
    .filter((value) => value !== "");

const secretNamesOf = new WeakMap<z.ZodType, readonly string[]>();

function secretNames(schema: z.ZodType): readonly string[] {
  const known = secretNamesOf.get(schema);
  if (known !== undefined) return known;
  const names = [...(argumentsOf(schema) ?? [])]
    .filter(([, info]) => info.secret === true)
    .map(([name]) => name);
  secretNamesOf.set(schema, names);
  return names;
}

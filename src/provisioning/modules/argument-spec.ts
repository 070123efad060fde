/** What meta/argument_specs.yml says of a role's variables, held against their values. */
import { isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";

/** Sentences; none means that all is as the specification says. */
export function argumentErrors(spec: JsonObject, given: JsonObject): readonly string[] {
  return checkMembers(spec, given, "");
}

function checkMembers(spec: JsonObject, given: JsonObject, within: string): string[] {
  const inside = within === "" ? "" : ` found in ${within}`;
  const missing = Object.entries(spec)
    .filter(([name, option]) => isJsonObject(option) && isYes(option["required"]) && !isGiven(given, name))
    .map(([name]) => name);
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(spec, name) && !isAlias(spec, name));
  return [
    ...(missing.length === 0 ? [] : [`missing required arguments: ${missing.join(", ")}${inside}`]),
    ...unknown.map((name) => `${within === "" ? "" : `${within}.`}${name} is not among ${namesOf(spec)}`),
    ...Object.entries(spec).flatMap(([name, option]) => {
      const value = given[name];
      if (!isJsonObject(option) || value === undefined || value === null) return [];
      return checkValue(option, value, within === "" ? name : `${within}.${name}`);
    }),
  ];
}

const isGiven = (given: JsonObject, name: string): boolean => Object.hasOwn(given, name);
const isYes = (value: JsonValue | undefined): boolean =>
  value === true || value === "yes" || value === "true";
const namesOf = (spec: JsonObject): string => Object.keys(spec).join(", ") || "what is allowed: nothing is";
const isAlias = (spec: JsonObject, name: string): boolean =>
  Object.values(spec).some((option) => isJsonObject(option) && listOf(option["aliases"]).includes(name));

const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]) : [];

function checkValue(option: JsonObject, value: JsonValue, name: string): string[] {
  const type = String(option["type"] ?? "str");
  const read = converted(type, value);
  if (read === undefined) return [`${name} is ${shown(value)}, and wants ${wants[type] ?? type}`];
  const choices = listOf(option["choices"]);
  return [
    ...outsideOf(choices, read, name),
    ...(type === "list" ? checkElements(option, read, name) : []),
    ...(isJsonObject(option["options"]) ? checkOptions(option["options"], read, name) : []),
  ];
}

function outsideOf(choices: readonly JsonValue[], value: JsonValue, name: string): string[] {
  if (choices.length === 0) return [];
  const strange = (Array.isArray(value) ? listOf(value) : [value]).filter(
    (each) => !choices.some((choice) => String(choice) === String(each)),
  );
  return strange.map(
    (each) => `value of ${name} must be one of: ${choices.map(String).join(", ")}, got: ${shown(each)}`,
  );
}

function checkElements(option: JsonObject, value: JsonValue, name: string): string[] {
  const type = option["elements"];
  if (type === undefined) return [];
  return listOf(value).flatMap((each, index) =>
    converted(String(type), each) === undefined
      ? [`${name}[${index}] is ${shown(each)}, and wants ${wants[String(type)] ?? String(type)}`]
      : [],
  );
}

/** The members of a mapping, or of each mapping of a list. */
function checkOptions(spec: JsonObject, value: JsonValue, name: string): string[] {
  if (isJsonObject(value)) return checkMembers(spec, value, name);
  return listOf(value).flatMap((each, index) =>
    isJsonObject(each) ? checkMembers(spec, each, `${name}[${index}]`) : [],
  );
}

const shown = (value: JsonValue): string => (typeof value === "string" ? value : JSON.stringify(value));

const wants: Readonly<Record<string, string>> = {
  str: "text",
  int: "a whole number",
  float: "a number",
  bool: "true or false",
  list: "a list",
  dict: "a mapping",
  path: "a path",
  bytes: "a size such as 10M",
  bits: "a size such as 10Mb",
};

/** As Ansible reads it; undefined: it cannot be read so. */
function converted(type: string, value: JsonValue): JsonValue | undefined {
  const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
  return reader === undefined ? value : reader(value);
}

type Reader = (value: JsonValue) => JsonValue | undefined;
const isText = (value: JsonValue): value is string => typeof value === "string";
const matching =
  (pattern: RegExp): Reader =>
  (value) =>
    pattern.test(String(value)) && !isJsonObject(value) ? value : undefined;

const readers: Readonly<Record<string, Reader>> = {
  int: (value) =>
    Number.isInteger(value) || typeof value === "boolean" || (isText(value) && /^\s*[+-]?\d+\s*$/.test(value))
      ? value
      : undefined,
  float: matching(/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i),
  bool: matching(/^\s*(y|yes|on|1|true|t|1\.0|n|no|off|0|false|f|0\.0)\s*$/i),
  list: (value) =>
    Array.isArray(value)
      ? value
      : isText(value)
        ? value.split(",")
        : isJsonObject(value)
          ? undefined
          : [value],
  dict: (value) => (isJsonObject(value) || (isText(value) && /^\s*\{|=/.test(value)) ? value : undefined),
  path: (value) => (isText(value) ? value : undefined),
  bytes: matching(/^\s*\d+(\.\d+)?\s*([kmgtpezy]b?|b)?\s*$/i),
  bits: matching(/^\s*\d+(\.\d+)?\s*([kmgtpezy]b?|b)?\s*$/i),
};

/**
 * Reads a client's JSON field by field and gathers what does not fit, with the paths and error keys that Marathon's
 * clients know ("/instances", "error.expected.jsnumber"). null means "not given".
 */
import type { JsonObject, JsonValue } from "../../../base/json.ts";
import { isJsonObject } from "../../../base/json.ts";
import { invalidJson, type Violation } from "./api-error.ts";

type Read<T> = (value: JsonValue, path: string) => T | undefined;

export class JsonReader {
  readonly #found: Violation[] = [];

  fail(path: string, error: string): undefined {
    this.#found.push({ path: path === "" ? "/" : path, errors: [error] });
    return undefined;
  }

  throwIfAny(): void {
    if (this.#found.length > 0) throw invalidJson(this.#found);
  }

  readonly string: Read<string> = (value, path) =>
    typeof value === "string" ? value : this.fail(path, "error.expected.jsstring");

  readonly boolean: Read<boolean> = (value, path) =>
    typeof value === "boolean" ? value : this.fail(path, "error.expected.jsboolean");

  /** Old clients send numbers as strings: ".25". */
  readonly number: Read<number> = (value, path) => {
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof number === "number" && Number.isFinite(number)
      ? number
      : this.fail(path, "error.expected.jsnumber");
  };

  readonly integer: Read<number> = (value, path) => {
    const number = this.number(value, path);
    if (number === undefined || Number.isSafeInteger(number)) return number;
    return this.fail(path, "error.expected.int");
  };

  readonly object: Read<JsonObject> = (value, path) =>
    isJsonObject(value) ? value : this.fail(path, "error.expected.jsobject");

  oneOf<T extends string>(...values: readonly T[]): Read<T> {
    return (value, path) => {
      const found = values.find((candidate) => candidate === value);
      return found ?? this.fail(path, "error.unknown.enum.literal");
    };
  }

  array<T>(each: Read<T>): Read<readonly T[]> {
    return (value, path) => {
      if (!Array.isArray(value)) return this.fail(path, "error.expected.jsarray");
      const items = value.map((item: JsonValue, index) => each(item, `${path}(${index})`));
      return items.filter((item) => item !== undefined) as readonly T[];
    };
  }

  record<T>(each: Read<T>): Read<Readonly<Record<string, T>>> {
    return (value, path) => {
      const object = this.object(value, path);
      if (object === undefined) return undefined;
      const entries = Object.entries(object)
        .filter(([, item]) => item !== null)
        .map(([key, item]): [string, T | undefined] => [key, each(item, `${path}/${key}`)]);
      return Object.fromEntries(entries.filter((entry): entry is [string, T] => entry[1] !== undefined));
    };
  }

  /** An optional field: undefined when absent, null or unfit (then it is noted). */
  optional<T>(object: JsonObject, key: string, path: string, read: Read<T>): T | undefined {
    const value = object[key];
    return value === undefined || value === null ? undefined : read(value, `${path}/${key}`);
  }

  required<T>(object: JsonObject, key: string, path: string, read: Read<T>): T | undefined {
    const value = object[key];
    if (value === undefined || value === null) return this.fail(`${path}/${key}`, "error.path.missing");
    return read(value, `${path}/${key}`);
  }
}

/** The object without its undefined fields: for exact optional properties. */
export function compact<T extends object>(fields: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

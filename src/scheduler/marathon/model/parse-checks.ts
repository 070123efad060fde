/** Health checks, readiness checks and constraints out of a client's JSON. */
import type { JsonValue } from "../../../base/json.ts";
import { isJsonObject } from "../../../base/json.ts";
import type { Constraint, ConstraintOperator, HealthCheck, ReadinessCheck } from "./app.ts";
import { compact, type JsonReader } from "./json-reader.ts";

const needsPort: ReadonlySet<string> = new Set(["HTTP", "HTTPS", "TCP"]);

export const readHealthCheck =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): HealthCheck | undefined => {
    const object = reader.object(value, path);
    if (object === undefined) return undefined;
    const number = (key: string) => reader.optional(object, key, path, reader.number);
    const integer = (key: string) => reader.optional(object, key, path, reader.integer);
    const command = reader.optional(object, "command", path, (item, at) =>
      isJsonObject(item) ? reader.required(item, "value", at, reader.string) : reader.string(item, at),
    );
    const protocol =
      reader.optional(
        object,
        "protocol",
        path,
        reader.oneOf("HTTP", "HTTPS", "TCP", "COMMAND", "MESOS_HTTP", "MESOS_HTTPS", "MESOS_TCP"),
      ) ?? (command === undefined ? "HTTP" : "COMMAND");
    const port = integer("port");
    return compact<HealthCheck>({
      protocol,
      path:
        reader.optional(object, "path", path, reader.string) ?? (protocol.endsWith("TCP") ? undefined : "/"),
      port,
      portIndex: integer("portIndex") ?? (port === undefined && needsPort.has(protocol) ? 0 : undefined),
      command,
      gracePeriodSeconds: number("gracePeriodSeconds") ?? 300,
      intervalSeconds: number("intervalSeconds") ?? 60,
      timeoutSeconds: number("timeoutSeconds") ?? 20,
      maxConsecutiveFailures: integer("maxConsecutiveFailures") ?? 3,
      delaySeconds: number("delaySeconds") ?? 15,
      ignoreHttp1xx: reader.optional(object, "ignoreHttp1xx", path, reader.boolean) ?? false,
    });
  };

export const readReadinessCheck =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): ReadinessCheck | undefined => {
    const object = reader.object(value, path);
    if (object === undefined) return undefined;
    const text = (key: string) => reader.optional(object, key, path, reader.string);
    const number = (key: string) => reader.optional(object, key, path, reader.number);
    return {
      name: text("name") ?? "readinessCheck",
      protocol: reader.optional(object, "protocol", path, reader.oneOf("HTTP", "HTTPS")) ?? "HTTP",
      path: text("path") ?? "/",
      portName: text("portName") ?? "http-api",
      intervalSeconds: number("intervalSeconds") ?? 30,
      timeoutSeconds: number("timeoutSeconds") ?? 10,
      httpStatusCodesForReady: reader.optional(
        object,
        "httpStatusCodesForReady",
        path,
        reader.array(reader.integer),
      ) ?? [200],
      preserveLastResponse: reader.optional(object, "preserveLastResponse", path, reader.boolean) ?? false,
    };
  };

const constraintOperators: readonly ConstraintOperator[] = [
  "UNIQUE",
  "CLUSTER",
  "GROUP_BY",
  "LIKE",
  "UNLIKE",
  "MAX_PER",
  "IS",
];

/** `[["hostname","UNIQUE"]]`; old clients send one flat constraint, or `["hostname:UNIQUE"]`. */
export const readConstraints =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): readonly Constraint[] | undefined => {
    if (!Array.isArray(value)) return reader.fail(path, "error.expected.jsarray");
    const items: readonly JsonValue[] = value;
    const flat = items.length > 0 && items.every((item) => typeof item === "string");
    if (!flat) return reader.array(readConstraint(reader))(items, path);
    const words = items as readonly string[];
    const joined = words.every((word) => word.includes(":"));
    const lists = joined ? words.map((word) => splitConstraint(word)) : [words];
    return reader.array(readConstraint(reader))(lists, path);
  };

function splitConstraint(word: string): readonly string[] {
  const [field = "", operator = "", ...value] = word.split(":");
  return [field, operator, value.join(":")];
}

const readConstraint =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): Constraint | undefined => {
    const words = reader.array(reader.string)(value, path);
    if (words === undefined) return undefined;
    const [field, operatorName, argument] = words;
    if (field === undefined || operatorName === undefined || words.length > 3) {
      return reader.fail(path, "error.constraint.size: a field, an operator and at most one value");
    }
    const operator = constraintOperators.find((name) => name === operatorName.toUpperCase());
    if (operator === undefined) return reader.fail(`${path}(1)`, "error.unknown.enum.literal");
    return argument === undefined || argument === ""
      ? { field, operator }
      : { field, operator, value: argument };
  };

import type { z } from "zod";
import type { JsonObject, JsonValue } from "../../base/json.ts";
import { anyArgs } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";

const nameKeys = ["name", "hostname", "host"];
const groupKeys = ["groups", "groupname", "group"];
const firstOf = (given: JsonObject, keys: readonly string[]): JsonValue | undefined =>
  keys.map((key) => given[key]).find((value) => value !== undefined && value !== null);

const args: z.ZodType<JsonObject> = anyArgs.superRefine((given, context) => {
  const name = firstOf(given, nameKeys);
  if (typeof name !== "string" || name.trim() === "") {
    context.addIssue({ code: "custom", path: ["name"], message: "is required" });
  }
});

const asList = (value: JsonValue | undefined): readonly string[] => {
  if (value === undefined || value === null) return [];
  const items: readonly JsonValue[] = Array.isArray(value) ? value : String(value).split(",");
  return items.map((item) => String(item).trim()).filter((item) => item !== "");
};

/** web:2222 and [::1]:2222 carry a port. */
function splitPort(given: string): { readonly name: string; readonly port?: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(given);
  return match === null ? { name: given } : { name: match[1] ?? match[2] ?? given, port: Number(match[3]) };
}

export default defineControllerModule({
  kind: "controller",
  name: "add_host",
  summary:
    "Adds a host, and groups that it is in, for the rest of the run. Other arguments are its variables.",
  args,
  example: "- name: the machine we just made\n  add_host:\n    name: 10.0.0.9\n    groups: [mesos_slaves]\n",
  run(given) {
    const { name, port } = splitPort(String(firstOf(given, nameKeys)));
    const groups = asList(firstOf(given, groupKeys));
    const own = Object.entries(given).filter(([key]) => ![...nameKeys, ...groupKeys].includes(key));
    const vars: JsonObject = {
      ...(port === undefined ? {} : { ansible_port: port }),
      ...Object.fromEntries(own),
    };
    return {
      result: { add_host: { host_name: name, groups: [...groups], host_vars: vars } },
      changed: true,
      effects: [{ effect: "add-host", name, groups, vars }],
    };
  },
});

import type { z } from "zod";
import type { JsonObject } from "../../base/json.ts";
import { anyArgs } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";

const isName = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name);

/** `cacheable` is the only argument that is not itself a variable. */
const args: z.ZodType<JsonObject> = anyArgs.superRefine((given, context) => {
  const names = Object.keys(given).filter((name) => name !== "cacheable");
  if (names.length === 0) context.addIssue({ code: "custom", message: "no variable is given" });
  for (const name of names) {
    if (!isName(name))
      context.addIssue({ code: "custom", path: [name], message: "is not a variable's name" });
  }
});

const isYes = (value: unknown): boolean => ["true", "yes", "on", "1"].includes(String(value).toLowerCase());

export default defineControllerModule({
  kind: "controller",
  name: "set_fact",
  summary: "Sets variables of the host for the rest of the run.",
  args,
  example:
    "- name: what the service is called here\n  set_fact:\n    service_name: zookeeper\n    cacheable: true\n",
  run(given) {
    const { cacheable, ...facts } = given;
    return {
      result: { ansible_facts: facts, _ansible_facts_cacheable: isYes(cacheable) },
      effects: [{ effect: "set-facts", facts, cacheable: isYes(cacheable) }],
    };
  },
});

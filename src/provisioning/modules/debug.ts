import type { JsonValue } from "../../base/json.ts";
import { defineArgs, raw, text, whole } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";
import type { ControllerContext } from "./module.ts";

/** An expression that has no value is worth showing as such: that is what one debugs for. */
const evaluated = (expression: string, context: ControllerContext): JsonValue =>
  context.evaluate(`(${expression}) | default('VARIABLE IS NOT DEFINED!')`);

const shown = (value: JsonValue): string =>
  typeof value === "string" ? value : JSON.stringify(value, undefined, 2);

export default defineControllerModule({
  kind: "controller",
  name: "debug",
  summary: "Shows a message or the value of an expression.",
  args: defineArgs(
    {
      msg: raw("What to show."),
      var: raw("An expression, without braces, whose value is shown."),
      verbosity: whole("Show only with that many -v.", { default: 0 }),
      name: text("Of old playbooks; has no effect."),
    },
    { exclusive: [["msg", "var"]] },
  ),
  example: "- name: what do we know of the disks\n  debug: {var: ansible_facts.mounts}\n",
  run(args, context) {
    if (args.var === undefined) {
      const msg = args.msg ?? "Hello world!";
      return {
        result: { msg },
        effects: [{ effect: "show", text: shown(msg), verbosity: args.verbosity }],
      };
    }
    const name = typeof args.var === "string" ? args.var : JSON.stringify(args.var);
    const value = typeof args.var === "string" ? evaluated(args.var, context) : args.var;
    return {
      result: { [name]: value },
      effects: [{ effect: "show", text: `${name}: ${shown(value)}`, verbosity: args.verbosity }],
    };
  },
});

import type { JsonValue } from "../../base/json.ts";
import { defineArgs, flag, items, raw } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";

/** Python's truth. */
const isTrue = (value: JsonValue): boolean =>
  typeof value === "object" && value !== null ? Object.keys(value).length > 0 : Boolean(value);

const messageOf = (given: JsonValue | undefined, otherwise: string): JsonValue => given ?? otherwise;

export default defineControllerModule({
  kind: "controller",
  name: "assert",
  summary: "Fails unless all of the given expressions are true.",
  args: defineArgs({
    that: items("Expressions, without braces.", { required: true }),
    fail_msg: raw("What to say when one is false.", { aliases: ["msg"] }),
    success_msg: raw("What to say when all are true."),
    quiet: flag("Say nothing of single expressions.", { default: false }),
  }),
  example:
    "- name: an odd number of masters\n  assert:\n    that:\n      - groups.mesos_masters | length is odd\n    fail_msg: A quorum needs an odd number of masters.\n",
  run(args, context) {
    for (const assertion of args.that) {
      const value = typeof assertion === "string" ? context.evaluate(assertion) : assertion;
      if (isTrue(value)) continue;
      const msg = messageOf(args.fail_msg, `Assertion failed: ${String(assertion)}`);
      return { result: { assertion, evaluated_to: false, msg }, failed: true };
    }
    return { result: { msg: messageOf(args.success_msg, "All assertions passed") } };
  },
});

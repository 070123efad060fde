import type { JsonObject, JsonValue } from "../../base/json.ts";
import { argumentErrors } from "./argument-spec.ts";
import { defineArgs, map } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";
import type { ControllerContext } from "./module.ts";

/** What is not handed over is looked up among the variables. */
function valuesOf(spec: JsonObject, provided: JsonObject, context: ControllerContext): JsonObject {
  const values: Record<string, JsonValue> = { ...provided };
  for (const name of Object.keys(spec)) {
    if (Object.hasOwn(values, name) || !/^[A-Za-z_]\w*$/.test(name)) continue;
    if (context.evaluate(`${name} is defined`) === true) values[name] = context.evaluate(name);
  }
  return values;
}

export default defineControllerModule({
  kind: "controller",
  name: "validate_argument_spec",
  summary: "Fails unless variables are what a specification says of them.",
  args: defineArgs({
    argument_spec: map("Names of variables, each with type, required, choices, elements, options.", {
      required: true,
    }),
    provided_arguments: map("Values that count instead of the variables of their names.", { default: {} }),
    validate_args_context: map("Where the specification comes from; handed on in the result.", {
      default: {},
    }),
  }),
  example:
    "- name: the port is a number\n  validate_argument_spec:\n    argument_spec:\n      port: {type: int, required: true}\n    provided_arguments: {port: 8080}\n",
  run({ argument_spec, provided_arguments, validate_args_context }, context) {
    const errors = argumentErrors(argument_spec, valuesOf(argument_spec, provided_arguments, context));
    if (errors.length === 0)
      return { result: { msg: "The arg spec validation passed", validate_args_context } };
    return {
      result: {
        msg: `Validation of arguments failed:\n${errors.join("\n")}`,
        argument_errors: errors,
        argument_spec_data: argument_spec,
        validate_args_context,
      },
      failed: true,
    };
  },
});

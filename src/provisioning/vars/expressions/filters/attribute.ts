/** `attribute="a.b.0"`: how map, selectattr, sort and their kin look into items. */
import { attributeOf, itemOf } from "../members.ts";
import type { Invocation } from "../runtime.ts";
import type { CallArgs, Value } from "../value.ts";
import { Fault, isInt, toNumber, Undefined } from "../value.ts";

export function lookInto(item: Value, path: Value): Value {
  if (isInt(path)) return itemOf(item, toNumber(path), 0);
  if (typeof path !== "string") throw new Fault("the name of an attribute is wanted");
  let value = item;
  for (const part of path.split(".")) {
    value = /^\d+$/.test(part) ? itemOf(value, Number(part), 0) : attributeOf(value, part, 0);
    if (value instanceof Undefined) return value;
  }
  return value;
}

/** The filter or test that is named in the arguments, with the rest of them, as `map` and `select` take it. */
export function restOf(call: Invocation, from: number): CallArgs {
  return { args: call.args.slice(from), kwargs: call.kwargs };
}

/** Evaluates an expression's tree. Every step that may fail first notes its place in `frame.place`. */
import { binary, limitText, negate, plus } from "./arithmetic.ts";
import type { Arguments, CompareOperator, Expression } from "./ast.ts";
import { compare, contains, equals, truth } from "./compare.ts";
import { type Locals, own, type Place } from "./frame.ts";
import { attributeOf, itemOf, iterate, sliceOf } from "./members.ts";
import { callMethod } from "./methods.ts";
import type { Runtime } from "./runtime.ts";
import { str } from "./text.ts";
import {
  aTypeName,
  blankText,
  type CallArgs,
  Dict,
  Fault,
  isMapping,
  mappingEntries,
  PyObject,
  tuple,
  Undefined,
  type Value,
} from "./value.ts";

export interface Frame {
  readonly runtime: Runtime;
  readonly locals: Locals;
  readonly place: Place;
  /** A name that is no local: a variable, a global function, or Undefined. */
  name(name: string, at: number): Value;
  /** `a.b[c]` of a variable that is still a template: rendered alone, without its siblings. */
  member(node: Expression, frame: Frame): Value | undefined;
}

export function evaluate(node: Expression, frame: Frame): Value {
  switch (node.type) {
    case "constant":
      return node.value;
    case "name": {
      const local = frame.locals.get(node.name);
      return local === undefined ? frame.name(node.name, node.at) : local;
    }
    case "list":
      return own(node.items.map((item) => evaluate(item, frame)));
    case "tuple":
      return tuple(...node.items.map((item) => evaluate(item, frame)));
    case "dict":
      return evaluateDict(node, frame);
    case "attribute":
    case "item": {
      const alone = frame.member(node, frame);
      return alone === undefined ? evaluateMember(node, frame) : alone;
    }
    case "slice":
      return evaluateSlice(node, frame);
    case "call":
      return evaluateCall(node, frame);
    case "filter":
      return applyFilter(node, node.input === undefined ? null : evaluate(node.input, frame), frame);
    case "test":
      return evaluateTest(node, frame);
    case "conditional":
      return evaluateConditional(node, frame);
    case "and": {
      const left = evaluate(node.left, frame);
      return truthAt(left, node.at, frame) ? evaluate(node.right, frame) : left;
    }
    case "or": {
      const left = evaluate(node.left, frame);
      return truthAt(left, node.at, frame) ? left : evaluate(node.right, frame);
    }
    default:
      return evaluateOperator(node, frame);
  }
}

function evaluateOperator(
  node: Extract<Expression, { type: "not" | "negative" | "positive" | "compare" | "binary" | "concat" }>,
  frame: Frame,
): Value {
  switch (node.type) {
    case "not":
      return !truthAt(evaluate(node.operand, frame), node.at, frame);
    case "negative":
    case "positive": {
      const operand = evaluate(node.operand, frame);
      frame.place.at = node.at;
      return node.type === "negative" ? negate(operand) : plus(operand);
    }
    case "compare":
      return evaluateCompare(node, frame);
    case "binary": {
      const left = evaluate(node.left, frame);
      const right = evaluate(node.right, frame);
      frame.place.at = node.at;
      return own(binary(node.operator, left, right));
    }
    case "concat": {
      const texts = node.items.map((item) => textOfOperand(evaluate(item, frame)));
      frame.place.at = node.at;
      limitText(texts.reduce((sum, text) => sum + text.length, 0));
      return texts.join("");
    }
  }
}
const textOfOperand = (value: Value): string => {
  return value instanceof Undefined ? blankText(value) : str(value);
};

export function truthAt(value: Value, at: number, frame: Frame): boolean {
  frame.place.at = at;
  return truth(value);
}

function evaluateDict(node: Extract<Expression, { type: "dict" }>, frame: Frame): Value {
  const dict = new Dict();
  for (const [key, value] of node.entries) {
    const name = evaluate(key, frame);
    frame.place.at = key.at;
    dict.set(name, evaluate(value, frame));
  }
  return dict;
}

function evaluateMember(node: Extract<Expression, { type: "attribute" | "item" }>, frame: Frame): Value {
  const object = evaluate(node.object, frame);
  if (node.type === "attribute") {
    frame.place.at = node.at;
    return attributeOf(object, node.name, node.at);
  }
  const key = evaluate(node.key, frame);
  frame.place.at = node.at;
  return itemOf(object, key, node.at);
}

function evaluateSlice(node: Extract<Expression, { type: "slice" }>, frame: Frame): Value {
  const part = (expression: Expression | undefined): Value | undefined =>
    expression === undefined ? undefined : evaluate(expression, frame);
  const object = evaluate(node.object, frame);
  const bounds = { start: part(node.start), stop: part(node.stop), step: part(node.step) };
  frame.place.at = node.at;
  return own(sliceOf(object, bounds));
}

function evaluateConditional(node: Extract<Expression, { type: "conditional" }>, frame: Frame): Value {
  if (truthAt(evaluate(node.test, frame), node.test.at, frame)) return evaluate(node.chosen, frame);
  if (node.otherwise !== undefined) return evaluate(node.otherwise, frame);
  const message = 'the condition is false and there is no "else"';
  return new Undefined({ name: "if", message, at: node.at, blank: true });
}

function evaluateCompare(node: Extract<Expression, { type: "compare" }>, frame: Frame): boolean {
  let left = evaluate(node.first, frame);
  for (const { operator, operand } of node.rest) {
    const right = evaluate(operand, frame);
    if (
      right instanceof Undefined &&
      operand.type === "name" &&
      right.near === undefined &&
      right.cause === undefined
    )
      throw unquoted(right);
    frame.place.at = node.at;
    if (!comparison(operator, left, right)) return false;
    left = right;
  }
  return true;
}
/** `when: mode == fast`: a word without quotes is a name. */
function unquoted(name: Undefined): Fault {
  const fault = name.fault();
  const hinted = new Fault(`${fault.message}; if it is text, write '${name.name}'`, fault.at);
  hinted.undefinedName = fault.undefinedName;
  return hinted;
}

export function comparison(operator: CompareOperator, left: Value, right: Value): boolean {
  switch (operator) {
    case "==":
      return equals(left, right);
    case "!=":
      return !equals(left, right);
    case "in":
      return contains(right, left);
    case "not in":
      return !contains(right, left);
    case "<":
      return compare(left, right, operator) < 0;
    case "<=":
      return compare(left, right, operator) <= 0;
    case ">":
      return compare(left, right, operator) > 0;
    case ">=":
      return compare(left, right, operator) >= 0;
  }
}

export function evaluateArguments(given: Arguments, frame: Frame): CallArgs {
  const args = given.args.map((argument) => evaluate(argument, frame));
  const kwargs = new Map(given.kwargs.map(({ name, value }) => [name, evaluate(value, frame)]));
  if (given.star !== undefined) args.push(...iterate(evaluate(given.star, frame)));
  if (given.doubleStar !== undefined) {
    const named = evaluate(given.doubleStar, frame);
    if (!isMapping(named)) throw new Fault(`"**" wants a mapping, and ${aTypeName(named)} was given`);
    for (const [key, value] of mappingEntries(named)) kwargs.set(str(key), value);
  }
  return { args, kwargs };
}

function evaluateCall(node: Extract<Expression, { type: "call" }>, frame: Frame): Value {
  if (node.callee.type === "attribute") {
    const object = evaluate(node.callee.object, frame);
    const given = evaluateArguments(node.arguments, frame);
    frame.place.at = node.callee.at;
    return callMember(object, node.callee.name, given, frame);
  }
  const callee = evaluate(node.callee, frame);
  const given = evaluateArguments(node.arguments, frame);
  frame.place.at = node.at;
  return callValue(callee, given);
}

function callMember(object: Value, name: string, given: CallArgs, frame: Frame): Value {
  if (object instanceof Undefined) throw object.fault();
  if (object instanceof PyObject) {
    const made = object.method(name, given);
    if (made !== undefined) return made;
    const member = object.attribute(name);
    if (member !== undefined) return callValue(member, given);
    if (object.keys() === undefined) throw new Fault(`a ${object.typeName} has no method "${name}"`);
  }
  const made = callMethod(object, { name, ...given, runtime: frame.runtime });
  return methodsThatHandOn.has(name) ? made : own(made);
}

export function callValue(callee: Value, given: CallArgs): Value {
  if (callee instanceof Undefined) throw callee.fault();
  if (callee instanceof PyObject) return callee.call(given);
  throw new Fault(`${aTypeName(callee)} cannot be called`);
}

/** These give what they were given, or a part of it. */
const handsOn = new Set(
  "default d mandatory first last min max random extract attr ternary from_json from_yaml sum".split(" "),
);
const methodsThatHandOn = new Set(["get", "pop", "setdefault"]);

export function applyFilter(
  node: Extract<Expression, { type: "filter" }>,
  input: Value,
  frame: Frame,
): Value {
  const given = evaluateArguments(node.arguments, frame);
  frame.place.at = node.at;
  const made = frame.runtime.filter(node.name, input, given);
  return handsOn.has(node.name) ? made : own(made);
}

function evaluateTest(node: Extract<Expression, { type: "test" }>, frame: Frame): boolean {
  const input = evaluate(node.input, frame);
  const given = evaluateArguments(node.arguments, frame);
  frame.place.at = node.at;
  return frame.runtime.test(node.name, input, given) !== node.negated;
}

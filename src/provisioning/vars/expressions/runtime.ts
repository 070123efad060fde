/** What filters, tests, lookups and methods are given: their arguments and the evaluation that they stand in. */
import type { SourceNode } from "../../source/node.ts";
import type { RenderContext } from "../render-context.ts";
import { truth } from "./compare.ts";
import type { Syntax } from "./lexer.ts";
import { str } from "./text.ts";
import { aTypeName, type CallArgs, Fault, isNumeric, toNumber, Undefined, type Value } from "./value.ts";

export interface Runtime {
  readonly context: RenderContext;
  filter(name: string, input: Value, call: CallArgs): Value;
  test(name: string, input: Value, call: CallArgs): boolean;
  hasFilter(name: string): boolean;
  hasTest(name: string): boolean;
  /** A variable of the scope, rendered; undefined when there is none. */
  variable(name: string): Value | undefined;
  /** Runs another piece of Jinja, a file's text, in the same scope. */
  renderFile(file: string, text: string, options?: RenderFileOptions): string;
  renderNode(node: SourceNode): Value;
  /** What is being computed may be another value next time: it must not be kept. */
  markImpure(what?: string): void;
  random(): number;
  now(): number;
}
export interface RenderFileOptions {
  readonly variables?: ReadonlyMap<string, Value>;
  readonly syntax?: Syntax;
}

export interface Invocation extends CallArgs {
  readonly name: string;
  readonly runtime: Runtime;
}
export type Filter = (input: Value, call: Invocation) => Value;
export type Test = (input: Value, call: Invocation) => boolean;

/** The arguments in the order of `names`, however they were given. An unknown or surplus one is an error. */
export function parameters(call: Invocation, names: readonly string[], required = 0): (Value | undefined)[] {
  if (call.args.length > names.length)
    throw new Fault(`"${call.name}" takes ${names.length} arguments, and ${call.args.length} were given`);
  const found: (Value | undefined)[] = names.map((_, index) => call.args[index]);
  for (const [name, value] of call.kwargs) {
    const index = names.indexOf(name);
    if (index < 0) throw new Fault(`"${call.name}" has no argument "${name}"${takes(names)}`);
    if (found[index] !== undefined) throw new Fault(`"${call.name}" was given "${name}" twice`);
    found[index] = value;
  }
  for (const [index, name] of names.entries()) {
    const value = found[index];
    if (value === undefined && index < required)
      throw new Fault(`"${call.name}" wants an argument "${name}"`);
    if (value instanceof Undefined) throw value.fault();
  }
  return found;
}
const takes = (names: readonly string[]): string =>
  names.length > 0 ? `: it takes ${names.join(", ")}` : "";

export const none: CallArgs = { args: [], kwargs: new Map() };
export const withArgs = (...args: readonly Value[]): CallArgs => ({ args, kwargs: new Map() });

/** Readers of arguments: each says what was wanted. */
export function textOf(value: Value | undefined, usual: string, what = "text"): string {
  if (value === undefined || value === null) return usual;
  if (typeof value !== "string") throw new Fault(`${what} is wanted, and ${aTypeName(value)} was given`);
  return value;
}
export function numberOf(value: Value | undefined, usual: number, what = "a number"): number {
  if (value === undefined || value === null) return usual;
  if (isNumeric(value)) return toNumber(value);
  if (typeof value === "string" && /^\s*[-+]?\d+(?:\.\d+)?\s*$/.test(value)) return Number(value);
  throw new Fault(`${what} is wanted, and ${aTypeName(value)} was given`);
}
export const wholeOf = (value: Value | undefined, usual: number, what = "a whole number"): number =>
  Math.trunc(numberOf(value, usual, what));
export const flagOf = (value: Value | undefined, usual: boolean): boolean =>
  value === undefined ? usual : truth(value);
/** What Jinja's text filters do first: str(). */
export const asText = (value: Value): string => {
  if (value instanceof Undefined) throw value.fault();
  return str(value);
};

/** Names of a template itself, and where the evaluation stands. */
import type { Syntax } from "./lexer.ts";
import type { Value } from "./value.ts";

/** The place in one template's text, for messages. */
export interface Place {
  readonly text: string;
  at: number;
}
/** A template file that text comes from: `include` and `import` look beside it. */
export interface TemplateFile {
  readonly file: string;
  readonly text: string;
  /** Files that it takes in are read as it is. */
  readonly syntax?: Syntax;
}

/**
 * Lists that an expression made itself. Only these grow by append() and its kin: a list that came as data is shared
 * with everyone who reads it.
 */
const ownLists = new WeakSet<object>();
export function own(value: Value): Value {
  if (Array.isArray(value)) ownLists.add(value);
  return value;
}
export const isOwn = (list: readonly Value[]): boolean => ownLists.has(list);

/** Names that `set`, `for`, `with` and macros bind, in nested blocks. */
export class Locals {
  readonly #names = new Map<string, Value>();
  readonly #outer: Locals | undefined;
  constructor(outer?: Locals) {
    this.#outer = outer;
  }
  get(name: string): Value | undefined {
    const found = this.#names.get(name);
    return found === undefined ? this.#outer?.get(name) : found;
  }
  set(name: string, value: Value): void {
    this.#names.set(name, value);
  }
  own(): ReadonlyMap<string, Value> {
    return this.#names;
  }
  inner(): Locals {
    return new Locals(this);
  }
}

/** Parses JMESPath into a function of the data. */
import { compareText, equals } from "../compare.ts";
import { spend } from "../effort.ts";
import { sliceItems } from "../members.ts";
import {
  Dict,
  Fault,
  isList,
  isMapping,
  isNumeric,
  mappingEntries,
  mappingGet,
  toNumber,
  type Value,
} from "../value.ts";
import { type Argument, callFunction } from "./functions.ts";
import { type Token, wordsOf } from "./lexer.ts";

type Run = (value: Value) => Value;
interface Node {
  readonly run: Run;
  /** A name alone: the start of a call, if a parenthesis follows. */
  readonly name?: string;
  /** `&expression`: handed to a function as it is. */
  readonly isReference?: true;
}

/** How strongly a sign binds what stands left of it. */
const strength: Readonly<Record<string, number>> = {
  "|": 1,
  "||": 2,
  "&&": 3,
  "==": 5,
  "!=": 5,
  "<": 5,
  "<=": 5,
  ">": 5,
  ">=": 5,
  "[]": 9,
  "*": 20,
  "[?": 21,
  ".": 40,
  "!": 45,
  "{": 50,
  "[": 55,
  "(": 60,
};
/** A projection goes on to the right until a weaker sign. */
const projectionStop = 10;
const maxDepth = 100;

export const parseJmespath = (text: string): Run => new Parser(text).all();

const self: Node = { run: (value) => value };
const isFalse = (value: Value): boolean =>
  value === null ||
  value === false ||
  value === "" ||
  (isList(value) && value.length === 0) ||
  (isMapping(value) && mappingEntries(value).length === 0);

const project = (items: readonly Value[], right: Node): Value => {
  spend(items.length);
  return items.map(right.run).filter((item) => item !== null);
};
const projection = (left: Node, right: Node): Node => ({
  run: (value) => {
    const items = left.run(value);
    return isList(items) ? project(items, right) : null;
  },
});
const valueProjection = (left: Node, right: Node): Node => ({
  run: (value) => {
    const map = left.run(value);
    if (map === null || !isMapping(map)) return null;
    return project(
      mappingEntries(map).map(([, member]) => member),
      right,
    );
  },
});
const flattened = (left: Node): Node => ({
  run: (value) => {
    const items = left.run(value);
    return isList(items) ? items.flatMap((item) => (isList(item) ? item : [item])) : null;
  },
});
const field = (name: string): Node => ({
  run: (value) => (isMapping(value) ? (mappingGet(value, name) ?? null) : null),
});
const after = (left: Node, right: Node): Node => ({ run: (value) => right.run(left.run(value)) });

function compared(operator: string, a: Value, b: Value): Value {
  const isSame = (typeof a === "boolean") === (typeof b === "boolean") && equals(a, b);
  if (operator === "==") return isSame;
  if (operator === "!=") return !isSame;
  const order = orderOf(a, b);
  if (order === undefined) return null;
  if (operator.startsWith("<")) return order < 0 || (operator === "<=" && order === 0);
  return order > 0 || (operator === ">=" && order === 0);
}
function orderOf(a: Value, b: Value): number | undefined {
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  const numbers = [a, b].flatMap((value) =>
    isNumeric(value) && typeof value !== "boolean" ? [toNumber(value)] : [],
  );
  const [left, right] = numbers;
  return left === undefined || right === undefined ? undefined : left - right;
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  constructor(text: string) {
    this.#text = text;
    this.#tokens = wordsOf(text);
  }

  all(): Run {
    const node = this.#expression(0);
    this.#take("end");
    return node.run;
  }

  #type(ahead = 0): string {
    return this.#tokens[this.#at + ahead]?.type ?? "end";
  }
  #next(): Token {
    const token = this.#tokens[this.#at] as Token;
    if (token.type !== "end") this.#at++;
    return token;
  }
  #take(type: string): void {
    if (this.#type() !== type) throw this.#unexpected();
    this.#next();
  }
  #has(type: string): boolean {
    if (this.#type() !== type) return false;
    this.#next();
    return true;
  }
  #unexpected(): Fault {
    const token = this.#tokens[this.#at];
    const rest = this.#text.slice(token?.at ?? 0);
    const where = rest.trim() === "" ? "it ends too early" : `it cannot go on with "${rest.slice(0, 20)}"`;
    return new Fault(`json_query: "${this.#text}" is no JMESPath: ${where}`);
  }

  #expression(binding: number): Node {
    if (++this.#depth > maxDepth) throw new Fault("json_query: the expression is nested too deeply");
    let left = this.#start(this.#next());
    while (binding < (strength[this.#type()] ?? 0)) left = this.#goOn(left, this.#next());
    this.#depth--;
    return left;
  }

  #start(token: Token): Node {
    switch (token.type) {
      case "literal":
        return { run: () => token.value };
      case "name":
        return { ...field(String(token.value)), name: String(token.value) };
      case "quoted":
        if (this.#type() === "(") throw this.#unexpected();
        return field(String(token.value));
      case "*":
        return valueProjection(self, this.#type() === "]" ? self : this.#projected(20));
      case "[?":
        return this.#filter(self);
      case "{":
        return this.#hash();
      case "(": {
        const inner = this.#expression(0);
        this.#take(")");
        return { run: inner.run };
      }
      case "[]":
        return projection(flattened(self), this.#projected(9));
      case "!": {
        const operand = this.#expression(45);
        return { run: (value) => isFalse(operand.run(value)) };
      }
      case "[":
        return this.#bracket(self, true);
      case "@":
        return self;
      case "&":
        return { run: this.#expression(0).run, isReference: true };
      default:
        this.#at = Math.max(0, this.#tokens.indexOf(token));
        throw this.#unexpected();
    }
  }

  #goOn(left: Node, token: Token): Node {
    switch (token.type) {
      case ".":
        if (this.#has("*")) return valueProjection(left, this.#projected(40));
        return after(left, this.#afterDot(40));
      case "|":
        return after(left, this.#expression(1));
      case "||": {
        const right = this.#expression(2);
        return { run: (value) => firstUnless(isFalse, left.run(value), () => right.run(value)) };
      }
      case "&&": {
        const right = this.#expression(3);
        const isTrue = (value: Value): boolean => !isFalse(value);
        return { run: (value) => firstUnless(isTrue, left.run(value), () => right.run(value)) };
      }
      case "(":
        return this.#call(left);
      case "[?":
        return this.#filter(left);
      case "[]":
        return projection(flattened(left), this.#projected(9));
      case "[":
        return this.#bracket(left, false);
      default: {
        const right = this.#expression(5);
        return { run: (value) => compared(token.type, left.run(value), right.run(value)) };
      }
    }
  }

  #call(callee: Node): Node {
    const { name } = callee;
    if (name === undefined) throw this.#unexpected();
    const nodes: Node[] = [];
    while (!this.#has(")")) {
      if (nodes.length > 0) this.#take(",");
      nodes.push(this.#expression(0));
    }
    return {
      run: (value) => {
        const args = nodes.map(
          (node): Argument => (node.isReference === true ? { each: node.run } : { value: node.run(value) }),
        );
        return callFunction(name, args);
      },
    };
  }

  #filter(left: Node): Node {
    const condition = this.#expression(0);
    this.#take("]");
    const right = this.#type() === "[]" ? self : this.#projected(21);
    const kept: Node = {
      run: (value) => {
        const items = left.run(value);
        return isList(items) ? items.filter((item) => !isFalse(condition.run(item))) : null;
      },
    };
    return projection(kept, right);
  }

  /** After `[`: an index, a slice, `*]`, or at the start of an expression a list of expressions. */
  #bracket(left: Node, isStart: boolean): Node {
    if (this.#type() === "number" || this.#type() === ":") return this.#indexOrSlice(left);
    if (!isStart || (this.#type() === "*" && this.#type(1) === "]")) {
      this.#take("*");
      this.#take("]");
      return projection(left, this.#projected(20));
    }
    return this.#list();
  }

  #indexOrSlice(left: Node): Node {
    const bounds: (number | null)[] = [null];
    while (!this.#has("]")) {
      if (this.#has(":")) bounds.push(null);
      else if (this.#type() === "number") bounds[bounds.length - 1] = Number(this.#next().value);
      else throw this.#unexpected();
    }
    const [start = null, stop = null, step = null] = bounds;
    if (bounds.length > 3) throw this.#unexpected();
    if (bounds.length === 1)
      return after(left, { run: (value) => (isList(value) ? (value.at(start ?? 0) ?? null) : null) });
    const slice: Node = {
      run: (value) => (isList(value) ? sliceItems(value, { start, stop, step }) : null),
    };
    return projection(after(left, slice), this.#projected(20));
  }

  /** What a projection does with each item. */
  #projected(binding: number): Node {
    if ((strength[this.#type()] ?? 0) < projectionStop) return self;
    if (this.#type() === "[" || this.#type() === "[?") return this.#expression(binding);
    this.#take(".");
    return this.#afterDot(binding);
  }

  #afterDot(binding: number): Node {
    if (this.#has("[")) return this.#list();
    if (this.#has("{")) return this.#hash();
    if (!["name", "quoted", "*"].includes(this.#type())) throw this.#unexpected();
    return this.#expression(binding);
  }

  #list(): Node {
    const nodes: Node[] = [];
    while (nodes.length === 0 || !this.#has("]")) {
      if (nodes.length > 0) this.#take(",");
      nodes.push(this.#expression(0));
    }
    return { run: (value) => (value === null ? null : nodes.map((node) => node.run(value))) };
  }

  #hash(): Node {
    const members: (readonly [string, Node])[] = [];
    while (members.length === 0 || !this.#has("}")) {
      if (members.length > 0) this.#take(",");
      if (this.#type() !== "name" && this.#type() !== "quoted") throw this.#unexpected();
      const name = String(this.#next().value);
      this.#take(":");
      members.push([name, this.#expression(0)]);
    }
    return {
      run: (value) =>
        value === null ? null : Dict.of(members.map(([name, node]) => [name, node.run(value)] as const)),
    };
  }
}

const firstUnless = (turnsDown: (value: Value) => boolean, first: Value, second: () => Value): Value =>
  turnsDown(first) ? second() : first;

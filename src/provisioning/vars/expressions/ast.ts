/** The syntax tree of Jinja: expressions and statements. `at` is the offset of a node in the template's text. */
import type { Value } from "./value.ts";

export interface Arguments {
  readonly args: readonly Expression[];
  readonly kwargs: readonly { readonly name: string; readonly value: Expression }[];
  readonly star?: Expression;
  readonly doubleStar?: Expression;
}
export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**";
export type CompareOperator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";

export type Expression = { readonly at: number } & (
  | { readonly type: "constant"; readonly value: Value }
  | { readonly type: "name"; readonly name: string }
  | { readonly type: "list" | "tuple"; readonly items: readonly Expression[] }
  | { readonly type: "dict"; readonly entries: readonly (readonly [Expression, Expression])[] }
  | { readonly type: "attribute"; readonly object: Expression; readonly name: string }
  | { readonly type: "item"; readonly object: Expression; readonly key: Expression }
  | {
      readonly type: "slice";
      readonly object: Expression;
      readonly start: Expression | undefined;
      readonly stop: Expression | undefined;
      readonly step: Expression | undefined;
    }
  | { readonly type: "call"; readonly callee: Expression; readonly arguments: Arguments }
  /** Without input: the filter of a filter or set block. */
  | {
      readonly type: "filter";
      readonly input: Expression | undefined;
      readonly name: string;
      readonly arguments: Arguments;
    }
  | {
      readonly type: "test";
      readonly input: Expression;
      readonly name: string;
      readonly arguments: Arguments;
      readonly negated: boolean;
    }
  | {
      readonly type: "conditional";
      readonly test: Expression;
      readonly chosen: Expression;
      readonly otherwise: Expression | undefined;
    }
  | { readonly type: "and" | "or"; readonly left: Expression; readonly right: Expression }
  | { readonly type: "not" | "negative" | "positive"; readonly operand: Expression }
  | {
      readonly type: "compare";
      readonly first: Expression;
      readonly rest: readonly { readonly operator: CompareOperator; readonly operand: Expression }[];
    }
  | {
      readonly type: "binary";
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly type: "concat"; readonly items: readonly Expression[] }
);

/** What `for`, `set` and `with` assign to. */
export type Target =
  | { readonly type: "name"; readonly name: string; readonly at: number }
  | { readonly type: "tuple"; readonly items: readonly Target[]; readonly at: number }
  /** `set ns.counter = …`, of a namespace() only. */
  | { readonly type: "member"; readonly name: string; readonly member: string; readonly at: number };

export interface Parameter {
  readonly name: string;
  readonly default: Expression | undefined;
}
export interface MacroDefinition {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly Statement[];
  /** The body uses varargs, kwargs or caller: then surplus arguments are let in. */
  readonly uses: ReadonlySet<string>;
}

export type Statement = { readonly at: number } & (
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "output"; readonly expression: Expression }
  | {
      readonly type: "if";
      readonly branches: readonly { readonly test: Expression; readonly body: readonly Statement[] }[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly type: "for";
      readonly target: Target;
      readonly over: Expression;
      readonly filter: Expression | undefined;
      readonly recursive: boolean;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | { readonly type: "set"; readonly target: Target; readonly value: Expression }
  | {
      readonly type: "set-block";
      readonly target: Target;
      readonly filter: Expression | undefined;
      readonly body: readonly Statement[];
    }
  | {
      readonly type: "with";
      readonly assignments: readonly { readonly target: Target; readonly value: Expression }[];
      readonly body: readonly Statement[];
    }
  | { readonly type: "macro"; readonly macro: MacroDefinition }
  | { readonly type: "call-block"; readonly call: Expression; readonly caller: MacroDefinition }
  | { readonly type: "filter-block"; readonly filter: Expression; readonly body: readonly Statement[] }
  | { readonly type: "scope"; readonly body: readonly Statement[] }
  | { readonly type: "do"; readonly expression: Expression }
  | { readonly type: "break" | "continue" }
  | {
      readonly type: "include";
      readonly template: Expression;
      readonly ignoreMissing: boolean;
      readonly withContext: boolean;
    }
  | {
      readonly type: "import";
      readonly template: Expression;
      readonly as: string;
      readonly withContext: boolean;
    }
  | {
      readonly type: "from-import";
      readonly template: Expression;
      readonly names: readonly { readonly name: string; readonly as: string }[];
      readonly withContext: boolean;
    }
  | { readonly type: "extends"; readonly template: Expression }
  | { readonly type: "block"; readonly name: string; readonly body: readonly Statement[] }
);

export interface Template {
  readonly text: string;
  readonly body: readonly Statement[];
  readonly blocks: ReadonlyMap<string, readonly Statement[]>;
}

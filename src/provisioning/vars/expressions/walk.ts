/** Visits every expression of a tree, with the names that are bound around it. */
import type { Arguments, Expression, MacroDefinition, Statement, Target } from "./ast.ts";

export interface Visitor {
  /** `bound`: names that the template itself sets where the expression stands. */
  expression(node: Expression, bound: ReadonlySet<string>): void;
}

export function walkStatements(
  body: readonly Statement[],
  visitor: Visitor,
  bound: ReadonlySet<string> = new Set(),
): void {
  // `set` and `macro` bind for what follows in the same body.
  let names = bound;
  for (const statement of body) names = walkStatement(statement, visitor, names);
}

const plus = (bound: ReadonlySet<string>, ...names: readonly string[]): ReadonlySet<string> =>
  new Set([...bound, ...names]);
const namesOf = (target: Target): string[] =>
  target.type === "tuple" ? target.items.flatMap(namesOf) : target.type === "name" ? [target.name] : [];

function walkStatement(
  statement: Statement,
  visitor: Visitor,
  bound: ReadonlySet<string>,
): ReadonlySet<string> {
  const visit = (node: Expression | undefined, names = bound): void => {
    if (node !== undefined) walkExpression(node, visitor, names);
  };
  switch (statement.type) {
    case "output":
    case "do":
      visit(statement.expression);
      return bound;
    case "if":
      for (const { test, body } of statement.branches) {
        visit(test);
        walkStatements(body, visitor, bound);
      }
      walkStatements(statement.otherwise, visitor, bound);
      return setIn(statement, bound);
    case "for": {
      visit(statement.over);
      const inside = plus(bound, "loop", ...namesOf(statement.target));
      visit(statement.filter, inside);
      walkStatements(statement.body, visitor, inside);
      walkStatements(statement.otherwise, visitor, bound);
      return bound;
    }
    case "set":
      visit(statement.value);
      return plus(bound, ...namesOf(statement.target));
    default:
      return walkBlock(statement, visitor, bound);
  }
}

/** A name that one branch of an `if` sets may be set afterwards: it counts as bound. */
function setIn(
  statement: Extract<Statement, { type: "if" }>,
  bound: ReadonlySet<string>,
): ReadonlySet<string> {
  const bodies = [...statement.branches.map(({ body }) => body), statement.otherwise];
  const names = bodies.flat().flatMap((inner) => {
    if (inner.type === "set" || inner.type === "set-block") return namesOf(inner.target);
    return inner.type === "if" ? [...setIn(inner, new Set())] : [];
  });
  return names.length === 0 ? bound : plus(bound, ...names);
}

type BlockStatement = Exclude<Statement, { type: "output" | "do" | "if" | "for" | "set" }>;

function walkBlock(
  statement: BlockStatement,
  visitor: Visitor,
  bound: ReadonlySet<string>,
): ReadonlySet<string> {
  switch (statement.type) {
    case "set-block":
      if (statement.filter !== undefined) walkExpression(statement.filter, visitor, bound);
      walkStatements(statement.body, visitor, bound);
      return plus(bound, ...namesOf(statement.target));
    case "with":
      for (const { value } of statement.assignments) walkExpression(value, visitor, bound);
      walkStatements(
        statement.body,
        visitor,
        plus(bound, ...statement.assignments.flatMap(({ target }) => namesOf(target))),
      );
      return bound;
    case "macro":
      walkMacro(statement.macro, visitor, plus(bound, statement.macro.name));
      return plus(bound, statement.macro.name);
    case "call-block":
      walkExpression(statement.call, visitor, bound);
      walkMacro(statement.caller, visitor, bound);
      return bound;
    case "filter-block":
      walkExpression(statement.filter, visitor, bound);
      walkStatements(statement.body, visitor, bound);
      return bound;
    case "scope":
    case "block":
      walkStatements(statement.body, visitor, plus(bound, "super"));
      return bound;
    case "include":
    case "extends":
      walkExpression(statement.template, visitor, bound);
      return bound;
    case "import":
      walkExpression(statement.template, visitor, bound);
      return plus(bound, statement.as);
    case "from-import":
      walkExpression(statement.template, visitor, bound);
      return plus(bound, ...statement.names.map(({ as }) => as));
    default:
      return bound;
  }
}

function walkMacro(macro: MacroDefinition, visitor: Visitor, bound: ReadonlySet<string>): void {
  for (const { default: usual } of macro.parameters)
    if (usual !== undefined) walkExpression(usual, visitor, bound);
  const names = macro.parameters.map(({ name }) => name);
  walkStatements(macro.body, visitor, plus(bound, ...names, "varargs", "kwargs", "caller"));
}

export function walkExpression(node: Expression, visitor: Visitor, bound: ReadonlySet<string>): void {
  visitor.expression(node, bound);
  for (const child of childrenOf(node)) walkExpression(child, visitor, bound);
}

const given = ({ args, kwargs, star, doubleStar }: Arguments): (Expression | undefined)[] => [
  ...args,
  ...kwargs.map(({ value }) => value),
  star,
  doubleStar,
];

function childrenOf(node: Expression): Expression[] {
  return parts(node).filter((part) => part !== undefined);
}
function parts(node: Expression): readonly (Expression | undefined)[] {
  switch (node.type) {
    case "constant":
    case "name":
      return [];
    case "list":
    case "tuple":
    case "concat":
      return node.items;
    case "dict":
      return node.entries.flat();
    case "attribute":
      return [node.object];
    case "item":
      return [node.object, node.key];
    case "slice":
      return [node.object, node.start, node.stop, node.step];
    case "call":
      return [node.callee, ...given(node.arguments)];
    case "filter":
    case "test":
      return [node.input, ...given(node.arguments)];
    case "conditional":
      return [node.test, node.chosen, node.otherwise];
    case "not":
    case "negative":
    case "positive":
      return [node.operand];
    case "compare":
      return [node.first, ...node.rest.map(({ operand }) => operand)];
    default:
      return [node.left, node.right];
  }
}

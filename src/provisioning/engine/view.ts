/** What one task on one host (and one item) sees: a scope, and renderings in it. */
import type { Span } from "../../base/errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import type { Condition, Loop } from "../playbook/model.ts";
import type { MapNode, SourceNode } from "../source/node.ts";
import { expandLoop } from "../vars/loops.ts";
import {
  dropOmitted,
  evaluateCondition,
  evaluateExpression,
  render,
  renderToString,
} from "../vars/render.ts";
import type { RenderContext } from "../vars/render-context.ts";
import type { Scope, Variable } from "../vars/variable.ts";
import { isTrue } from "./become.ts";

/** Thrown while looking ahead, at the touch of a name that is not known before its turn (R4). */
export class UnknownAhead extends Error {
  override readonly name: string;
  constructor(name: string) {
    super(`"${name}" is not known yet`);
    this.name = name;
  }
}
export const isUnknownAhead = (error: unknown): error is UnknownAhead => error instanceof UnknownAhead;

/** A view for looking ahead (R3, R4): nothing is executed, and what differs from time to time is unknown. */
export const pure = (view: View): View =>
  new View({
    ...view.context,
    allowCommands: false,
    onImpure: (what) => {
      throw new UnknownAhead(what);
    },
  });

export class View {
  readonly context: RenderContext;

  constructor(context: RenderContext) {
    this.context = context;
  }

  value(node: SourceNode): JsonValue {
    return render(node, this.context);
  }

  text(node: SourceNode): string {
    return renderToString(node, this.context);
  }

  flag(node: SourceNode): boolean {
    return isTrue(this.value(node));
  }

  /** Members that render to `omit` are left out, at every depth. */
  object(node: MapNode): JsonObject {
    const value = dropOmitted(render(node, this.context));
    return isJsonObject(value) ? value : {};
  }

  variable(name: string): JsonValue | undefined {
    const found = this.context.scope.lookup(name);
    if (found === undefined) return undefined;
    return found.kind === "data" ? found.value : render(found.node, this.context);
  }

  evaluate(expression: string, span: Span): JsonValue {
    return evaluateExpression(expression, span, this.context);
  }

  firstUnmet(conditions: readonly Condition[]): Condition | undefined {
    return conditions.find(({ expression, span }) => !evaluateCondition(expression, span, this.context));
  }

  loopItems(loop: Loop): readonly JsonValue[] {
    return expandLoop(loop, this.context);
  }

  /** The same, noting in `seen` which of these names it looks at, however far behind other variables. */
  noting(names: ReadonlySet<string>, seen: Set<string>): View {
    const { scope } = this.context;
    const lookup = (name: string): Variable | undefined => {
      if (names.has(name)) seen.add(name);
      return scope.lookup(name);
    };
    return new View({ ...this.context, scope: { lookup, names: () => scope.names() } });
  }

  /** The same, with further names in front. */
  withData(values: JsonObject): View {
    const variables = new Map<string, Variable>();
    for (const [name, value] of Object.entries(values)) variables.set(name, dataVariable(value, "task"));
    return new View({ ...this.context, scope: layered(variables, this.context.scope) });
  }
}

export const dataVariable = (value: JsonValue, layer: string): Variable => ({
  kind: "data",
  value,
  origin: { layer },
});

export const layered = (front: ReadonlyMap<string, Variable>, behind: Scope): Scope => ({
  lookup: (name) => front.get(name) ?? behind.lookup(name),
  names: function* () {
    yield* front.keys();
    for (const name of behind.names()) if (!front.has(name)) yield name;
  },
});

/** Looking ahead: touching an unknown name, even through other variables, is noticed. */
export const withUnknown = (scope: Scope, unknown: ReadonlySet<string>): Scope => ({
  lookup: (name) => {
    if (unknown.has(name)) throw new UnknownAhead(name);
    return scope.lookup(name);
  },
  names: () => scope.names(),
});

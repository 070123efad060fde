/** `loop` and `with_*`: the items that a task goes through. */
import { ProvisionError, type Span } from "../../base/errors.ts";
import type { JsonValue } from "../../base/json.ts";
import type { SourceNode } from "../source/node.ts";
import { withinLimits } from "./expressions/effort.ts";
import { runLookup } from "./expressions/lookups.ts";
import { faultOf, Renderer } from "./expressions/renderer.ts";
import {
  aTypeName,
  isList,
  isMapping,
  mappingKeys,
  toJson,
  typeName,
  Undefined,
  type Value,
} from "./expressions/value.ts";
import { errorOf } from "./render.ts";
import type { RenderContext } from "./render-context.ts";

export interface LoopSource {
  /** "loop", or what follows `with_`. */
  readonly form: string;
  readonly over: SourceNode;
}

export function expandLoop(loop: LoopSource, context: RenderContext): readonly JsonValue[] {
  const { form, over } = loop;
  const renderer = new Renderer(context);
  const expand = (): readonly JsonValue[] => {
    const value = bareVariable(over, renderer) ?? renderer.renderNode(over);
    if (form === "loop") return itemsOf(value, over.span);
    const terms = isList(value)
      ? value
      : keysOnly.has(form) && isMapping(value)
        ? mappingKeys(value)
        : [value];
    return runLookup(form, { terms, options: new Map(), renderer }).map(toJson);
  };
  try {
    return withinLimits(expand);
  } catch (error) {
    const fault = faultOf(error);
    throw fault === undefined ? error : errorOf(fault, over.span);
  }
}

/** As Python does with a dict where it goes through a list. */
const keysOnly: ReadonlySet<string> = new Set(["items", "flattened"]);

function itemsOf(value: Value, span: Span): readonly JsonValue[] {
  if (value instanceof Undefined) throw value.fault();
  if (isList(value)) return value.map(toJson);
  const isDict = typeName(value) === "dict";
  throw new ProvisionError({
    code: "bad-expression",
    action: "go through the loop",
    state: `a list is wanted, and ${aTypeName(value)} was given`,
    span,
    fix: isDict
      ? 'write "{{ … | dict2items }}"'
      : typeName(value) === "int"
        ? `to count: "{{ range(${String(value)}) }}"`
        : 'write "[ … ]", or one item a line: "- …"',
  });
}

/** Old playbooks name a variable without braces: `with_items: users`. */
function bareVariable(over: SourceNode, renderer: Renderer): Value | undefined {
  if (over.kind !== "scalar" || typeof over.value !== "string" || !/^[A-Za-z_]\w*$/.test(over.value))
    return undefined;
  const value = renderer.variable(over.value);
  return value === undefined || value instanceof Undefined || typeof value === "string" ? undefined : value;
}

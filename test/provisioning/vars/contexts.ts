/** Scopes for tests: plain values as data, strings marked as templates lazily. */
import type { JsonValue } from "../../../src/base/json.ts";
import type { SourceNode } from "../../../src/provisioning/source/node.ts";
import type { RenderContext } from "../../../src/provisioning/vars/render-context.ts";
import type { Variable } from "../../../src/provisioning/vars/variable.ts";

export const span = { file: "play.yml", line: 1, column: 1 };
const origin = { layer: "test" };

export const nodeOf = (value: JsonValue): SourceNode => {
  if (Array.isArray(value)) return { kind: "list", items: value.map(nodeOf), span };
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, member]) => ({
      key: { kind: "scalar", value: key, span } as const,
      value: nodeOf(member),
    }));
    return { kind: "map", entries, span };
  }
  return { kind: "scalar", value: value as string | number | boolean | null, span };
};

export interface Variables {
  /** Rendered when used. */
  readonly templates?: Readonly<Record<string, JsonValue>>;
  /** As a host said it. */
  readonly data?: Readonly<Record<string, JsonValue>>;
}

export function contextOf(
  { templates = {}, data = {} }: Variables,
  more: Partial<RenderContext> = {},
): RenderContext {
  const variables = new Map<string, Variable>();
  for (const [name, value] of Object.entries(templates))
    variables.set(name, { kind: "template", node: nodeOf(value), origin });
  for (const [name, value] of Object.entries(data)) variables.set(name, { kind: "data", value, origin });
  return {
    scope: { lookup: (name) => variables.get(name), names: () => variables.keys() },
    searchPath: [],
    ...more,
  };
}

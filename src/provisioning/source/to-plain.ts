import type { JsonValue } from "../../base/json.ts";
import type { MapNode, ScalarNode, SourceNode } from "./node.ts";

/** The value alone, places and tags dropped. Keys become text as JSON has them. */
export function toPlain(node: SourceNode): JsonValue {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toPlain);
  return Object.fromEntries(node.entries.map(({ key, value }) => [keyText(key), toPlain(value)]));
}

/** A key as text: `1`, `true` and `null` keys as JSON writes them. */
export const keyText = (key: ScalarNode): string => String(key.value);

/** The value under a key of a map, if it is there. */
export function entryOf(map: MapNode, key: string): SourceNode | undefined {
  return map.entries.find((entry) => keyText(entry.key) === key)?.value;
}

/** `loop:` and every `with_…:`, with loop_control. */
import type { MapNode } from "../source/node.ts";
import type { Loop } from "./model.ts";
import { keyOf, nodeAt, readMap, readText, unknownKeyword } from "./read-values.ts";

const controlKeywords = ["loop_var", "index_var", "label", "pause", "extended", "extended_allitems"];

export const isLoopKeyword = (key: string): boolean => key === "loop" || key.startsWith("with_");

export function loadLoop(map: MapNode): Loop | undefined {
  const entry = map.entries.find((candidate) => isLoopKeyword(keyOf(candidate)));
  if (entry === undefined) return undefined;
  const key = keyOf(entry);
  const node = nodeAt(map, "loop_control");
  const control = node === undefined ? undefined : readMap("loop_control", node);
  for (const inner of control?.entries ?? []) {
    if (!controlKeywords.includes(keyOf(inner))) throw unknownKeyword("loop_control", inner, controlKeywords);
  }
  const text = (name: string): string | undefined => {
    const value = control === undefined ? undefined : nodeAt(control, name);
    return value === undefined ? undefined : readText(name, value);
  };
  const extended = control === undefined ? undefined : nodeAt(control, "extended");
  return {
    form: key === "loop" ? "loop" : key.slice("with_".length),
    over: entry.value,
    loopVar: text("loop_var") ?? "item",
    indexVar: text("index_var"),
    label: control === undefined ? undefined : nodeAt(control, "label"),
    pause: control === undefined ? undefined : nodeAt(control, "pause"),
    extended: extended?.kind === "scalar" && extended.value === true,
    span: entry.key.span,
  };
}

/** `loop:` and every `with_…:`, with loop_control. */
import { ProvisionError } from "../../base/errors.ts";
import type { MapEntry, MapNode } from "../source/node.ts";
import { lookups, shortLookup } from "../vars/expressions/lookups.ts";
import type { Loop } from "./model.ts";
import {
  keyOf,
  nodeAt,
  readConditions,
  readMap,
  readText,
  unknownKeyword,
  wrongShape,
} from "./read-values.ts";

const controlKeywords = [
  "loop_var",
  "index_var",
  "label",
  "pause",
  "extended",
  "extended_allitems",
  "break_when",
];

export const isLoopKeyword = (key: string): boolean => key === "loop" || key.startsWith("with_");

const formOf = (key: string): string => (key === "loop" ? key : shortLookup(key.slice("with_".length)));

/** Every lookup can stand behind `with_`. */
function refuseUnknownForm(entry: MapEntry): void {
  const form = formOf(keyOf(entry));
  if (form === "loop" || Object.hasOwn(lookups, form)) return;
  throw unknownKeyword("a task", entry, ["loop", ...Object.keys(lookups).map((each) => `with_${each}`)]);
}

function refuseSecondLoop(map: MapNode, first: MapEntry): void {
  const second = map.entries.find((entry) => entry !== first && isLoopKeyword(keyOf(entry)));
  if (second === undefined) return;
  throw new ProvisionError({
    code: "bad-task",
    action: "read a task",
    state: `it loops twice, by "${keyOf(first)}" and by "${keyOf(second)}"`,
    span: second.key.span,
    why: "a task has one loop; `product` and with_nested go through several lists",
  });
}

export function loadLoop(map: MapNode): Loop | undefined {
  const entry = map.entries.find((candidate) => isLoopKeyword(keyOf(candidate)));
  if (entry === undefined) return undefined;
  const key = keyOf(entry);
  refuseSecondLoop(map, entry);
  refuseUnknownForm(entry);
  const node = nodeAt(map, "loop_control");
  const control = node === undefined ? undefined : readMap("loop_control", node);
  for (const inner of control?.entries ?? []) {
    if (!controlKeywords.includes(keyOf(inner))) throw unknownKeyword("loop_control", inner, controlKeywords);
  }
  const at = (name: string) => (control === undefined ? undefined : nodeAt(control, name));
  const breakNode = at("break_when");
  const text = (name: string): string | undefined => {
    const value = at(name);
    if (value === undefined) return undefined;
    const written = readText(name, value);
    if (/^[A-Za-z_]\w*$/.test(written)) return written;
    throw wrongShape(name, "the name of a variable", value);
  };
  const flag = (name: string, otherwise: boolean): boolean => {
    const value = at(name);
    if (value === undefined) return otherwise;
    if (value.kind === "scalar" && typeof value.value === "boolean") return value.value;
    throw wrongShape(name, "true or false", value);
  };
  return {
    form: formOf(key),
    over: entry.value,
    loopVar: text("loop_var") ?? "item",
    indexVar: text("index_var"),
    label: at("label"),
    pause: at("pause"),
    extended: flag("extended", false),
    extendedAllItems: flag("extended_allitems", true),
    breakWhen: breakNode === undefined ? [] : readConditions("break_when", breakNode),
    span: entry.key.span,
  };
}

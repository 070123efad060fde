/** `loop:` and every `with_…:`, with loop_control. */
import { ProvisionError } from "../../base/errors.ts";
import type { MapEntry, MapNode } from "../source/node.ts";
import type { Loop } from "./model.ts";
import { keyOf, nodeAt, readMap, readText, unknownKeyword } from "./read-values.ts";

const controlKeywords = ["loop_var", "index_var", "label", "pause", "extended", "extended_allitems"];

export const isLoopKeyword = (key: string): boolean => key === "loop" || key.startsWith("with_");

/** Every lookup that Ansible ships can stand behind `with_`. */
const forms =
  "items dict list fileglob filetree first_found flattened indexed_items inventory_hostnames lines nested cartesian random_choice sequence subelements together file vars varnames env ini csvfile password pipe url template config dig hashi_vault etcd redis shelvefile unvault".split(
    " ",
  );

function refuseUnknownForm(entry: MapEntry): void {
  const form = keyOf(entry).replace(/^with_/, "");
  const known = forms.map((each) => `with_${each}`);
  if (form !== "loop" && !forms.includes(form)) throw unknownKeyword("a task", entry, ["loop", ...known]);
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

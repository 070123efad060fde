/** The small shapes that keywords take: texts, lists of texts, conditions, mappings. Each error has its place. */
import { ProvisionError, type Span } from "../../base/errors.ts";
import { nearest } from "../../base/nearest.ts";
import type { ListNode, MapEntry, MapNode, ScalarNode, SourceNode } from "../source/node.ts";
import type { KeyValue } from "../source/split-key-values.ts";
import type { Condition, Tag } from "./model.ts";

export const keyOf = (entry: MapEntry): string => String(entry.key.value);

export function entryOf(map: MapNode, key: string): MapEntry | undefined {
  return map.entries.find((entry) => keyOf(entry) === key);
}

export const nodeAt = (map: MapNode, key: string): SourceNode | undefined => entryOf(map, key)?.value;

const isNull = (node: SourceNode): boolean => node.kind === "scalar" && node.value === null;

function kindName(node: SourceNode): string {
  if (node.kind !== "scalar") return node.kind === "map" ? "a mapping" : "a list";
  return node.value === null
    ? "nothing"
    : `the ${typeof node.value === "string" ? "text" : typeof node.value} "${node.value}"`;
}

export const wrongShape = (what: string, wanted: string, node: SourceNode): ProvisionError =>
  new ProvisionError({
    code: "bad-keyword",
    action: `read "${what}"`,
    state: `it is ${kindName(node)}`,
    span: node.span,
    why: `"${what}" takes ${wanted}`,
    fix: shapeFix(wanted, node),
  });

function shapeFix(wanted: string, node: SourceNode): string | undefined {
  if (node.kind === "list" && wanted.startsWith("a mapping"))
    return 'write "name: value" instead of "- name: value"';
  if (node.kind === "map" && wanted.startsWith("a list")) {
    const [, name] = /^-(\w.*)$/.exec(String(node.entries[0]?.key.value)) ?? [];
    return name === undefined
      ? 'begin each with "- "'
      : `a space is missing behind the dash: write "- ${name}"`;
  }
  if (node.kind !== "scalar" || node.value === null) return undefined;
  const text = String(node.value);
  if (wanted.startsWith("a mapping")) {
    const [, key, value] = /^(\w+) *= *(\S+)/.exec(text) ?? [];
    return key === undefined ? 'write "name: value", a line each' : `write "${key}: ${value}"`;
  }
  if (wanted === "true or false")
    return `write ${nearest(text, ["true", "false"]) ?? (/^(?:y|on|t)/i.test(text) ? "true" : "false")}`;
  if (wanted.startsWith("a list of plays")) return 'begin with "- hosts: all"';
  return wanted === "a list" && text !== "" ? `write it below, a line each: "- ${text}"` : undefined;
}

/** true and false as Ansible reads them, or an expression. */
export function checkTruth(what: string, node: SourceNode): void {
  if (
    node.kind === "scalar" &&
    /^(?:yes|no|true|false|on|off|y|n|t|f|1|0|null)$|\{\{/i.test(String(node.value))
  )
    return;
  throw wrongShape(what, "true or false", node);
}

export function readText(what: string, node: SourceNode): string {
  if (node.kind !== "scalar" || node.value === null) throw wrongShape(what, "a text", node);
  return String(node.value);
}

export function readMap(what: string, node: SourceNode): MapNode {
  if (isNull(node)) return { kind: "map", entries: [], span: node.span };
  if (node.kind !== "map") throw wrongShape(what, "a mapping", node);
  return node;
}

/** `vars:` is a map; Ansible before 2.0 also took a list of maps. A later one wins. */
export function readVars(what: string, node: SourceNode): MapNode {
  const maps = node.kind === "list" ? node.items.map((item) => readMap(what, item)) : [readMap(what, node)];
  const entries = maps.flatMap((map) => map.entries);
  for (const entry of entries) refuseBadName(entry);
  return { kind: "map", entries, span: node.span };
}

function refuseBadName(entry: MapEntry): void {
  const name = keyOf(entry);
  if (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) return;
  const mended = name.replace(/[^\p{L}\p{N}_]/gu, "_");
  throw new ProvisionError({
    code: "bad-keyword",
    action: 'read "vars"',
    state: `"${name}" is no name of a variable`,
    span: entry.key.span,
    why: "a variable's name has letters, digits and _, and starts with a letter",
    fix: `write "${/^[\p{L}_]/u.test(mended) ? mended : `_${mended}`}" instead of "${name}"`,
  });
}

/** One of a few words, where it is written and not rendered. */
export function checkChoice(what: string, node: SourceNode | undefined, choices: readonly string[]): void {
  if (node === undefined || node.kind !== "scalar") return;
  const text = String(node.value).replace(/^ansible\.builtin\./, "");
  if (node.value === null || text.includes("{{") || choices.includes(text)) return;
  const near = nearest(text, choices);
  throw new ProvisionError({
    code: "bad-keyword",
    action: `read "${what}"`,
    state: `it is "${text}"`,
    span: node.span,
    why: `"${what}" is one of ${choices.join(", ")}`,
    fix:
      near === undefined
        ? `write "${choices[0]}", or take the line out`
        : `write "${near}" instead of "${text}"`,
  });
}

/** Both maps in one; where both have a key, `over` has the word. */
export function overlay(under: MapNode | undefined, over: MapNode | undefined): MapNode | undefined {
  if (under === undefined || over === undefined) return over ?? under;
  const kept = under.entries.filter((entry) => entryOf(over, keyOf(entry)) === undefined);
  return { ...over, entries: [...kept, ...over.entries] };
}

export function readList(what: string, node: SourceNode): ListNode {
  if (isNull(node)) return { kind: "list", items: [], span: node.span };
  if (node.kind !== "list") throw wrongShape(what, "a list", node);
  return node;
}

/** One or several: `notify: a` and `notify: [a, b]`. */
export function readSeveral(node: SourceNode): readonly SourceNode[] {
  if (isNull(node)) return [];
  return node.kind === "list" ? node.items : [node];
}

/** "a, b" and [a, b] alike. */
export function readNames(what: string, node: SourceNode): string[] {
  return readSeveral(node)
    .flatMap((item) => readText(what, item).split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

const partOfTags = /(?:\{\{.*?\}\}|\{%.*?%\}|[^,])+/gs;

/** As readNames; a comma within a template belongs to it. */
export function readTags(node: SourceNode): Tag[] {
  return readSeveral(node).flatMap((item) =>
    (readText("tags", item).match(partOfTags) ?? [])
      .map((tag) => tag.trim())
      .filter((tag) => tag !== "")
      .map((tag) => (/\{[{%]/.test(tag) ? textNode(tag, partSpan(item.span, tag)) : tag)),
  );
}

export function readConditions(what: string, node: SourceNode): Condition[] {
  return readSeveral(node).map((item) => {
    if (item.kind !== "scalar" || item.value === null)
      throw wrongShape(what, "a condition, or a list of them", item);
    return { expression: typeof item.value === "boolean" ? item.value : String(item.value), span: item.span };
  });
}

export function readListen(map: MapNode, isHandler: boolean): readonly string[] {
  const node = nodeAt(map, "listen");
  if (node === undefined) return [];
  if (isHandler) return readNames("listen", node);
  throw new ProvisionError({
    code: "bad-keyword",
    action: "read a task",
    state: '"listen" stands on a task',
    span: node.span,
    why: "only handlers listen; a task notifies",
    fix: 'write "notify" instead of "listen"',
  });
}

export const textNode = (value: string, span: Span): ScalarNode => ({ kind: "scalar", value, span });

/** Where a part of a text in one line stands; elsewhere (folded, escaped) the whole text's place. */
export function partSpan(span: Span, part: string): Span {
  const from = span.column - 1;
  const at = part === "" ? -1 : (span.sourceLine?.indexOf(part, from) ?? -1);
  if (at < 0 || at + part.length > from + (span.length ?? 1)) return span;
  return { ...span, column: at + 1, length: part.length };
}

/** `key=value` pairs as entries of a map, each at its own place. */
export function pairEntries(pairs: readonly KeyValue[], span: Span): MapEntry[] {
  return pairs.map(({ key, value }) => {
    const pair = partSpan(span, `${key}=${value}`);
    const isFound = pair !== span;
    const keySpan = isFound ? { ...pair, length: key.length } : partSpan(span, `${key}=`);
    const valueSpan = isFound
      ? { ...pair, column: pair.column + key.length + 1, length: Math.max(1, value.length) }
      : span;
    const shownKey = { ...keySpan, length: Math.min(keySpan.length ?? 1, key.length) };
    return { key: textNode(key, keySpan === span ? span : shownKey), value: textNode(value, valueSpan) };
  });
}

export function unknownKeyword(what: string, entry: MapEntry, known: Iterable<string>): ProvisionError {
  const key = keyOf(entry);
  const near = nearest(key, known);
  const why = whereItBelongs(what, key);
  return new ProvisionError({
    code: "unknown-keyword",
    action: `read ${what}`,
    state: `there is no keyword "${key}"`,
    span: entry.key.span,
    why,
    fix:
      why !== undefined
        ? placeFix(key)
        : near === undefined
          ? undefined
          : `write "${near}" instead of "${key}"`,
  });
}

const ofPlays: ReadonlySet<string> = new Set([
  ..."hosts roles pre_tasks tasks post_tasks handlers vars_files vars_prompt gather_facts".split(" "),
  ..."serial strategy order max_fail_percentage force_handlers".split(" "),
]);
const ofBlocks: ReadonlySet<string> = new Set(["rescue", "always", "rolling"]);

const placeFix = (key: string): string =>
  ofBlocks.has(key)
    ? `move "${key}:" to the column of its "block:"`
    : `move "${key}:" to the column of "hosts:"`;

function whereItBelongs(what: string, key: string): string | undefined {
  if (what === "a play") return undefined;
  if (ofPlays.has(key)) return `"${key}" belongs to a play, beside "hosts"`;
  return ofBlocks.has(key) ? `"${key}" belongs beside "block"` : undefined;
}

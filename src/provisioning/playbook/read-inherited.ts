/** Keywords that plays, roles, blocks and tasks share, old spellings included. */
import type { MapEntry, MapNode, SourceNode } from "../source/node.ts";
import type { Inherited } from "./model.ts";
import {
  checkTruth,
  keyOf,
  readConditions,
  readMap,
  readSeveral,
  readTags,
  readVars,
  textNode,
} from "./read-values.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type NodeKey = {
  [K in keyof Inherited]-?: SourceNode extends NonNullable<Inherited[K]> ? K : never;
}[keyof Inherited];

/** YAML keyword → where it goes, unrendered. `sudo` and its kin are the spelling of Ansible before 1.9. */
const nodeKeywords: Readonly<Record<string, NodeKey>> = {
  become: "become",
  become_user: "becomeUser",
  become_method: "becomeMethod",
  become_flags: "becomeFlags",
  become_exe: "becomeExe",
  sudo: "become",
  sudo_user: "becomeUser",
  su: "become",
  su_user: "becomeUser",
  remote_user: "remoteUser",
  connection: "connection",
  port: "port",
  check_mode: "checkMode",
  diff: "diff",
  no_log: "noLog",
  ignore_errors: "ignoreErrors",
  ignore_unreachable: "ignoreUnreachable",
  any_errors_fatal: "anyErrorsFatal",
  throttle: "throttle",
  timeout: "timeout",
  run_once: "runOnce",
  delegate_to: "delegateTo",
  delegate_facts: "delegateFacts",
  debugger: "debugger",
};
const truths: ReadonlySet<NodeKey> = new Set<NodeKey>([
  "become",
  "checkMode",
  "diff",
  "noLog",
  "ignoreErrors",
  "ignoreUnreachable",
  "anyErrorsFatal",
  "runOnce",
  "delegateFacts",
]);
const shapedKeywords = ["vars", "module_defaults", "environment", "tags", "when", "collections"];

export const inheritedKeywords: readonly string[] = [...Object.keys(nodeKeywords), ...shapedKeywords];
const known: ReadonlySet<string> = new Set(inheritedKeywords);

export const isInherited = (key: string): boolean => known.has(key);

export function readInherited(map: MapNode): Inherited {
  const found: Mutable<Inherited> = { tags: [], when: [] };
  for (const entry of map.entries) readOne(found, entry);
  return found;
}

function readOne(found: Mutable<Inherited>, entry: MapEntry): void {
  const key = keyOf(entry);
  const { value } = entry;
  const plain = Object.hasOwn(nodeKeywords, key) ? nodeKeywords[key] : undefined;
  if (plain !== undefined) {
    if (truths.has(plain)) checkTruth(key, value);
    found[plain] = value;
    if (key === "su") found.becomeMethod = textNode("su", value.span);
  } else if (key === "vars") found.vars = readVars("vars", value);
  else if (key === "module_defaults") found.moduleDefaults = readMap("module_defaults", value);
  else if (key === "environment") found.environment = readSeveral(value);
  else if (key === "tags") found.tags = readTags(value);
  else if (key === "when") found.when = readConditions("when", value);
}

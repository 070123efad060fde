/** YAML and INI text as values that know their place. Everything later (vars, playbook, inventory) reads these. */
import type { Span } from "../../base/errors.ts";

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly span: Span;
  /** `!vault` text is ciphertext to be opened by vars/vault; `!unsafe` text is never rendered. */
  readonly tag?: "!vault" | "!unsafe";
}
export interface ListNode {
  readonly kind: "list";
  readonly items: readonly SourceNode[];
  readonly span: Span;
}
export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
  readonly span: Span;
}
export interface MapEntry {
  readonly key: ScalarNode;
  readonly value: SourceNode;
}
export type SourceNode = ScalarNode | ListNode | MapNode;

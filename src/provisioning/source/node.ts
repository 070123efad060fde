/**
 * YAML and INI text as values that know their place. Everything later (vars, playbook, inventory) reads these.
 *
 * `parseYaml` reads a file as Ansible's YAML 1.1 loader does; `parsePythonLiteral` types the values of INI files;
 * `splitShellWords` and `splitKeyValues` cut INI host lines and `key=value` arguments. All of them are pure and give
 * SourceNodes or a ProvisionError with a place. Nothing here knows what a play or a group is, or renders a template.
 */
import type { Span } from "../../base/errors.ts";

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly span: Span;
  /** Written as a float: `1.0` prints as 1.0, not as 1. */
  readonly float?: true;
  /** `!vault` text is ciphertext to be opened by vars/vault; `!unsafe` text is never rendered. */
  readonly tag?: "!vault" | "!unsafe";
}
export interface ListNode {
  readonly kind: "list";
  readonly items: readonly SourceNode[];
  /** Written as a Python tuple in an INI file: a list to all but those who print it. */
  readonly tuple?: true;
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

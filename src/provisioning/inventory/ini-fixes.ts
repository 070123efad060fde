/** What was meant by a line of an INI inventory that cannot be read. */
import type { Span } from "../../base/errors.ts";
import type { ShellWord } from "../source/split-shell-words.ts";
import { inventoryError } from "./inventory-errors.ts";

export function sectionFix(text: string): string {
  const [, group, kind] = /^\[\s*([\w.-]+)[\s:]+(child\w*|vars?|hosts?)\s*\]?$/.exec(text) ?? [];
  if (group === undefined || kind === undefined)
    return text.includes("]") ? "write [name]" : `write ${text}]`;
  return `write [${group}:${kind.startsWith("child") ? "children" : kind.startsWith("var") ? "vars" : "hosts"}]`;
}

/** `name: value` for name=value. */
export function pairFix(text: string): string | undefined {
  const [, key, value] = /^(\w+)\s*:\s*(\S.*)$/.exec(text) ?? [];
  return key === undefined ? undefined : `write ${key}=${value}`;
}

export function assignmentFix(line: string, word: ShellWord): string {
  const rest = line.slice(word.start);
  const [, key, value] = /^(\w+):\s*(\S+)/.exec(rest) ?? [];
  if (key !== undefined) return `write ${key}=${value}`;
  if (line.startsWith("- ")) return "leave the dash out";
  return "one host a line; variables are name=value";
}

/** Names that no host can have, though they read as one. */
export function refuseNoHost(name: string, span: Span, group: string): void {
  if (/^\w+=/.test(name))
    throw inventoryError(span.file, span, "a variable stands without a host", {
      why: "a line begins with the name of a host; variables of a whole group have a section of their own",
      fix: `[${group === "ungrouped" ? "all" : group}:vars] above it`,
    });
  if (name.startsWith("{{"))
    throw inventoryError(span.file, span, "a template stands where a host should", {
      why: "names of hosts are not rendered",
      fix: "write the host's name",
    });
  if (name === "-")
    throw inventoryError(span.file, span, "a dash stands where a host should", {
      why: "lists with dashes are YAML's",
      fix: "leave the dash out",
    });
}

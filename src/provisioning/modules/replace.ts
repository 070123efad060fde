import type { z } from "zod";
import { pythonRegExp, pythonReplacement } from "../../base/python-regexp.ts";
import { choice, defineArgs, text } from "./arguments.ts";
import { defineEditor, type Edited, editArgs } from "./edit-file.ts";

const encodings = ["utf-8", "utf8", "latin-1", "latin1", "iso-8859-1"] as const;

const args = defineArgs({
  ...editArgs,
  regexp: text("Python regular expression; ^ and $ match at every line.", { required: true }),
  replace: text("What each match becomes; may hold \\1 and \\g<name>.", { default: "" }),
  after: text("Regular expression: only what follows its first match is changed."),
  before: text(
    "Regular expression: only what stands before its match is changed: the last one, or with after the next.",
  ),
  encoding: choice(encodings)("The file's encoding. One that is not utf-8 is found to be latin-1.", {
    default: "utf-8",
  }),
});
type ReplaceArgs = z.infer<typeof args>;

interface Section {
  readonly start: number;
  readonly end: number;
}

/** As Ansible puts it together, so that it means the same: `before` alone is its last match. */
function sectionPattern({ after, before }: ReplaceArgs): string {
  if (after !== undefined && before !== undefined) return `${after}(?P<subsection>.*?)${before}`;
  if (after !== undefined) return `${after}(?P<subsection>.*)`;
  return before === undefined ? "" : `(?P<subsection>.*)${before}`;
}

function sectionOf(text: string, args: ReplaceArgs): Section | undefined | { readonly refused: string } {
  const pattern = sectionPattern(args);
  if (pattern === "") return { start: 0, end: text.length };
  const compiled = pythonRegExp(pattern, "ds");
  if ("refused" in compiled) return compiled;
  const range = compiled.regexp.exec(text)?.indices?.groups?.subsection;
  return range === undefined ? undefined : { start: range[0], end: range[1] };
}

function edit(before: string | undefined, args: ReplaceArgs): Edited {
  if (before === undefined) return { refused: `"${args.path}" does not exist` };
  const section = sectionOf(before, args);
  if (section === undefined)
    return {
      text: before,
      msg: `Pattern for before/after params did not match the given file: ${sectionPattern(args)}`,
    };
  if ("refused" in section) return section;
  const compiled = pythonRegExp(args.regexp, "gm");
  if ("refused" in compiled) return compiled;
  const replacement = pythonReplacement(args.replace, compiled.regexp);
  if ("refused" in replacement) return replacement;
  const part = before.slice(section.start, section.end);
  const matches = [...part.matchAll(compiled.regexp)];
  let text = "";
  let at = 0;
  for (const match of matches) {
    text += part.slice(at, match.index) + replacement.expand(match);
    at = match.index + match[0].length;
  }
  text += part.slice(at);
  return {
    text: before.slice(0, section.start) + text + before.slice(section.end),
    msg: matches.length === 0 || text === part ? "" : `${matches.length} replacements made`,
  };
}

export default defineEditor({
  name: "replace",
  summary: "Replaces all matches of a regular expression in a file.",
  args,
  backupKey: "backup_file",
  example:
    "- name: the old name is gone\n  replace:\n    path: /etc/hosts\n    regexp: '(\\s+)old\\.example\\.com(\\s+.*)?$'\n    replace: '\\1new.example.com\\2'\n",
  encodingOf: ({ encoding }) => (encoding.startsWith("utf") ? undefined : "latin1"),
  patterns: (args) => [args.regexp, sectionPattern(args)],
  edit,
});

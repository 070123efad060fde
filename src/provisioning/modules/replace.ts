import type { z } from "zod";
import { expandReplacement, pythonRegExp } from "../../base/python-regexp.ts";
import { defineArgs, text } from "./arguments.ts";
import { defineEditor, type Edited, editArgs } from "./edit-file.ts";

const args = defineArgs({
  ...editArgs,
  regexp: text("Python regular expression; ^ and $ match at every line.", { required: true }),
  replace: text("What each match becomes; may hold \\1 and \\g<name>.", { default: "" }),
  after: text("Regular expression: only what follows its first match is changed."),
  before: text("Regular expression: only what stands before its first match is changed."),
  encoding: text("The file's encoding. Only utf-8 and latin-1, found out from the file itself.", {
    default: "utf-8",
  }),
});
type ReplaceArgs = z.infer<typeof args>;

interface Section {
  readonly start: number;
  readonly end: number;
}

function sectionOf(text: string, args: ReplaceArgs): Section | undefined | { readonly refused: string } {
  if (args.after === undefined && args.before === undefined) return { start: 0, end: text.length };
  const { after, before } = args;
  const inner = "(?P<subsection>.*?)";
  const pattern =
    before === undefined
      ? `${after}(?P<subsection>.*)`
      : after === undefined
        ? `(?P<subsection>.*?)${before}`
        : `${after}${inner}${before}`;
  const compiled = pythonRegExp(pattern, "ds");
  if ("refused" in compiled) return compiled;
  const range = compiled.regexp.exec(text)?.indices?.groups?.subsection;
  return range === undefined ? undefined : { start: range[0], end: range[1] };
}

function edit(before: string | undefined, args: ReplaceArgs): Edited {
  if (before === undefined) return { refused: `"${args.path}" does not exist` };
  const section = sectionOf(before, args);
  if (section === undefined)
    return { text: before, msg: "Pattern for before/after params did not match the given file" };
  if ("refused" in section) return section;
  const compiled = pythonRegExp(args.regexp, "gm");
  if ("refused" in compiled) return compiled;
  const part = before.slice(section.start, section.end);
  const matches = [...part.matchAll(compiled.regexp)];
  let text = "";
  let at = 0;
  for (const match of matches) {
    text += part.slice(at, match.index) + expandReplacement(args.replace, match);
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
  example:
    "- name: the old name is gone\n  replace:\n    path: /etc/hosts\n    regexp: '(\\s+)old\\.example\\.com(\\s+.*)?$'\n    replace: '\\1new.example.com\\2'\n",
  edit,
});

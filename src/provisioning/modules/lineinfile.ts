import type { z } from "zod";
import { pythonRegExp, pythonReplacement } from "../../base/python-regexp.ts";
import { choice, defineArgs, flag, text } from "./arguments.ts";
import { createArg, defineEditor, type Edited, editArgs } from "./edit-file.ts";

const args = defineArgs(
  {
    ...editArgs,
    create: createArg,
    state: choice(["present", "absent"])("Shall the line be there?", { default: "present" }),
    line: text("The line. With backrefs it may hold \\1 and \\g<name>.", { aliases: ["value"] }),
    regexp: text("Python regular expression; the last line that matches is replaced, or all removed.", {
      aliases: ["regex"],
    }),
    search_string: text("As regexp, but plain text that the line must contain."),
    backrefs: flag("Put groups of regexp into line; when nothing matches, nothing is written.", {
      default: false,
    }),
    firstmatch: flag("Take the first line that matches instead of the last.", { default: false }),
    insertafter: text("EOF, BOF or a regular expression: a new line goes after the last match."),
    insertbefore: text("BOF or a regular expression: a new line goes before the last match."),
  },
  {
    exclusive: [
      ["insertbefore", "insertafter"],
      ["regexp", "search_string"],
    ],
    check(args) {
      if (args.state === "present" && args.line === undefined)
        return '"line" is required with state "present"';
      if (args.backrefs && args.regexp === undefined) return '"regexp" is required with backrefs';
      const none = args.line === undefined && args.regexp === undefined && args.search_string === undefined;
      return none ? "one of line, search_string, regexp is required" : undefined;
    },
  },
);
type LineArgs = z.infer<typeof args>;

interface Found {
  readonly index: number;
  readonly match?: RegExpMatchArray;
}

const withoutEnd = (line: string): string => line.replace(/[\r\n]+$/, "");
/** Lines with their ends. */
const splitLines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

const pick = <T>(found: readonly T[], first: boolean): T | undefined => (first ? found[0] : found.at(-1));

function matches(lines: readonly string[], args: LineArgs, regexp: RegExp | undefined): readonly Found[] {
  const { search_string: wanted } = args;
  return lines.flatMap((line, index): Found[] => {
    if (regexp !== undefined) {
      const match = line.match(regexp);
      return match === null ? [] : [{ index, match }];
    }
    return wanted !== undefined && line.includes(wanted) ? [{ index }] : [];
  });
}

function edit(before: string | undefined, args: LineArgs): Edited {
  if (before === undefined && args.state === "absent") return { missing: "file not present" };
  if (before === undefined && !args.create) {
    return { refused: `"${args.path}" does not exist (create: true would make it)` };
  }
  const compiled = args.regexp === undefined ? undefined : pythonRegExp(args.regexp);
  if (compiled !== undefined && "refused" in compiled) return compiled;
  const lines = splitLines(before ?? "");
  return args.state === "absent"
    ? removed(lines, args, compiled?.regexp)
    : placed(lines, args, compiled?.regexp);
}

function removed(lines: readonly string[], args: LineArgs, regexp: RegExp | undefined): Edited {
  const byPattern = args.regexp !== undefined || args.search_string !== undefined;
  const gone = new Set(
    byPattern
      ? matches(lines, args, regexp).map(({ index }) => index)
      : lines.flatMap((line, index) => (withoutEnd(line) === args.line ? [index] : [])),
  );
  const msg = gone.size === 0 ? "" : `${gone.size} line(s) removed`;
  return { text: lines.filter((_, index) => !gone.has(index)).join(""), msg, more: { found: gone.size } };
}

function placed(lines: readonly string[], args: LineArgs, regexp: RegExp | undefined): Edited {
  const line = args.line ?? "";
  const hit = pick(matches(lines, args, regexp), args.firstmatch);
  const text = lines.join("");
  if (hit !== undefined) {
    const wanted = args.backrefs && hit.match && regexp ? expanded(line, regexp, hit.match) : line;
    if (typeof wanted !== "string") return wanted;
    const ended = wanted.endsWith("\n") ? wanted : `${wanted}\n`;
    if (lines[hit.index] === ended) return { text, msg: "" };
    return { text: lines.with(hit.index, ended).join(""), msg: "line replaced" };
  }
  if (args.backrefs) return { text, msg: "" };
  const same = lines.findLastIndex((current) => withoutEnd(current) === line);
  if (same !== -1) return lines[same] === `${line}\n` ? { text, msg: "" } : ended(lines, same, line);
  return inserted(lines, args, line);
}

function expanded(
  line: string,
  regexp: RegExp,
  match: RegExpMatchArray,
): string | { readonly refused: string } {
  const replacement = pythonReplacement(line, regexp);
  return "refused" in replacement ? replacement : replacement.expand(match);
}

/** The line is there, but its end is not (a last line without a newline, or one with CR LF). */
const ended = (lines: readonly string[], index: number, line: string): Edited => ({
  text: lines.with(index, `${line}\n`).join(""),
  msg: "line replaced",
});

function inserted(lines: readonly string[], args: LineArgs, line: string): Edited {
  const added = (index: number): Edited => {
    const above = lines.slice(0, index).join("");
    const gap = above === "" || above.endsWith("\n") ? "" : "\n";
    return { text: `${above}${gap}${line}\n${lines.slice(index).join("")}`, msg: "line added" };
  };
  if (args.insertbefore === "BOF" || args.insertafter === "BOF") return added(0);
  const anchor = args.insertbefore ?? args.insertafter;
  if (anchor === undefined || anchor === "EOF") return added(lines.length);
  const compiled = pythonRegExp(anchor);
  if ("refused" in compiled) return compiled;
  const found = lines.flatMap((current, index) => (compiled.regexp.test(current) ? [index] : []));
  const at = pick(found, args.firstmatch);
  if (at === undefined) return added(lines.length);
  return added(args.insertbefore === undefined ? at + 1 : at);
}

export default defineEditor({
  name: "lineinfile",
  summary: "Sees to it that a line is in a file, or not.",
  args,
  backupKey: "backup",
  example:
    "- name: root logs in by key only\n  lineinfile:\n    path: /etc/ssh/sshd_config\n    regexp: '^#?PermitRootLogin'\n    line: PermitRootLogin prohibit-password\n    validate: /usr/sbin/sshd -t -f %s\n",
  patterns: ({ regexp, insertafter, insertbefore }) => [regexp, insertafter, insertbefore],
  edit,
});

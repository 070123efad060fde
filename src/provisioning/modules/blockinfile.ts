import type { z } from "zod";
import { pythonRegExp } from "../../base/python-regexp.ts";
import { choice, defineArgs, flag, text } from "./arguments.ts";
import { createArg, defineEditor, type Edited, editArgs } from "./edit-file.ts";

const args = defineArgs(
  {
    ...editArgs,
    create: createArg,
    state: choice(["present", "absent"])("Shall the block be there?", { default: "present" }),
    block: text("The lines between the markers. Empty: as state absent.", {
      default: "",
      aliases: ["content"],
    }),
    marker: text("The lines around the block; {mark} becomes marker_begin and marker_end.", {
      default: "# {mark} ANSIBLE MANAGED BLOCK",
    }),
    marker_begin: text("What {mark} becomes in the first marker.", { default: "BEGIN" }),
    marker_end: text("What {mark} becomes in the last marker.", { default: "END" }),
    insertafter: text("EOF or a regular expression: a new block goes after the last match."),
    insertbefore: text("BOF or a regular expression: a new block goes before the last match."),
    prepend_newline: flag("Put an empty line before the block.", { default: false }),
    append_newline: flag("Put an empty line after the block.", { default: false }),
  },
  {
    exclusive: [["insertbefore", "insertafter"]],
    check: (args) =>
      args.marker.includes("{mark}") || args.marker_begin === args.marker_end
        ? undefined
        : "marker must contain {mark}, or the block's two ends cannot be told apart",
  },
);
type BlockArgs = z.infer<typeof args>;

const splitLines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
const withoutEnd = (line: string): string => line.replace(/\r?\n$/, "");

function edit(before: string | undefined, args: BlockArgs): Edited {
  if (before === undefined && args.state === "absent") return { missing: `File ${args.path} not present` };
  if (before === undefined && !args.create) {
    return { refused: `"${args.path}" does not exist (create: true would make it)` };
  }
  const lines = splitLines(before ?? "");
  const markers = [args.marker_begin, args.marker_end].map((mark) => args.marker.replaceAll("{mark}", mark));
  const [begin = "", end = ""] = markers;
  const first = lines.findLastIndex((line) => withoutEnd(line) === begin);
  const last = lines.findLastIndex((line) => withoutEnd(line) === end);
  const wanted = args.state === "present" && args.block !== "" ? blockLines(args, begin, end) : [];
  if (first === -1 || last === -1) {
    const place = wanted.length === 0 ? 0 : placeOf(lines, args);
    if (typeof place !== "number") return place;
    return said(before, joined(lines.slice(0, place), wanted, lines.slice(place), args));
  }
  const [top, bottom] = [Math.min(first, last), Math.max(first, last)];
  return said(before, joined(lines.slice(0, top), wanted, lines.slice(bottom + 1), args));
}

/** msg is empty when there is nothing to do. */
function said(before: string | undefined, edited: { readonly text: string; readonly msg: string }): Edited {
  if (before === undefined) return { ...edited, msg: "File created" };
  return before === edited.text ? { ...edited, msg: "" } : edited;
}

const blockLines = (args: BlockArgs, begin: string, end: string): string[] => [
  `${begin}\n`,
  ...splitLines(args.block.endsWith("\n") ? args.block : `${args.block}\n`),
  `${end}\n`,
];

function joined(
  above: readonly string[],
  block: readonly string[],
  below: readonly string[],
  args: BlockArgs,
): { readonly text: string; readonly msg: string } {
  const old = above.join("");
  if (block.length === 0) {
    const text = old + below.join("");
    return { text, msg: "Block removed" };
  }
  const start = old === "" || old.endsWith("\n") ? old : `${old}\n`;
  const before =
    args.prepend_newline && above.length > 0 && withoutEnd(above.at(-1) ?? "") !== "" ? "\n" : "";
  const after = args.append_newline && below.length > 0 && withoutEnd(below[0] ?? "") !== "" ? "\n" : "";
  return { text: `${start}${before}${block.join("")}${after}${below.join("")}`, msg: "Block inserted" };
}

function placeOf(lines: readonly string[], args: BlockArgs): number | { readonly refused: string } {
  const anchor = args.insertbefore ?? args.insertafter ?? "EOF";
  if (args.insertbefore === "BOF") return 0;
  if (anchor === "EOF") return lines.length;
  const compiled = pythonRegExp(anchor);
  if ("refused" in compiled) return compiled;
  const at = lines.findLastIndex((line) => compiled.regexp.test(line));
  if (at === -1) return lines.length;
  return args.insertbefore === undefined ? at + 1 : at;
}

export default defineEditor({
  name: "blockinfile",
  summary: "Sees to it that a block of lines, between two markers, is in a file, or not.",
  args,
  backupKey: "backup_file",
  example:
    "- name: names of the cluster\n  blockinfile:\n    path: /etc/hosts\n    block: |\n      10.0.0.1 master1\n      10.0.0.2 master2\n",
  patterns: ({ insertafter, insertbefore }) => [insertafter, insertbefore],
  edit,
});

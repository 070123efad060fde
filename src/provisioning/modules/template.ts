import type { z } from "zod";
import { choice, defineArgs, flag, path, text } from "./arguments.ts";
import { askAfter, attributeArgs } from "./attributes.ts";
import {
  askCopy,
  type CopyGoal,
  copyPlaces,
  copyResult,
  fileNameOf,
  finalPath,
  planCopy,
  readCopy,
  sourceOf,
} from "./copy-file.ts";
import { defineFlagged } from "./file-flags.ts";
import type { ModuleContext, TemplateSyntax } from "./module.ts";
import { writeArgs } from "./plan-file.ts";

const newlines = { "\\n": "\n", "\\r": "\r", "\\r\\n": "\r\n" } as const;

const args = defineArgs({
  src: path("The template: .hbs is Handlebars, anything else Jinja.", { required: true }),
  dest: path("Where to on the host. A folder when it ends with a slash or is one.", { required: true }),
  force: flag("Replace a file that differs.", { default: true }),
  follow: flag("Write through a link at dest instead of replacing it.", { default: false }),
  newline_sequence: choice(["\\n", "\\r", "\\r\\n", "\n", "\r", "\r\n"])("How lines end.", { default: "\n" }),
  output_encoding: choice(["utf-8"])("Only utf-8.", { default: "utf-8" }),
  block_start_string: text("Jinja: what starts a statement.", { default: "{%" }),
  block_end_string: text("Jinja: what ends a statement.", { default: "%}" }),
  variable_start_string: text("Jinja: what starts an expression.", { default: "{{" }),
  variable_end_string: text("Jinja: what ends an expression.", { default: "}}" }),
  comment_start_string: text("Jinja: what starts a comment.", { default: "{#" }),
  comment_end_string: text("Jinja: what ends a comment.", { default: "#}" }),
  trim_blocks: flag("Jinja: drop the newline after a statement.", { default: true }),
  lstrip_blocks: flag("Jinja: drop white space before a statement.", { default: false }),
  ...writeArgs,
  ...attributeArgs,
});
type TemplateArgs = z.infer<typeof args>;

const syntaxOf = (args: TemplateArgs): TemplateSyntax => ({
  blockStart: args.block_start_string,
  blockEnd: args.block_end_string,
  variableStart: args.variable_start_string,
  variableEnd: args.variable_end_string,
  commentStart: args.comment_start_string,
  commentEnd: args.comment_end_string,
  trimBlocks: args.trim_blocks,
  lstripBlocks: args.lstrip_blocks,
  newline: newlineOf(args.newline_sequence),
});

const newlineOf = (given: string): "\n" | "\r" | "\r\n" =>
  given in newlines ? newlines[given as keyof typeof newlines] : (given as "\n" | "\r" | "\r\n");

function goalOf(args: TemplateArgs, context: ModuleContext): CopyGoal {
  const source = context.sources[0];
  const bits = source?.kind === "file" ? source.mode & 0o7777 : 0o644;
  return {
    ...args,
    fileName: fileNameOf(args.src),
    ...(args.mode?.kind === "preserve" ? { mode: { kind: "octal", bits } } : {}),
  };
}

export default defineFlagged(
  {
    kind: "host",
    name: "template",
    summary: "Renders a template of the controller into a file of the host.",
    args,
    example:
      "- name: the ensemble\n  template:\n    src: zoo.cfg.hbs\n    dest: /etc/zookeeper/conf/zoo.cfg\n    mode: '0644'\n  notify: restart zookeeper\n",
    reads: "host",
    sources: (args) => [{ from: "template", path: args.src, syntax: syntaxOf(args), dest: args.dest }],
    ask: (args, context) => askCopy(goalOf(args, context), context),
    read: (answers, args, context) => readCopy(answers, goalOf(args, context)),
    plan(args, state, context) {
      const source = sourceOf(context.sources[0]);
      if (source === undefined) return { steps: [], diffs: [], fail: `"${args.src}" is not a template` };
      return planCopy(goalOf(args, context), source, state, context);
    },
    after: (args, state, context) => askAfter(finalPath(goalOf(args, context), state, context)),
    result: (state, outcome, args, context) => ({
      src: args.src,
      ...copyResult({
        goal: goalOf(args, context),
        source: sourceOf(context.sources[0]),
        ...{ state, context, outcome },
      }),
    }),
  },
  {
    candidates: (args, context) => copyPlaces(goalOf(args, context), context),
    path: (args, state, context) => finalPath(goalOf(args, context), state, context),
  },
);

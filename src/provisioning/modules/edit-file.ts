/** What lineinfile, blockinfile and replace share: read a text file, change it in memory, write it whole. */
import type { z } from "zod";
import type { JsonObject } from "../../base/json.ts";
import type { PathAnswer } from "../host/question.ts";
import { answerTo, textOf } from "./answers.ts";
import { flag, path } from "./arguments.ts";
import { attributeArgs, pathResult, statOf, type WantedAttributes } from "./attributes.ts";
import { defineModule } from "./define-module.ts";
import { digestOf } from "./digest.ts";
import { decodeFile, encodeFile } from "./file-text.ts";
import { hostPath } from "./host-path.ts";
import type { AnyModule, Plan } from "./module.ts";
import { planFile, writeArgs } from "./plan-file.ts";

export const editArgs = {
  path: path("The file.", { required: true, aliases: ["dest", "destfile", "name"] }),
  ...writeArgs,
  ...attributeArgs,
};
export const createArg = flag("Make the file when it is missing.", { default: false });

export interface EditArgs extends WantedAttributes {
  readonly path: string;
  readonly backup: boolean;
  readonly validate?: string | undefined;
  readonly unsafe_writes: boolean;
}

export type Edited =
  | { readonly text: string; readonly msg: string; readonly more?: JsonObject }
  | { readonly refused: string }
  /** There is no file and none is wanted. */
  | { readonly missing: string };

export interface Editor<Args extends EditArgs> {
  readonly name: string;
  readonly summary: string;
  readonly args: z.ZodType<Args>;
  readonly example: string;
  /** The new text; `undefined` is given for a file that is not there. */
  edit(text: string | undefined, args: Args): Edited;
}

interface EditState {
  readonly answer: PathAnswer;
  /** Where a link leads to in the end, once asked. */
  readonly realPath?: string;
}

/** A link is written through, so what it leads to must be known before; asked only when there is something to write. */
export function defineEditor<Args extends EditArgs>(editor: Editor<Args>): AnyModule {
  return defineModule<Args, EditState>({
    kind: "host",
    name: editor.name,
    summary: editor.summary,
    args: editor.args,
    example: editor.example,
    reads: "host",
    ask(args, context) {
      const path = hostPath(args.path, context);
      const file = { of: "path", path, want: ["stat", "hash", "link", "content"], follow: true } as const;
      return context.round === 0
        ? [file]
        : [file, { of: "script", sh: 'readlink -f -- "$1"', args: [path] } as const];
    },
    read(answers, _args, context) {
      const answer = answerTo(answers, 0, "path");
      if (context.round === 0) return { answer };
      const real = answerTo(answers, 1, "script");
      return real.code === 0 ? { answer, realPath: textOf(real.stdout).replace(/\n$/, "") } : { answer };
    },
    plan(args, state, context) {
      const plan = planEdit(editor, args, state, hostPath(args.path, context));
      const writes = plan.steps.some((step) => step.do === "write");
      const isLink = state.answer.linkTarget !== undefined;
      return writes && isLink && context.round === 0 ? { steps: [], diffs: [], again: true } : plan;
    },
    result(state, _outcome, args, context) {
      const edited = editor.edit(contentText(state.answer), args);
      const path = hostPath(args.path, context);
      const base = { ...pathResult(statOf(state.answer), args), path, dest: path };
      if (!("text" in edited)) return "missing" in edited ? { ...base, msg: edited.missing } : base;
      return { ...base, msg: edited.msg, ...edited.more };
    },
  });
}

const contentText = (answer: PathAnswer): string | undefined =>
  answer.content === undefined ? undefined : decodeFile(answer.content).text;

function planEdit<Args extends EditArgs>(
  editor: Editor<Args>,
  args: Args,
  state: EditState,
  path: string,
): Plan {
  const { answer } = state;
  const stat = statOf(answer);
  if (stat !== undefined && answer.content === undefined) {
    return { steps: [], diffs: [], fail: `"${path}" is not a file but a ${stat.type}` };
  }
  const edited = editor.edit(contentText(answer), args);
  if ("refused" in edited) return { steps: [], diffs: [], fail: edited.refused };
  if ("missing" in edited) return { steps: [], diffs: [] };
  const encoding = answer.content === undefined ? "utf-8" : decodeFile(answer.content).encoding;
  const bytes = encodeFile({ text: edited.text, encoding });
  if (bytes === undefined) {
    return {
      steps: [],
      diffs: [],
      fail: `"${path}" is not UTF-8, and the new text does not fit into Latin-1`,
    };
  }
  return planFile({
    path: state.realPath ?? path,
    current:
      answer.content === undefined ? answer : { ...answer, sha256: digestOf(answer.content, "sha256") },
    from: { bytes },
    sha256: digestOf(bytes, "sha256"),
    wanted: args,
    backup: args.backup,
    validate: args.validate,
    unsafeWrites: args.unsafe_writes,
  });
}

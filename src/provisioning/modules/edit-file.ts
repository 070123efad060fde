/** What lineinfile, blockinfile and replace share: read a text file, change it in memory, write it whole. */
import type { z } from "zod";
import type { JsonObject } from "../../base/json.ts";
import type { PathAnswer } from "../host/question.ts";
import { answerTo } from "./answers.ts";
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

export function defineEditor<Args extends EditArgs>(editor: Editor<Args>): AnyModule {
  return defineModule<Args, PathAnswer>({
    kind: "host",
    name: editor.name,
    summary: editor.summary,
    args: editor.args,
    example: editor.example,
    reads: "host",
    ask: (args, context) => [
      { of: "path", path: hostPath(args.path, context), want: ["stat", "content"], follow: true },
    ],
    read: (answers) => answerTo(answers, 0, "path"),
    plan: (args, answer, context) => planEdit(editor, args, answer, hostPath(args.path, context)),
    result(answer, _outcome, args, context) {
      const path = hostPath(args.path, context);
      const base = { ...pathResult(statOf(answer), args), path, dest: path };
      if (answer.stat.exists && answer.content === undefined) return base;
      const edited = editor.edit(contentText(answer), args);
      if (!("text" in edited)) return "missing" in edited ? { ...base, msg: edited.missing } : base;
      return { ...base, msg: edited.msg, ...edited.more };
    },
  });
}

const contentText = (answer: PathAnswer): string | undefined =>
  answer.content === undefined ? undefined : decodeFile(answer.content).text;

function whyUnreadable(answer: PathAnswer): string | undefined {
  const stat = statOf(answer);
  if (answer.denied === true) return "may not be read by this user: become: true may help";
  if (answer.contentTooLarge === true) return "is too large to be edited";
  if (stat === undefined || answer.content !== undefined) return undefined;
  return `is not a file but a ${stat.type}`;
}

function planEdit<Args extends EditArgs>(
  editor: Editor<Args>,
  args: Args,
  answer: PathAnswer,
  path: string,
): Plan {
  const unreadable = whyUnreadable(answer);
  if (unreadable !== undefined) return { steps: [], diffs: [], fail: `"${path}" ${unreadable}` };
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
    path,
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

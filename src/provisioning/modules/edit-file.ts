/** What lineinfile, blockinfile and replace share: read a text file, change it in memory, write it whole. */
import type { z } from "zod";
import { boundedRegexps } from "../../base/bounded-regexp.ts";
import type { JsonObject } from "../../base/json.ts";
import type { PathAnswer, Question } from "../host/question.ts";
import { answerTo } from "./answers.ts";
import { flag, path } from "./arguments.ts";
import { askAfter, attributeArgs, pathAfter, statOf, type WantedAttributes } from "./attributes.ts";
import { makeFolder } from "./copy-file.ts";
import { digestOf } from "./digest.ts";
import { defineFlagged } from "./file-flags.ts";
import { decodeFile, encodeFile, type FileText } from "./file-text.ts";
import { folderOf, hostPath } from "./host-path.ts";
import type { AnyModule, Outcome, Plan } from "./module.ts";
import { backupOf, planFile, writeArgs } from "./plan-file.ts";

export const editArgs = {
  path: path("The file.", { required: true, aliases: ["dest", "destfile", "name"] }),
  ...writeArgs,
  ...attributeArgs,
};
export const createArg = flag("Make the file when it is missing.", { default: false });

export interface EditArgs extends WantedAttributes {
  readonly attributes?: string | undefined;
  readonly path: string;
  readonly backup: boolean;
  readonly validate?: string | undefined;
  readonly unsafe_writes: boolean;
  readonly create?: boolean;
}

interface EditState {
  readonly answer: PathAnswer;
  readonly hasFolder: boolean;
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
  /** What the result calls the old file that was kept. */
  readonly backupKey: "backup" | "backup_file";
  /** The encoding that the task names; otherwise the file's own. */
  encodingOf?(args: Args): FileText["encoding"] | undefined;
  /** The regular expressions that `edit` matches. */
  patterns(args: Args): readonly (string | undefined)[];
  /** The new text; `undefined` is given for a file that is not there. */
  edit(text: string | undefined, args: Args): Edited;
}

export function defineEditor<Args extends EditArgs>(editor: Editor<Args>): AnyModule {
  return defineFlagged<Args, EditState>(
    {
      kind: "host",
      name: editor.name,
      summary: editor.summary,
      args: editor.args,
      example: editor.example,
      reads: "host",
      ask(args, context) {
        const path = hostPath(args.path, context);
        const file: Question = { of: "path", path, want: ["stat", "content"], follow: true };
        const folder: Question = { of: "path", path: folderOf(path), want: ["stat"], follow: true };
        return args.create === true ? [file, folder] : [file];
      },
      read: (answers, args) => ({
        answer: answerTo(answers, 0, "path"),
        hasFolder: args.create !== true || answerTo(answers, 1, "path").stat.exists,
      }),
      after: (args, _state, context) => askAfter(hostPath(args.path, context)),
      plan: (args, state, context) => planEdit(editor, args, state, hostPath(args.path, context)),
      result({ answer }, outcome, args, context) {
        const path = hostPath(args.path, context);
        const base = {
          ...pathAfter(outcome, statOf(answer), args),
          path,
          dest: path,
          ...backupEntry(editor, outcome),
        };
        const isRefused = outcome.failed && outcome.steps.length === 0;
        if (isRefused || (answer.stat.exists && answer.content === undefined)) return base;
        const edited = editInTime(editor, args, fileText(editor, args, answer)?.text);
        if (!("text" in edited)) return "missing" in edited ? { ...base, msg: edited.missing } : base;
        return { ...base, msg: edited.msg, ...edited.more };
      },
    },
    {
      candidates: (args, context) => [hostPath(args.path, context)],
      path: (args, _state, context) => hostPath(args.path, context),
    },
  );
}

function editInTime<Args extends EditArgs>(
  editor: Editor<Args>,
  args: Args,
  text: string | undefined,
): Edited {
  const patterns = editor.patterns(args).flatMap((pattern) => pattern ?? []);
  const done = boundedRegexps(patterns, text?.length ?? 0, () => editor.edit(text, args));
  return "refused" in done ? done : done.made;
}

/** lineinfile's is always there, the others' only when something was kept. */
function backupEntry<Args extends EditArgs>({ backupKey }: Editor<Args>, outcome: Outcome): JsonObject {
  const kept = backupOf(outcome);
  if (backupKey === "backup") return { backup: kept ?? "" };
  return { rc: 0, ...(kept === undefined ? {} : { backup_file: kept }) };
}

const fileText = <Args extends EditArgs>(
  { encodingOf }: Editor<Args>,
  args: Args,
  { content }: PathAnswer,
): FileText | undefined => (content === undefined ? undefined : decodeFile(content, encodingOf?.(args)));

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
  { answer, hasFolder }: EditState,
  path: string,
): Plan {
  const unreadable = whyUnreadable(answer);
  if (unreadable !== undefined) return { steps: [], diffs: [], fail: `"${path}" ${unreadable}` };
  const before = fileText(editor, args, answer);
  const edited = editInTime(editor, args, before?.text);
  if ("refused" in edited) return { steps: [], diffs: [], fail: edited.refused };
  if ("missing" in edited) return { steps: [], diffs: [] };
  const encoding = before?.encoding ?? "utf-8";
  const bytes = encodeFile({ text: edited.text, encoding });
  if (bytes === undefined) {
    return {
      steps: [],
      diffs: [],
      fail: `the new text does not fit into Latin-1, in which "${path}" is`,
    };
  }
  const plan = planFile({
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
  return !hasFolder && plan.steps.length > 0
    ? { ...plan, steps: [makeFolder(folderOf(path)), ...plan.steps] }
    : plan;
}

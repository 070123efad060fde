import type { z } from "zod";
import type { Answers, PathAnswer, Question } from "../host/question.ts";
import type { Source } from "../host/step.ts";
import { bytesOf } from "./answers.ts";
import { content, defineArgs, flag, mode, path, text } from "./arguments.ts";
import { askAfter, attributeArgs } from "./attributes.ts";
import {
  askCopy,
  type CopyGoal,
  type CopyState,
  copyPlaces,
  copyResult,
  fileNameOf,
  finalPath,
  planCopy,
  readCopy,
  sourceOf,
} from "./copy-file.ts";
import {
  askRemote,
  askRemoteAfter,
  planRemote,
  type RemoteState,
  readRemote,
  remotePath,
  remoteResult,
} from "./copy-remote.ts";
import { askTree, planTree, readTree, type TreeGoal } from "./copy-tree.ts";
import { digestOf } from "./digest.ts";
import { defineFlagged } from "./file-flags.ts";
import type { Mode } from "./file-mode.ts";
import { hostPath, joinPath } from "./host-path.ts";
import type { ModuleContext, Plan } from "./module.ts";
import { backupResult, writeArgs } from "./plan-file.ts";

const args = defineArgs(
  {
    src: path("File or folder of the controller; with a slash at its end, what is in the folder."),
    content: content("What the file shall hold, instead of src. Data other than text is written as JSON."),
    dest: path("Where to on the host. A folder when it ends with a slash or is one.", { required: true }),
    remote_src: flag("src is a path of the host.", { default: false }),
    force: flag("Replace a file that differs; otherwise only copy what is missing.", { default: true }),
    follow: flag("Write through a link at dest instead of replacing it.", { default: false }),
    local_follow: flag("Copy what links of a folder lead to, not the links.", { default: true }),
    directory_mode: mode("Mode of the folders that are made."),
    checksum: text("SHA-1 that src must have."),
    decrypt: flag("Open src when it is a vault file.", { default: true }),
    ...writeArgs,
    ...attributeArgs,
  },
  { exclusive: [["src", "content"]], oneOf: [["src", "content"]] },
);
type CopyArgs = z.infer<typeof args>;

type State =
  | { readonly kind: "file"; readonly file: CopyState }
  | { readonly kind: "tree"; readonly tree: readonly PathAnswer[] }
  | { readonly kind: "remote"; readonly remote: RemoteState };

const preserved = (wanted: Mode | undefined, context: ModuleContext): Mode | undefined => {
  const source = context.sources[0];
  if (wanted?.kind !== "preserve" || (source?.kind !== "file" && source?.kind !== "large")) return wanted;
  return { kind: "octal", bits: source.mode & 0o7777 };
};

const goalOf = (args: CopyArgs, context: ModuleContext): CopyGoal => ({
  ...args,
  mode: preserved(args.mode, context),
  fileName: nameOf(args),
});
const nameOf = ({ src }: CopyArgs): string | undefined => (src === undefined ? undefined : fileNameOf(src));

/** `src: web` makes dest/web, `src: web/` fills dest itself. */
function treeGoal(args: CopyArgs, context: ModuleContext): TreeGoal | undefined {
  const source = context.sources[0];
  if (source?.kind !== "tree") return undefined;
  const dest = hostPath(args.dest, context);
  const root = args.src?.endsWith("/") === true ? dest : joinPath(dest, fileNameOf(args.src ?? ""));
  return {
    root: root.length > 1 ? root.replace(/\/+$/, "") : root,
    entries: source.entries,
    owner: args.owner,
    group: args.group,
    mode: args.mode,
    directoryMode: args.directory_mode,
    force: args.force,
    backup: args.backup,
    diff: context.diff,
  };
}

const fileSource = (args: CopyArgs, context: ModuleContext): Source | undefined =>
  args.content === undefined ? sourceOf(context.sources[0]) : { bytes: bytesOf(args.content) };

function ask(args: CopyArgs, context: ModuleContext): readonly Question[] {
  if (args.remote_src && args.src !== undefined) return askRemote({ ...args, src: args.src }, context);
  const tree = treeGoal(args, context);
  return tree === undefined ? askCopy(goalOf(args, context), context) : askTree(tree);
}

function read(answers: Answers, args: CopyArgs, context: ModuleContext): State {
  if (args.remote_src && args.src !== undefined) return { kind: "remote", remote: readRemote(answers) };
  if (treeGoal(args, context) !== undefined) return { kind: "tree", tree: readTree(answers) };
  return { kind: "file", file: readCopy(answers, goalOf(args, context)) };
}

function plan(args: CopyArgs, state: State, context: ModuleContext): Plan {
  if (state.kind === "remote") return planRemote({ ...args, src: args.src ?? "" }, state.remote, context);
  if (state.kind === "tree") {
    const goal = treeGoal(args, context);
    if (goal === undefined) throw new Error("a tree was read that is not there");
    return args.attributes === undefined
      ? planTree(goal, state.tree)
      : { steps: [], diffs: [], fail: "attributes are set of a file: src is a folder" };
  }
  const source = fileSource(args, context);
  if (source === undefined) return { steps: [], diffs: [], fail: `"${args.src}" is not a file` };
  const wrong = wrongChecksum(args, source, context);
  if (wrong !== undefined) return { steps: [], diffs: [], fail: wrong };
  return planCopy(goalOf(args, context), source, state.file, context);
}

function wrongChecksum(args: CopyArgs, source: Source, { sources }: ModuleContext): string | undefined {
  if (args.checksum === undefined) return undefined;
  const [large] = sources;
  const bytes = "bytes" in source ? digestOf(source.bytes, "sha1") : undefined;
  const actual = large?.kind === "large" ? large.sha1 : bytes;
  if (args.checksum === actual) return undefined;
  return `"${args.src}" has the checksum ${actual}, not ${args.checksum}`;
}

export default defineFlagged(
  {
    kind: "host",
    name: "copy",
    summary: "Copies a file, a folder or a text to the host.",
    args,
    example:
      "- name: the message of the day\n  copy:\n    content: Managed by Provision.\n    dest: /etc/motd\n    mode: '0644'\n",
    reads: "host",
    sources: (args) =>
      args.src === undefined || args.remote_src
        ? []
        : [
            {
              from: "file",
              path: args.src,
              in: "files",
              keepLinks: !args.local_follow,
              keepVault: !args.decrypt,
            },
          ],
    ask,
    read,
    plan,
    after(args, state, context) {
      if (state.kind === "tree") return [];
      if (state.kind === "file") return askAfter(finalPath(goalOf(args, context), state.file, context));
      return askRemoteAfter({ ...args, src: args.src ?? "" }, state.remote, context);
    },
    result(state, outcome, args, context) {
      const src = args.src === undefined ? {} : { src: args.src };
      if (state.kind === "remote") {
        const remote = remoteResult({ ...args, src: args.src ?? "" }, state.remote, context, outcome);
        return { ...src, ...remote, ...backupResult(outcome) };
      }
      if (state.kind === "tree") return { ...src, dest: hostPath(args.dest, context) };
      const goal = goalOf(args, context);
      return {
        ...src,
        ...copyResult({ goal, source: fileSource(args, context), state: state.file, context, outcome }),
      };
    },
  },
  {
    candidates: (args, context) => copyPlaces({ dest: args.dest, fileName: nameOf(args) }, context),
    path(args, state, context) {
      if (state.kind === "file") return finalPath(goalOf(args, context), state.file, context);
      return state.kind === "tree"
        ? undefined
        : remotePath({ ...args, src: args.src ?? "" }, state.remote, context);
    },
  },
);

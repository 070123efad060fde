import { answerTo, linesOf, textOf } from "./answers.ts";
import { defineArgs, flag, path } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { baseName, hostPath, joinPath } from "./host-path.ts";

interface FetchArgs {
  readonly src: string;
  readonly dest: string;
  readonly flat: boolean;
}

/** dest/host/path, or with `flat` dest itself (a folder when it ends with a slash). */
function localPath(args: FetchArgs, host: string): string {
  if (!args.flat) return joinPath(args.dest, host, args.src.replace(/^~\//, ""));
  return args.dest.endsWith("/") ? joinPath(args.dest, baseName(args.src)) : args.dest;
}

/** What Ansible registers; whether to fetch at all is told by SHA-256. */
const sumsSh = '[ -f "$1" ] || exit 0; sha1sum <"$1" | cut -d" " -f1; md5sum <"$1" | cut -d" " -f1';

export default defineModule({
  kind: "host",
  name: "fetch",
  summary: "Copies a file of the host to the controller.",
  args: defineArgs({
    src: path("The file on the host.", { required: true }),
    dest: path("Folder of the controller; the file goes to dest/HOST/src.", { required: true }),
    flat: flag("Put the file at dest itself (below it when dest ends with a slash).", { default: false }),
    fail_on_missing: flag("Fail when the host has no such file.", { default: true }),
    validate_checksum: flag("Of Ansible; a transfer that is not whole always fails, and leaves nothing.", {
      default: true,
    }),
  }),
  example: "- name: keep each host's log here\n  fetch: {src: /var/log/dpkg.log, dest: logs}\n",
  reads: "host",
  sources: (args, context) => [{ from: "local", path: localPath(args, context.host) }],
  ask: (args, context) => [
    { of: "path", path: hostPath(args.src, context), want: ["stat", "hash"], follow: true },
    { of: "script", sh: sumsSh, args: [hostPath(args.src, context)] },
  ],
  read: (answers) => ({
    current: answerTo(answers, 0, "path"),
    sums: linesOf(textOf(answerTo(answers, 1, "script").stdout)),
  }),
  plan(args, { current }, context) {
    const path = hostPath(args.src, context);
    if (!current.stat.exists) {
      return { steps: [], diffs: [], ...(args.fail_on_missing ? { fail: `"${path}" does not exist` } : {}) };
    }
    if (current.stat.type !== "file") {
      return { steps: [], diffs: [], fail: `"${path}" is not a file but a ${current.stat.type}` };
    }
    const local = context.sources[0];
    if (local?.kind === "tree") {
      return {
        steps: [],
        diffs: [],
        fail: `"${args.dest}" is a folder: with a slash at its end, the file goes into it`,
      };
    }
    const have = local?.kind === "file" || local?.kind === "large" ? local.sha256 : undefined;
    if (have === current.sha256) return { steps: [], diffs: [] };
    const to = localPath(args, context.host);
    return { steps: [{ do: "fetch", why: `fetch ${path}`, path, to }], diffs: [] };
  },
  result: ({ current, sums: [sha1 = "", md5 = ""] }, { changed }, args, context) =>
    current.stat.exists
      ? {
          src: hostPath(args.src, context),
          dest: localPath(args, context.host),
          checksum: sha1,
          remote_checksum: sha1,
          md5sum: md5,
          remote_md5sum: null,
          ...(changed ? {} : { file: hostPath(args.src, context) }),
        }
      : { msg: "the remote file does not exist, not transferring, ignored", file: args.src },
});

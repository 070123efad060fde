import type { JsonObject } from "../../base/json.ts";
import type { PathAnswer, PathStat, Question } from "../host/question.ts";
import { answerTo, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { octalDigits } from "./file-mode.ts";
import { hostPath } from "./host-path.ts";

/** What the acting user may do, where a link leads, the checksum, the mime type: a line each, empty when unknown. */
const moreSh = `f=$1
a=; [ -r "$f" ] && a=r; [ -w "$f" ] && a=\${a}w; [ -x "$f" ] && a=\${a}x
printf '%s\\n' "$a"
if [ -L "$f" ]; then readlink -f -- "$f" || echo; else echo; fi
if [ -n "$2" ] && [ -f "$f" ] && { [ ! -L "$f" ] || [ "$4" = follow ]; }; then "$2"sum <"$f" | cut -d' ' -f1; else echo; fi
if [ -n "$3" ] && command -v file >/dev/null; then file -b --mime -- "$f"; else echo; fi
if [ -n "$5" ] && command -v lsattr >/dev/null; then lsattr -vd -- "$f" 2>/dev/null || echo; else echo; fi
stat \${4:+-L} -c '%o %b %t %T' -- "$f" 2>/dev/null`;

const algorithms = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] as const;

interface StatState {
  readonly answer: PathAnswer;
  readonly more: readonly string[];
}

function mimeOf(said: string): JsonObject {
  const [, mimetype, charset] = /^([^;]*); charset=(.*)$/.exec(said) ?? [];
  return { mimetype: mimetype ?? "unknown", charset: charset ?? "unknown" };
}

/** chattr's letters. */
const flagNames: Readonly<Record<string, string>> = {
  A: "noatime",
  a: "append",
  C: "nocow",
  c: "compressed",
  D: "dirsync",
  d: "nodump",
  E: "encrypted",
  e: "extents",
  F: "casefold",
  I: "indexed",
  i: "immutable",
  j: "journalled",
  N: "inline",
  P: "project",
  s: "zero",
  S: "synchronous",
  t: "notail",
  T: "topdir",
  u: "undelete",
  V: "verity",
  X: "compressedraw",
  Z: "compresseddirty",
};

/** lsattr's "VERSION --------------e------- PATH". */
function flagsOf(said: string): JsonObject {
  const [, version, letters] = /^\s*(\d+)\s+(\S+)\s/.exec(said) ?? [];
  const flags = (letters ?? "").replaceAll("-", "");
  const attributes = [...flags].flatMap((letter) => flagNames[letter] ?? []);
  return { attributes, attr_flags: flags, version: version ?? null };
}

/** "BLOCK-SIZE BLOCKS MAJOR MINOR", the last two in hex: device_type is of a device itself. */
function blocksOf(said: string): JsonObject {
  const [size = "", blocks, major = "0", minor = "0"] = said.split(" ");
  if (blocks === undefined) return {};
  const [high, low] = [Number.parseInt(major, 16), Number.parseInt(minor, 16)];
  return {
    block_size: Number(size),
    blocks: Number(blocks),
    device_type: (low & 0xff) | (high << 8) | ((low & ~0xff) << 12),
  };
}

interface StatArgs {
  readonly get_mime: boolean;
  readonly get_attributes: boolean;
}

function statResult(path: string, { answer, more }: StatState, args: StatArgs): JsonObject {
  const { stat } = answer;
  if (!stat.exists) return { exists: false };
  const [access = "", source = "", checksum = "", mime = "", flags = "", blocks = ""] = more;
  return {
    exists: true,
    path,
    ...kindOf(stat),
    ...permissionsOf(stat),
    uid: stat.uid,
    gid: stat.gid,
    pw_name: stat.owner,
    gr_name: stat.group,
    size: stat.size,
    inode: stat.inode,
    dev: stat.device,
    nlink: stat.nlink,
    atime: stat.atime,
    mtime: stat.mtime,
    ctime: stat.ctime,
    readable: access.includes("r"),
    writeable: access.includes("w"),
    executable: access.includes("x"),
    ...(stat.type === "link" ? { lnk_source: source, lnk_target: answer.linkTarget ?? "" } : {}),
    ...(checksum === "" ? {} : { checksum }),
    ...blocksOf(blocks),
    ...(args.get_mime ? mimeOf(mime) : {}),
    ...(args.get_attributes ? flagsOf(flags) : {}),
  };
}

export const kindOf = ({ type }: Pick<PathStat, "type"> | { readonly type: string }): JsonObject => ({
  isreg: type === "file",
  isdir: type === "directory",
  islnk: type === "link",
  issock: type === "socket",
  isfifo: type === "fifo",
  ischr: type === "char",
  isblk: type === "block",
});

export function permissionsOf({ mode }: Pick<PathStat, "mode">): JsonObject {
  const bit = (value: number) => (mode & value) !== 0;
  return {
    mode: octalDigits(mode),
    isuid: bit(0o4000),
    isgid: bit(0o2000),
    rusr: bit(0o400),
    wusr: bit(0o200),
    xusr: bit(0o100),
    rgrp: bit(0o40),
    wgrp: bit(0o20),
    xgrp: bit(0o10),
    roth: bit(4),
    woth: bit(2),
    xoth: bit(1),
  };
}

export default defineModule({
  kind: "host",
  name: "stat",
  summary: "Says what a path is: kind, owner, mode, size, times, checksum.",
  args: defineArgs({
    path: path("The path.", { required: true, aliases: ["dest", "name"] }),
    follow: flag("Look at what a link leads to.", { default: false }),
    get_checksum: flag("Checksum of a file.", { default: true }),
    checksum_algorithm: choice(algorithms)("Which checksum.", {
      default: "sha1",
      aliases: ["checksum", "checksum_algo"],
    }),
    get_mime: flag("Kind of content, as the host's program `file` sees it; unknown without it.", {
      default: true,
      aliases: ["mime", "mime_type", "mime-type"],
    }),
    get_attributes: flag("The flags of chattr, where the host has lsattr and the file system knows them.", {
      default: true,
      aliases: ["attr", "attributes"],
    }),
  }),
  example: "- name: is it set up\n  stat: {path: /etc/mesos/zk}\n  register: zk\n",
  reads: "host",
  readOnly: true,
  ask(args, context): readonly Question[] {
    const path = hostPath(args.path, context);
    const algorithm = args.get_checksum ? args.checksum_algorithm : "";
    const flags = [
      args.get_mime ? "mime" : "",
      args.follow ? "follow" : "",
      args.get_attributes ? "flags" : "",
    ];
    const more = [path, algorithm, ...flags];
    return [
      { of: "path", path, want: ["stat", "link"], follow: args.follow },
      { of: "script", sh: moreSh, args: more },
    ];
  },
  read: (answers): StatState => ({
    answer: answerTo(answers, 0, "path"),
    more: textOf(answerTo(answers, 1, "script").stdout).split("\n"),
  }),
  plan: () => ({ steps: [], diffs: [] }),
  result: (current, _outcome, args, context) => ({
    stat: statResult(hostPath(args.path, context), current, args),
  }),
});

import type { z } from "zod";
import { boundedRegexps } from "../../base/bounded-regexp.ts";
import type { JsonObject } from "../../base/json.ts";
import { pythonRegExp } from "../../base/python-regexp.ts";
import type { Answers } from "../host/question.ts";
import { answerTo, textOf } from "./answers.ts";
import { choice, defineArgs, flag, list, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { baseName, hostPath } from "./host-path.ts";
import type { ModuleContext, Plan } from "./module.ts";
import { kindOf, permissionsOf } from "./stat.ts";

const args = defineArgs({
  paths: list("Folders to look into.", { required: true, aliases: ["name", "path"] }),
  patterns: list("Names must match one of these: *.log, or with use_regex regular expressions.", {
    default: [],
    aliases: ["pattern"],
  }),
  excludes: list("Names must match none of these.", { default: [], aliases: ["exclude"] }),
  use_regex: flag("patterns and excludes are Python regular expressions.", { default: false }),
  contains: text("A regular expression that a line of the file must match from its start."),
  read_whole_file: flag("contains may span lines.", { default: false }),
  file_type: choice(["file", "directory", "link", "any"])("What to find.", { default: "file" }),
  recurse: flag("Look into folders below too.", { default: false }),
  depth: whole("How deep to look."),
  follow: flag("Follow links.", { default: false }),
  hidden: flag("Find names with a dot in front too.", { default: false }),
  age: text("Only older than this (2d, 3w, 10m, 60s); with a minus: younger."),
  age_stamp: choice(["mtime", "atime", "ctime"])("Which time is meant.", { default: "mtime" }),
  size: text("Only at least this large (10k, 5m, 1g); with a minus: at most."),
  get_checksum: flag("Give the SHA-1 of each file.", { default: false }),
});
type FindArgs = z.infer<typeof args>;

interface Found {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly owner: string;
  readonly group: string;
  readonly size: number;
  readonly mtime: number;
  readonly atime: number;
  readonly ctime: number;
  readonly inode: number;
  readonly dev: number;
  readonly nlink: number;
}

/**
 * $1 depth ("" without limit), $2 -L or -P, $3 and $4 the pattern of contains for grep -P and -E, $5 -z for whole files,
 * $6 checksum wanted, then the folders.
 */
const findSh = `n=$1 l=$2 c=$3 e=$4 z=$5 h=$6; shift 6
one() { find $l "$1" -mindepth 1 \${n:+-maxdepth "$n"} -exec stat -c '%f %u %g %s %Y %X %Z %i %d %h %U %G %n' -- {} + 2>/dev/null; }
for p do [ -d "$p" ] || { printf 'missing %s\\n' "$p"; continue; }; one "$p"; done
[ -z "$c" ] || { echo contains; g=-P; echo 1 | grep -qP '\\d' 2>/dev/null || { g=-E; c=$e; }
for p do find $l "$p" -mindepth 1 \${n:+-maxdepth "$n"} -type f -exec grep -l $g $z -e "$c" -- {} + 2>/dev/null; done; }
[ -z "$h" ] || { echo sums; for p do find $l "$p" -mindepth 1 \${n:+-maxdepth "$n"} -type f -exec sha1sum -- {} + 2>/dev/null; done; }
exit 0`;

const typeNames: Readonly<Record<number, string>> = {
  1: "fifo",
  2: "char",
  4: "directory",
  6: "block",
  8: "file",
  10: "link",
  12: "socket",
};

function readFound(line: string): Found | undefined {
  const [raw = "", uid, gid, size, mtime, atime, ctime, inode, dev, nlink, owner = "", group = "", ...rest] =
    line.split(" ");
  const bits = Number.parseInt(raw, 16);
  if (Number.isNaN(bits) || rest.length === 0) return undefined;
  return {
    path: rest.join(" "),
    type: typeNames[bits >> 12] ?? "file",
    mode: bits & 0o7777,
    uid: Number(uid),
    gid: Number(gid),
    owner,
    group,
    size: Number(size),
    mtime: Number(mtime),
    atime: Number(atime),
    ctime: Number(ctime),
    inode: Number(inode),
    dev: Number(dev),
    nlink: Number(nlink),
  };
}

interface Seen {
  readonly found: readonly Found[];
  readonly missing: readonly string[];
  readonly containing: ReadonlySet<string> | undefined;
  readonly sums: ReadonlyMap<string, string>;
}
interface FindState extends Seen {
  readonly chosen: { readonly made: readonly Found[] } | { readonly refused: string };
}

function readHost(answers: Answers, given: FindArgs): Seen {
  const lines = textOf(answerTo(answers, 0, "script").stdout).split("\n");
  const at = (mark: string) => (lines.indexOf(mark) === -1 ? lines.length : lines.indexOf(mark));
  const sums = at("sums");
  const contains = Math.min(at("contains"), sums);
  return {
    found: lines.slice(0, contains).flatMap((line) => readFound(line) ?? []),
    missing: lines.slice(0, contains).flatMap((line) => /^missing (.*)$/.exec(line)?.[1] ?? []),
    containing: given.contains === undefined ? undefined : new Set(lines.slice(contains + 1, sums)),
    sums: new Map(lines.slice(sums + 1).map((line) => [line.slice(42), line.slice(0, 40)])),
  };
}

function read(answers: Answers, given: FindArgs, context: ModuleContext): FindState {
  const seen = readHost(answers, given);
  return { ...seen, chosen: chosenOf(given, seen, context) };
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const unitBytes: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** 2d → 172800; -2d → -172800. */
function measure(given: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(-?)(\d+)([a-z]?)$/i.exec(given.trim());
  const unit = match?.[3] === "" ? 1 : units[match?.[3]?.toLowerCase() ?? ""];
  if (match === null || unit === undefined) return undefined;
  return (match[1] === "-" ? -1 : 1) * Number(match[2]) * unit;
}

/** Like the shell's *, ? and [a-z] over a whole name. */
function globRegExp(pattern: string): RegExp {
  const source = pattern.replace(/\[!?[^\]]*\]|[*?]|[\\^$.+()|{}]/g, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    return part.startsWith("[") ? part.replace("[!", "[^") : `\\${part}`;
  });
  return new RegExp(`^${source}$`, "s");
}

const namePattern = (pattern: string, given: FindArgs): RegExp => {
  if (!given.use_regex) return globRegExp(pattern);
  const compiled = pythonRegExp(`^(?:${pattern})`);
  return "regexp" in compiled ? compiled.regexp : /(?!)/;
};

/** All names at once: a slow pattern is slow with many of them. */
function chosenOf(given: FindArgs, seen: Seen, context: ModuleContext): FindState["chosen"] {
  const wrong = wrongArgument(given);
  if (wrong !== undefined) return { refused: wrong };
  const patterns = given.use_regex ? [...given.patterns, ...given.excludes] : [];
  const chars = seen.found.reduce((sum, { path }) => sum + path.length, 0);
  return boundedRegexps(patterns, chars, () => select(given, seen, context));
}

function wrongArgument(given: FindArgs): string | undefined {
  if (given.age !== undefined && measure(given.age, unitSeconds) === undefined)
    return `"${given.age}" is not an age`;
  if (given.size !== undefined && measure(given.size, unitBytes) === undefined)
    return `"${given.size}" is not a size`;
  const patterns = given.use_regex ? [...given.patterns, ...given.excludes] : [];
  return patterns.map((pattern) => pythonRegExp(pattern)).find((result) => "refused" in result)?.refused;
}

function select(given: FindArgs, state: Seen, context: ModuleContext): readonly Found[] {
  const patterns = given.patterns.map((pattern) => namePattern(pattern, given));
  const excludes = given.excludes.map((pattern) => namePattern(pattern, given));
  const age = given.age === undefined ? undefined : measure(given.age, unitSeconds);
  const size = given.size === undefined ? undefined : measure(given.size, unitBytes);
  return state.found.filter((file) => {
    const name = baseName(file.path);
    const old = context.now / 1000 - file[given.age_stamp];
    return (
      (given.file_type === "any" || file.type === given.file_type) &&
      (given.hidden || !name.startsWith(".")) &&
      (patterns.length === 0 || patterns.some((pattern) => pattern.test(name))) &&
      !excludes.some((pattern) => pattern.test(name)) &&
      (age === undefined || (age >= 0 ? old >= age : old <= -age)) &&
      (size === undefined || (size >= 0 ? file.size >= size : file.size <= -size)) &&
      (state.containing === undefined || state.containing.has(file.path))
    );
  });
}

/** A line must match from its start; whole files anywhere. */
function containsPatterns({
  contains,
  read_whole_file: isWhole,
}: FindArgs): readonly [string, string, string] {
  if (contains === undefined) return ["", "", ""];
  return isWhole ? [`(?m)${contains}`, contains, "-z"] : [`^(?:${contains})`, `^(${contains})`, ""];
}

const asResult = (file: Found, sums: ReadonlyMap<string, string>): JsonObject => ({
  path: file.path,
  ...kindOf(file),
  ...permissionsOf(file),
  uid: file.uid,
  gid: file.gid,
  pw_name: file.owner,
  gr_name: file.group,
  size: file.size,
  inode: file.inode,
  dev: file.dev,
  nlink: file.nlink,
  mtime: file.mtime,
  atime: file.atime,
  ctime: file.ctime,
  ...(sums.has(file.path) ? { checksum: sums.get(file.path) ?? "" } : {}),
});

export default defineModule({
  kind: "host",
  name: "find",
  summary: "Finds files by name, age, size, kind and content.",
  args,
  example:
    "- name: logs of last week\n  find: {paths: /var/log, patterns: '*.log', age: 1w, recurse: true}\n  register: old\n",
  reads: "host",
  readOnly: true,
  ask(given, context) {
    const depth = given.recurse ? (given.depth === undefined ? "" : String(given.depth)) : "1";
    const patterns = containsPatterns(given);
    const flags = [depth, given.follow ? "-L" : "-P", ...patterns, given.get_checksum ? "sums" : ""];
    const paths = given.paths.map((path) => hostPath(path, context));
    return [{ of: "script", sh: findSh, args: [...flags, ...paths] }];
  },
  read,
  plan: (_given, { chosen }): Plan => ({
    steps: [],
    diffs: [],
    ...("refused" in chosen ? { fail: chosen.refused } : {}),
  }),
  result(state) {
    const files = "made" in state.chosen ? state.chosen.made : [];
    return {
      files: files.map((file) => asResult(file, state.sums)),
      matched: files.length,
      msg: state.missing.length === 0 ? "All paths examined" : "Not all paths examined",
      examined: state.found.length,
      skipped_paths: Object.fromEntries(state.missing.map((path) => [path, "is not a folder"])),
    };
  },
});

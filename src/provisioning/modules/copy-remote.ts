/** copy with remote_src: from one path of the host to another, a file or a folder. */
import type { JsonObject } from "../../base/json.ts";
import type { Answers, PathAnswer, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, textOf } from "./answers.ts";
import { askAfter, pathAfter, planAttributes, statOf, type WantedAttributes } from "./attributes.ts";
import { cleanUpSh } from "./clean-up.ts";
import { baseName, hostPath, joinPath } from "./host-path.ts";
import type { ModuleContext, Outcome, Plan } from "./module.ts";

export interface RemoteArgs extends WantedAttributes {
  readonly src: string;
  readonly dest: string;
  readonly force: boolean;
  readonly backup: boolean;
  readonly validate?: string | undefined;
  readonly follow: boolean;
  readonly checksum?: string | undefined;
}

export interface RemoteState {
  readonly src: PathAnswer;
  readonly dest: PathAnswer;
  readonly inside: PathAnswer;
  /** For folders: does anything of src lack or differ in its place? */
  readonly differs: boolean;
  readonly insideDiffers: boolean;
  /** Of src, where it is a file. */
  readonly sha1: string;
}

/** Prints "differs" when something of folder $1 is missing in $2, is not the same, or is not owned by $3 and group $4. */
const compareSh = `[ -d "$1" ] || exit 0
cd -- "$1" || exit 1
find . ! -type d -exec sh -c '
  to=$1; shift
  for f do
    if [ -L "$f" ]; then [ "$(readlink -- "$f")" = "$(readlink -- "$to/$f")" ] || echo differs
    else cmp -s -- "$f" "$to/$f" || echo differs; fi
  done' sh "$2" {} + | head -n 1
find . -type d -exec sh -c 'to=$1; shift; for f do [ -d "$to/$f" ] || echo differs; done' sh "$2" {} + | head -n 1
[ -z "$3$4" ] || find . -exec sh -c '
  to=$1 o=$2 g=$3; shift 3; cd -- "$to" 2>/dev/null || exit 0
  stat -c "%U %u %G %g" -- "$@" 2>/dev/null | while read -r user uid group gid; do
    [ -z "$o" ] || [ "$user" = "$o" ] || [ "$uid" = "$o" ] || echo differs
    [ -z "$g" ] || [ "$group" = "$g" ] || [ "$gid" = "$g" ] || echo differs
  done' sh "$2" "$3" "$4" {} + | head -n 1`;

/** Gives what lies in folder $1, and by the same names in $2, to $3 (OWNER:GROUP); what else is in $2 stays as it is. */
const ownSh = `cd -- "$1" && find . -exec sh -c 'to=$1 who=$2; shift 2; cd -- "$to" && chown -h -- "$who" "$@"' sh "$2" "$3" {} +`;

const paths = (args: RemoteArgs, context: ModuleContext) => {
  const src = hostPath(args.src, context);
  const dest = hostPath(args.dest, context);
  return { src, dest, inside: joinPath(dest, baseName(src)) };
};

export function askRemote(args: RemoteArgs, context: ModuleContext): readonly Question[] {
  const { src, dest, inside } = paths(args, context);
  const file = (path: string): Question => ({ of: "path", path, want: ["stat", "hash"], follow: true });
  const compare = (to: string): Question => ({
    of: "script",
    sh: compareSh,
    args: [src, to, args.owner ?? "", args.group ?? ""],
  });
  const sum: Question = { of: "script", sh: '[ -f "$1" ] && sha1sum <"$1" | cut -c1-40', args: [src] };
  return [file(src), file(dest), file(inside), compare(dest), compare(inside), sum];
}

export const readRemote = (answers: Answers): RemoteState => ({
  src: answerTo(answers, 0, "path"),
  dest: answerTo(answers, 1, "path"),
  inside: answerTo(answers, 2, "path"),
  differs: textOf(answerTo(answers, 3, "script").stdout) !== "",
  insideDiffers: textOf(answerTo(answers, 4, "script").stdout) !== "",
  sha1: textOf(answerTo(answers, 5, "script").stdout).trim(),
});

/** `src: web` makes dest/web, `src: web/` fills dest itself; a file goes into a folder. */
function isInside(args: RemoteArgs, state: RemoteState): boolean {
  if (statOf(state.src)?.type === "directory") return !args.src.endsWith("/");
  return statOf(state.dest)?.type === "directory" || args.dest.endsWith("/");
}

/** Where it all goes. */
export function remotePath(args: RemoteArgs, state: RemoteState, context: ModuleContext): string {
  const { dest, inside } = paths(args, context);
  return isInside(args, state) ? inside : dest;
}

/** What a task that registers its result wants to know beside the path itself. */
export const askRemoteAfter = (args: RemoteArgs, state: RemoteState, context: ModuleContext): Question[] => {
  const path = remotePath(args, state, context);
  return [
    ...askAfter(path),
    { of: "script", sh: '[ ! -f "$1" ] || md5sum <"$1" | cut -c1-32', args: [path] },
  ];
};

function md5After({ after }: Outcome): JsonObject {
  const md5sum = after === undefined ? "" : textOf(answerTo(after, 1, "script").stdout).trim();
  return md5sum === "" ? {} : { md5sum };
}

export function remoteResult(
  args: RemoteArgs,
  state: RemoteState,
  context: ModuleContext,
  outcome: Outcome,
): JsonObject {
  const isFolder = statOf(state.src)?.type === "directory";
  const place = isInside(args, state);
  return {
    ...pathAfter(outcome, statOf(place ? state.inside : state.dest), args),
    dest: remotePath(args, state, context),
    state: isFolder ? "directory" : "file",
    checksum: state.sha1 === "" ? null : state.sha1,
    ...(isFolder ? { md5sum: null } : md5After(outcome)),
  };
}

export function planRemote(args: RemoteArgs, state: RemoteState, context: ModuleContext): Plan {
  const { src, dest, inside } = paths(args, context);
  const source = statOf(state.src);
  if (source === undefined) return { steps: [], diffs: [], fail: `"${src}" does not exist on the host` };
  const isFolder = source.type === "directory";
  const goesInside = isInside(args, state);
  const path = goesInside ? inside : dest;
  const current = goesInside ? state.inside : state.dest;
  const stat = statOf(current);
  if (args.checksum !== undefined && args.checksum !== state.sha1) {
    return { steps: [], diffs: [], fail: `"${src}" has the checksum ${state.sha1}, not ${args.checksum}` };
  }
  if (stat !== undefined && !args.force) return { steps: [], diffs: [] };
  const differs = isFolder
    ? goesInside
      ? state.insideDiffers
      : state.differs
    : state.src.sha256 !== current.sha256 || stat?.type !== "file";
  const wanted = wantedOf(args, source.mode);
  if (differs && !isFolder) return { steps: copyFile(args, wanted, src, path), diffs: [] };
  const steps = differs ? copyFolder(src, path) : [];
  const after = stat ?? { ...source, mode: source.mode & 0o777 };
  if (isFolder && differs) {
    return {
      steps: [...steps, ...ownFolder(args, src, path), ...modeSteps(path, wanted)],
      diffs: [],
    };
  }
  return { steps: planAttributes(path, after, wanted).steps, diffs: [] };
}

const wantedOf = (args: RemoteArgs, mode: number): WantedAttributes =>
  args.mode?.kind === "preserve" ? { ...args, mode: { kind: "octal", bits: mode & 0o7777 } } : args;

/**
 * $1 from, $2 to, $3 "backup", $4 "folder" when $2's folder may be made, $5 a validation of $1, $6 "follow", $7 chown's
 * words, $8 chmod's. Into a name beside the target and then over it, so that nobody ever sees half a file, nor any of it
 * who may not: the final mode is worked out while the file is empty. What an access list says of the old one stays.
 */
const copyFileSh = `d=$(dirname -- "$2"); [ -d "$d" ] || { [ "$4" = folder ] && mkdir -p -- "$d"; }
src=$1 to=$2 keep=$3 check=$5 who=$7 mode=$8
if [ "$6" = follow ] && [ -L "$to" ]; then to=$(readlink -f -- "$to") || exit 1; fi
t=$(mktemp "$to.XXXXXX") || exit 1
${cleanUpSh('rm -f -- "$t"')}
if [ -e "$to" ]; then cp -p -- "$to" "$t" || exit 1; else chmod "$(printf %o $((0666 & ~$(umask))))" "$t"; fi
: >"$t"; m=$(stat -c %a -- "$t") || exit 1
[ -z "$who" ] || chown -- "$who" "$t" || exit 1
[ -z "$mode" ] || { chmod "$m" "$t" && chmod "$mode" "$t" && m=$(stat -c %a -- "$t"); } || exit 1
chmod 600 "$t" && cat -- "$src" >"$t" && chmod "$m" "$t" || exit 1
if [ -n "$check" ]; then sh -c "$check" sh "$t" || exit 1; fi
if [ "$keep" = backup ] && [ -e "$to" ]; then b=$to.$$.$(date +%Y-%m-%d@%H:%M:%S)~; cp -aL -- "$to" "$b" && printf 'backup: %s\\n' "$b" || exit 1; fi
mv -f -- "$t" "$to"`;

function copyFile(args: RemoteArgs, wanted: WantedAttributes, src: string, path: string): readonly Step[] {
  const backup = args.backup ? "backup" : "";
  const folder = args.dest.endsWith("/") ? "folder" : "";
  const validate = args.validate?.replace("%s", '"$1"') ?? "";
  const { owner = "", group } = wanted;
  const who = `${owner}${group === undefined ? "" : `:${group}`}`;
  const how = [backup, folder, validate, args.follow ? "follow" : "", who, modeLetters(wanted)];
  return [
    {
      do: "run",
      why: `copy ${src} to ${path}`,
      argv: ["sh", "-c", copyFileSh, "sh", src, path, ...how],
    },
  ];
}

const modeLetters = ({ mode }: WantedAttributes): string => {
  if (mode === undefined || mode.kind === "preserve") return "";
  return mode.kind === "octal" ? mode.bits.toString(8) : mode.clauses;
};

const copyFolder = (src: string, path: string): readonly Step[] => [
  { do: "run", why: `make the folder ${path}`, argv: ["mkdir", "-p", "--", path] },
  {
    do: "run",
    why: `copy ${src} to ${path}`,
    argv: ["cp", "-R", "-P", "--", `${src.replace(/\/+$/, "")}/.`, `${path}/`],
  },
];

function ownFolder({ owner, group }: RemoteArgs, src: string, path: string): readonly Step[] {
  if (owner === undefined && group === undefined) return [];
  const who = `${owner ?? ""}${group === undefined ? "" : `:${group}`}`;
  const why = `set the owner of what was copied to ${path}`;
  return [{ do: "run", why, argv: ["sh", "-c", ownSh, "sh", src, path, who] }];
}

function modeSteps(path: string, wanted: WantedAttributes): readonly Step[] {
  const letters = modeLetters(wanted);
  if (letters === "") return [];
  return [{ do: "run", why: `set the mode of ${path}`, argv: ["chmod", letters, "--", path] }];
}

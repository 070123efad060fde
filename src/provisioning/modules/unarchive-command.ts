/** The sh behind unarchive: comparing an archive with a folder, and unpacking it. */
import type { Source, Step } from "../host/step.ts";
import type { ArchiveKind } from "./archive-listing.ts";
import { cleanUpSh } from "./clean-up.ts";
import { type Mode, octalDigits } from "./file-mode.ts";
import { joinPath } from "./host-path.ts";

export interface ExtractArgs {
  readonly src: string;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  readonly mode?: Mode | undefined;
  readonly exclude: readonly string[];
  readonly include: readonly string[];
  readonly extra_opts: readonly string[];
  readonly keep_newer: boolean;
}

/** A name that the same archive always has, so that what an interrupted run left is replaced and removed by the next. */
export const uploadName = (dest: string, key: string): string =>
  joinPath(dest, `.provision-archive-${key.slice(0, 32)}`);

/**
 * The archive lies in the folder that it is unpacked into: it may be written there, and has room. It never goes through
 * a link or keeps the owner of what somebody else put at that name.
 */
export const bringStep = (archive: {
  readonly src: string;
  readonly path: string;
  readonly from: Source;
  readonly uid: number;
}): Step => ({
  do: "write",
  why: `bring ${archive.src} to the host`,
  path: archive.path,
  from: archive.from,
  owner: String(archive.uid),
  mode: "0600",
  follow: false,
});

export const modeWord = (mode: Mode | undefined): string =>
  mode === undefined || mode.kind === "preserve"
    ? ""
    : mode.kind === "octal"
      ? octalDigits(mode.bits)
      : mode.clauses;

/**
 * $1 archive, $2 folder, $3 owner, $4 group, $5 mode, perhaps --list, then --exclude=…, --, members. Prints the members
 * that are listed, then same, differs, missing,
 * no-tar, no-unzip or unreadable, then the archive's kind. GNU tar compares by itself; what it says of owners and modes
 * that the task sets, or that only root can set, does not count. Other tars (busybox) are asked for the members, which
 * are unpacked to a pipe and compared one by one, as zip's are.
 */
export const compareSh = `f=$1 d=$2 o=$3 g=$4 m=$5; shift 5; w=; [ "$1" != --list ] || { w=1; shift; }
[ -f "$f" ] || { echo missing; exit 0; }
k=tar; case $(head -c 2 -- "$f") in PK) k=zip;; esac
if [ $k = zip ]; then
  command -v unzip >/dev/null || { echo no-unzip; exit 0; }
  l=$(unzip -Z1 "$f") || { echo unreadable; exit 0; }
  for a do case $a in --exclude=*) p=\${a#--exclude=}; l=$(printf '%s\\n' "$l" | while IFS= read -r n; do case $n in $p) ;; *) printf '%s\\n' "$n";; esac; done);; esac; done
else
  command -v tar >/dev/null || { echo no-tar; exit 0; }
  l=$(tar -tf "$f" "$@") || { echo unreadable; exit 0; }
fi
[ -z "$w" ] || printf '%s\\n' "$l" | sed 's/^/member /'
if [ $k = tar ] && tar --version 2>/dev/null | grep -q GNU; then
  s='Mod time differs'
  { [ -z "$o" ] && [ "$(id -u)" = 0 ]; } || s="$s|Uid differs"
  { [ -z "$g" ] && [ "$(id -u)" = 0 ]; } || s="$s|Gid differs"
  { [ -z "$m" ] && [ "$(id -u)" = 0 ]; } || s="$s|Mode differs"
  LC_ALL=C tar -df "$f" -C "$d" "$@" 2>&1 | grep -Ev "$s" | grep -q . && { echo differs; echo $k; exit 0; }
else
  printf '%s\\n' "$l" | { while IFS= read -r n; do case $n in
    */) [ -d "$d/$n" ] || exit 1;;
    *) if [ -L "$d/$n" ]; then :; elif [ $k = zip ]; then unzip -p "$f" "$n" | cmp -s - "$d/$n" || exit 1
       else tar -xOf "$f" "$n" | cmp -s - "$d/$n" || exit 1; fi;;
  esac; done; } || { echo differs; echo $k; exit 0; }
fi
printf '%s\\n' "$l" | { while IFS= read -r n; do
  [ -z "$o" ] || [ "$(stat -c %U -- "$d/$n")" = "$o" ] || [ "$(stat -c %u -- "$d/$n")" = "$o" ] || exit 1
  [ -z "$g" ] || [ "$(stat -c %G -- "$d/$n")" = "$g" ] || [ "$(stat -c %g -- "$d/$n")" = "$g" ] || exit 1
  case $m in [0-7]*) [ -L "$d/$n" ] || [ "$(printf '%04d' "$(stat -c %a -- "$d/$n")")" = "$m" ] || exit 1;; esac
done; } && echo same || echo differs
echo $k`;

/**
 * $1 archive, $2 folder, $3 owner, $4 group, $5 mode, $6 "ours" when it is to be taken away, then the command that
 * unpacks; its members then get the attributes.
 */
const unpackSh = `f=$1 d=$2 o=$3 g=$4 m=$5 ours=$6; shift 6
${cleanUpSh('[ -z "$ours" ] || rm -f -- "$f"')}
if [ "$1" = unzip ]; then
  command -v unzip >/dev/null || { echo 'there is no unzip on the host: install the package unzip' >&2; exit 1; }
  l='unzip -Z1'
else l='tar -tf'; fi
"$@" || exit 1
[ -n "$o$g$m" ] || exit 0
$l "$f" | while IFS= read -r n; do
  [ -e "$d/$n" ] || [ -L "$d/$n" ] || continue
  [ -z "$o" ] || chown -h -- "$o" "$d/$n" || exit 1
  [ -z "$g" ] || chgrp -h -- "$g" "$d/$n" || exit 1
  [ -z "$m" ] || [ -L "$d/$n" ] || chmod "$m" -- "$d/$n" || exit 1
done`;

interface Extraction {
  readonly given: ExtractArgs;
  readonly dest: string;
  readonly kind: ArchiveKind;
  readonly from:
    | { readonly bytes: Uint8Array; readonly uploadTo: string; readonly uid: number }
    | { readonly file: string; readonly isOurs: boolean };
}

/** tar finds out by itself how a file is packed, but not what comes through a pipe. */
const filters: Readonly<Partial<Record<ArchiveKind, string>>> = {
  gzip: "-z",
  bzip2: "-j",
  xz: "-J",
  zstd: "--zstd",
};

function tarArgv(file: string, dest: string, given: ExtractArgs, filter?: string): readonly string[] {
  return [
    "tar",
    ...(filter === undefined ? [] : [filter]),
    "-x",
    "-f",
    file,
    "-C",
    dest,
    ...(given.keep_newer ? ["--keep-newer-files"] : []),
    ...given.exclude.map((name) => `--exclude=${name}`),
    ...given.extra_opts,
    ...(given.include.length === 0 ? [] : ["--", ...given.include]),
  ];
}

const unzipArgv = (file: string, dest: string, given: ExtractArgs): readonly string[] => [
  "unzip",
  given.keep_newer ? "-uo" : "-o",
  ...given.extra_opts,
  file,
  ...given.include,
  ...(given.exclude.length > 0 ? ["-x", ...given.exclude] : []),
  "-d",
  dest,
];

/** A tar goes through a pipe and leaves nothing behind; what needs a file gets one, and takes it away. */
export function extractSteps({ given, dest, kind, from }: Extraction): readonly Step[] {
  const { owner = "", group = "" } = given;
  const mode = modeWord(given.mode);
  const why = `unpack ${given.src}`;
  if ("bytes" in from && kind !== "zip" && `${owner}${group}${mode}` === "") {
    return [{ do: "run", why, argv: tarArgv("-", dest, given, filters[kind]), stdin: from.bytes }];
  }
  const file = "bytes" in from ? from.uploadTo : from.file;
  const ours = "bytes" in from || from.isOurs ? "ours" : "";
  const unpack = kind === "zip" ? unzipArgv(file, dest, given) : tarArgv(file, dest, given);
  const run: Step = {
    do: "run",
    why,
    argv: ["sh", "-c", unpackSh, "sh", file, dest, owner, group, mode, ours, ...unpack],
  };
  if (!("bytes" in from)) return [run];
  const bring = bringStep({ src: given.src, path: file, from: { bytes: from.bytes }, uid: from.uid });
  return [bring, run];
}

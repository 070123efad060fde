/**
 * Questions about paths: one `stat` for all of them (one more for those looked at through links), one `sha256sum`,
 * one `head` for all contents, one `readlink`. Names with a newline or a backslash, which these tools print in their
 * own ways, are asked one by one.
 */
import { ProvisionError } from "../../base/errors.ts";
import { shellQuote, shellWords } from "../../base/shell-quote.ts";
import { decodeHostText } from "./host-text.ts";
import { limits } from "./limits.ts";
import { parseListing, parseStat, statFormat } from "./path-stat.ts";
import type { PathAnswer, PathStat, Question } from "./question.ts";
import { badAnswer, type Sections } from "./sections.ts";

export type PathQuestion = Extract<Question, { of: "path" }>;
type Want = PathQuestion["want"][number];

interface Asked {
  /** The word given to the tools: never starts with "-", which some of them read as stdin. */
  readonly name: string;
  readonly follow: boolean;
  readonly wants: Set<Want>;
}

/** A list of names that one command takes; `id` names its sections. */
interface Chunk {
  readonly id: string;
  readonly names: readonly string[];
}

interface PathPlan {
  readonly stat: readonly Chunk[];
  readonly statFollowed: readonly Chunk[];
  readonly hash: readonly Chunk[];
  readonly content: readonly Chunk[];
  readonly link: readonly Chunk[];
}

const keyOf = (name: string, follow: boolean): string => `${follow ? "L" : "-"}${name}`;
const nameOf = (path: string): string => (path.startsWith("-") ? `./${path}` : path);
const isPlain = (name: string): boolean => !/[\n\r\\]/.test(name);

function collect(questions: readonly PathQuestion[]): Map<string, Asked> {
  const asked = new Map<string, Asked>();
  for (const { path, want, follow = false } of questions) {
    if (path === "") continue;
    if (path.includes("\0")) throw nulInPath(path);
    const name = nameOf(path);
    const key = keyOf(name, follow);
    const entry = asked.get(key) ?? { name, follow, wants: new Set<Want>() };
    for (const each of want) entry.wants.add(each);
    asked.set(key, entry);
  }
  return asked;
}

const nulInPath = (path: string): ProvisionError =>
  new ProvisionError({
    code: "bad-argument",
    action: "look at a path",
    state: `${JSON.stringify(path)} holds a NUL character`,
    why: "no file system can hold such a name",
  });

function planPaths(questions: readonly PathQuestion[]): PathPlan {
  const asked = [...collect(questions).values()];
  const wanting = (want: Want): string[] => [
    ...new Set(asked.filter(({ wants }) => wants.has(want)).map(({ name }) => name)),
  ];
  const named = (follow: boolean): string[] =>
    asked.filter((entry) => entry.follow === follow).map(({ name }) => name);
  return {
    stat: chunksOf("s", named(false)),
    statFollowed: chunksOf("S", named(true)),
    hash: chunksOf("h", wanting("hash")),
    content: chunksOf("c", wanting("content")),
    link: chunksOf("l", wanting("link")),
  };
}

function chunksOf(kind: string, names: readonly string[]): Chunk[] {
  const chunks: Chunk[] = [];
  let current: string[] = [];
  let bytes = 0;
  const flush = () => {
    if (current.length > 0) chunks.push({ id: `${kind}${chunks.length}`, names: current });
    current = [];
    bytes = 0;
  };
  for (const name of names.filter(isPlain)) {
    if (bytes + name.length > limits.argumentBytes || current.length >= limits.argumentCount) flush();
    current.push(name);
    bytes += 3 * name.length + 1;
  }
  flush();
  for (const name of names) if (!isPlain(name)) chunks.push({ id: `${kind}${chunks.length}`, names: [name] });
  return chunks;
}

/**
 * S and SL print `stat` lines; what was refused, or a `stat` that knows no -c, follows in sections of its own.
 * H hashes regular files only: a fifo would hang. C puts the file /proc/self/environ of `head` itself, which holds
 * just the nonce, between the contents: one process for all of them, and exact for any bytes.
 */
const functions = `
SE() { k=$1 o=$2; shift 2; case $e in *denied*) m "$k denied"; printf '%s\\n' "$e";; esac
case $e in *option*|*'not found'*) stat -c %f / >/dev/null 2>&1 || SF "$k" "$o" "$@";; esac; }
S() { k=$1 o=$2; shift 2; m "$k"; e=$(stat $o -c '${statFormat}' -- "$@" 2>&1 >&3) || SE "$k" "$o" "$@"; } 3>&1
SF() { k=$1 o=$2; shift 2; m "$k listed"; for p do { [ -e "$p" ] || [ -L "$p" ]; } || continue
printf '%s\\0' "$p"; ls $o -din -- "$p" | head -n 1; ls $o -ld -- "$p" | head -n 1; printf '\\0'; done; }
HX() { sha256sum "$@" 2>/dev/null; [ $? = 127 ] || return 0; shasum -a 256 "$@" 2>/dev/null; [ $? = 127 ] || return 0
openssl dgst -sha256 -r "$@" 2>/dev/null; [ $? != 127 ] || m nohash; }
H() { m "$1"; shift; b=; for p do [ -f "$p" ] || { b=1; break; }; done; [ -n "$b" ] || { HX "$@"; return; }
l= i=0; for p do i=$((i+1)); [ -f "$p" ] && l="$l \\"\\\${$i}\\""; done; [ -z "$l" ] || eval "HX $l"; }
H1() { m "$1"; if [ -f "$2" ] && [ -r "$2" ]; then HX <"$2"; fi; }
C() { k=$1; shift; l= a= i=0; for p do [ -f "$p" ] && [ -r "$p" ] && l="$l $i"; i=$((i+1)); [ -f "$p" ] && [ -r "$p" ] && a="$a \\"\\\${$i}\\" /proc/self/environ"; done
[ -n "$a" ] || return 0; m "$k$l"; [ -r /proc/self/environ ] && eval "env -i N=$N head -q -c ${limits.contentBytes + 1} $a" 2>/dev/null && return 0
i=0; for p do [ -f "$p" ] && [ -r "$p" ] && { m "$k single $i"; head -c ${limits.contentBytes + 1} <"$p"; }; i=$((i+1)); done; }
L() { k=$1; shift; i=0; l= a=; for p do [ -L "$p" ] && l="$l $i"; i=$((i+1)); [ -L "$p" ] && a="$a \\"\\\${$i}\\""; done
[ -n "$a" ] || return 0; m "$k$l"; eval "readlink -z -- $a" 2>/dev/null && return 0
i=0; for p do [ -L "$p" ] && { m "$k single $i"; readlink -- "$p"; }; i=$((i+1)); done; }
`.trim();

export function pathScript(questions: readonly PathQuestion[]): string {
  const plan = planPaths(questions);
  const lines = [functions];
  let current: readonly string[] | undefined;
  const emit = (chunk: Chunk, call: string): void => {
    if (!current || !sameNames(current, chunk.names)) lines.push(`set -- ${shellWords(chunk.names)}`);
    current = chunk.names;
    lines.push(`${call} "$@"`);
  };
  for (const chunk of plan.stat) emit(chunk, `S ${chunk.id} ''`);
  for (const chunk of plan.hash) emit(chunk, `${isPlain(chunk.names[0] ?? "") ? "H" : "H1"} ${chunk.id}`);
  for (const chunk of plan.content) emit(chunk, `C ${chunk.id}`);
  for (const chunk of plan.link) emit(chunk, `L ${chunk.id}`);
  for (const chunk of plan.statFollowed) emit(chunk, `S ${chunk.id} ${shellQuote("-L")}`);
  return lines.join("\n");
}

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((name, i) => name === b[i]));

export function readPaths(
  sections: Sections,
  questions: readonly PathQuestion[],
): (question: PathQuestion) => PathAnswer {
  const plan = planPaths(questions);
  if (sections.get("nohash") !== undefined) throw badAnswer("the host has no sha256sum");
  const stats = new Map<string, PathStat>();
  const refused = new Set<string>();
  for (const chunk of plan.stat) readStats(sections, chunk, false, stats, refused);
  for (const chunk of plan.statFollowed) readStats(sections, chunk, true, stats, refused);
  const hashes = new Map(plan.hash.flatMap((chunk) => readHashes(sections, chunk)));
  const contents = new Map(plan.content.flatMap((chunk) => readContents(sections, chunk)));
  const links = new Map(plan.link.flatMap((chunk) => readLinks(sections, chunk)));
  return ({ path, follow = false, want }) => {
    const name = nameOf(path);
    const stat = stats.get(keyOf(name, follow)) ?? ({ exists: false } as const);
    const isFile = stat.exists && stat.type === "file";
    const sha256 = isFile && want.includes("hash") ? hashes.get(name) : undefined;
    const content = want.includes("content") ? contents.get(name) : undefined;
    const linkTarget = want.includes("link") ? links.get(name) : undefined;
    const tooLarge = content !== undefined && content.length > limits.contentBytes;
    const denied =
      refused.has(keyOf(name, follow)) ||
      (isFile && want.includes("hash") && sha256 === undefined) ||
      (isFile && want.includes("content") && content === undefined);
    return {
      stat,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(content === undefined || tooLarge ? {} : { content }),
      ...(tooLarge ? { contentTooLarge: true as const } : {}),
      ...(linkTarget === undefined ? {} : { linkTarget }),
      ...(denied ? { denied: true as const } : {}),
    };
  };
}

function readStats(
  sections: Sections,
  { id, names }: Chunk,
  follow: boolean,
  stats: Map<string, PathStat>,
  refused: Set<string>,
): void {
  const text = decodeHostText(sections.get(id) ?? missing(id));
  const only = names.length === 1 ? names[0] : undefined;
  if (only !== undefined && !isPlain(only)) {
    const found = text === "" ? undefined : parseStat(text);
    if (found) stats.set(keyOf(only, follow), found.stat);
  } else {
    for (const line of text.split("\n")) {
      if (line === "") continue;
      const found = parseStat(line);
      if (!found) throw badAnswer(`"${line.slice(0, 200)}" is no line of stat`);
      stats.set(keyOf(found.name, follow), found.stat);
    }
  }
  for (const [name, stat] of parseListing(sections.get(`${id} listed`))) stats.set(keyOf(name, follow), stat);
  const errors = sections.get(`${id} denied`);
  if (errors) {
    const text = decodeHostText(errors);
    for (const name of names)
      if (text.includes(`'${name}': Permission denied`)) refused.add(keyOf(name, follow));
  }
}

function readHashes(sections: Sections, { id, names }: Chunk): [string, string][] {
  const text = decodeHostText(sections.get(id) ?? missing(id));
  const only = names[0] ?? "";
  if (!isPlain(only)) return /^[0-9a-f]{64}/.test(text) ? [[only, text.slice(0, 64)]] : [];
  const found: [string, string][] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    if (!/^[0-9a-f]{64} [ *]/.test(line)) throw badAnswer(`"${line.slice(0, 200)}" is no line of sha256sum`);
    found.push([line.slice(66), line.slice(0, 64)]);
  }
  return found;
}

/** The section's name ends with the places of the files that follow, each closed by the environ of `head`. */
function readContents(sections: Sections, { id, names }: Chunk): [string, Buffer][] {
  const single = sections.startingWith(`${id} single`);
  if (single.length > 0) return single.map(([place, body]) => [names[Number(place)] ?? "", body]);
  const [opened] = sections.startingWith(id);
  if (!opened) return [];
  const [places, body] = opened;
  const found: [string, Buffer][] = [];
  let at = 0;
  for (const place of places.split(" ")) {
    const close = closingMark(body, sections.nonce, at);
    found.push([names[Number(place)] ?? "", body.subarray(at, close.start)]);
    at = close.end;
  }
  return found;
}

function closingMark(body: Buffer, nonce: string, from: number): { start: number; end: number } {
  const mark = `N=${nonce}\0`;
  const start = body.indexOf(mark, from, "latin1");
  if (start === -1) throw badAnswer("a file's content has no end");
  return { start, end: start + mark.length };
}

function readLinks(sections: Sections, { id, names }: Chunk): [string, string][] {
  const single = sections.startingWith(`${id} single`);
  if (single.length > 0)
    return single.map(([place, body]) => [
      names[Number(place)] ?? "",
      decodeHostText(body).replace(/\n$/, ""),
    ]);
  const [opened] = sections.startingWith(id);
  if (!opened) return [];
  const targets = decodeHostText(opened[1]).split("\0");
  return opened[0].split(" ").map((place, i) => [names[Number(place)] ?? "", targets[i] ?? ""]);
}

function missing(id: string): Buffer {
  throw badAnswer(`section "${id}" is missing`);
}

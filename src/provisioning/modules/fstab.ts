/** /etc/fstab and /proc/self/mounts as text: fields with blanks written as \040. */

export interface FstabEntry {
  readonly src: string;
  readonly path: string;
  readonly fstype: string;
  readonly opts: string;
  readonly dump: string;
  readonly passno: string;
}

const escaped = (field: string): string =>
  field
    .replaceAll("\\", "\\134")
    .replaceAll(" ", "\\040")
    .replaceAll("\t", "\\011")
    .replaceAll("\n", "\\012");
const unescaped = (field: string): string =>
  field.replace(/\\(\d{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

export const fstabLine = ({ src, path, fstype, opts, dump, passno }: FstabEntry): string =>
  [escaped(src), escaped(path), fstype, escaped(opts), dump, passno].join(" ");

const fieldsOf = (line: string): readonly string[] =>
  /^\s*(#|$)/.test(line) ? [] : line.trim().split(/\s+/);

/** Which entry is meant: that of a path, and of swap, which has none, that of a source. */
export interface EntryKey {
  readonly path: string;
  readonly src?: string | undefined;
}

function isOf(line: string, { path, src }: EntryKey): boolean {
  const [source = "", place = "", fstype] = fieldsOf(line);
  if (unescaped(place) !== path) return false;
  return path !== "none" || fstype !== "swap" || src === undefined || unescaped(source) === src;
}

const splitTable = (table: string): readonly string[] =>
  table === "" ? [] : table.replace(/\n$/, "").split("\n");
const joined = (lines: readonly string[]): string => (lines.length === 0 ? "" : `${lines.join("\n")}\n`);

/** The table as it stands when it says the same in other blanks. */
export function setEntry(table: string, key: EntryKey, wanted: string): string {
  const lines = splitTable(table);
  const at = lines.findIndex((line) => isOf(line, key));
  if (at === -1) return joined([...lines, wanted]);
  const [src, place, fstype, opts, dump = "0", passno = "0"] = fieldsOf(lines[at] ?? "");
  if ([src, place, fstype, opts, dump, passno].join(" ") === wanted) return table;
  return joined(lines.with(at, wanted));
}

/** Whether two tables name another source, or another kind of file system, for the path. */
export function differsInSource(before: string, after: string, key: EntryKey): boolean {
  const sourceIn = (table: string): string => {
    const [src, , fstype] = fieldsOf(splitTable(table).find((line) => isOf(line, key)) ?? "");
    return `${src} ${fstype}`;
  };
  const old = sourceIn(before);
  return old !== sourceIn("") && old !== sourceIn(after);
}

export function removeEntry(table: string, key: EntryKey): string {
  const lines = splitTable(table);
  const kept = lines.filter((line) => !isOf(line, key));
  return kept.length === lines.length ? table : joined(kept);
}

export const isMountedAt = (mounts: string, path: string): boolean =>
  mounts.split("\n").some((line) => unescaped(line.split(" ")[1] ?? "") === path);

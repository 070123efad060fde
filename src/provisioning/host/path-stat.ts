/** One line of `stat -c`, as GNU coreutils, busybox and toybox print it alike; and of `ls -l` where stat has no -c. */
import { decodeHostText } from "./host-text.ts";
import type { PathStat } from "./question.ts";
import { badAnswer } from "./sections.ts";

/** "/" parts the names of owner and group, which cannot hold one, from the path. */
export const statFormat = "%f %u %g %s %Y %X %Z %i %d %h/%U/%G/%n";

const line =
  /^([0-9a-f]+) (\d+) (\d+) (\d+) (-?\d+)\S* (-?\d+)\S* (-?\d+)\S* (\d+) (\d+) (\d+)\/([^/\n]*)\/([^/\n]*)\/(.*)$/s;

export function parseStat(text: string): { readonly name: string; readonly stat: PathStat } | undefined {
  const match = line.exec(text);
  if (!match) return undefined;
  const [, mode, uid, gid, size, mtime, atime, ctime, inode, device, nlink, owner, group, name] = match;
  const bits = Number.parseInt(mode ?? "", 16);
  const type = types[bits >> 12];
  if (type === undefined) return undefined;
  const stat: PathStat = {
    exists: true,
    type,
    mode: bits & 0o7777,
    uid: Number(uid),
    gid: Number(gid),
    owner: owner ?? "",
    group: group ?? "",
    size: Number(size),
    mtime: Number(mtime),
    atime: Number(atime),
    ctime: Number(ctime),
    inode: Number(inode),
    device: Number(device),
    nlink: Number(nlink),
  };
  return { name: name ?? "", stat };
}

/** The file type of st_mode, by its upper four bits. */
const types: Readonly<Record<number, PathStat["type"]>> = {
  1: "fifo",
  2: "char",
  4: "directory",
  6: "block",
  8: "file",
  10: "link",
  12: "socket",
};

const listed = /^\s*(\d+)\s+(\S{10})\S?\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)/;
const letters: Readonly<Record<string, PathStat["type"]>> = {
  p: "fifo",
  c: "char",
  d: "directory",
  b: "block",
  "-": "file",
  l: "link",
  s: "socket",
};

/** Name, NUL, `ls -din`, `ls -ld`, NUL, and so on. Times and device are not known there and are 0. */
export function parseListing(section: Uint8Array | undefined): [string, PathStat][] {
  if (section === undefined) return [];
  const parts = decodeHostText(section).split("\0");
  const found: [string, PathStat][] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const [numbers = "", names = ""] = (parts[i + 1] ?? "").split("\n");
    const match = listed.exec(numbers);
    const type = match && letters[match[2]?.[0] ?? ""];
    if (!match || !type) throw badAnswer(`"${numbers.slice(0, 200)}" is no line of ls`);
    const [, owner = "", group = ""] = /^\S+\s+\d+\s+(\S+)\s+(\S+)/.exec(names) ?? [];
    const numbersOf = { inode: Number(match[1]), nlink: Number(match[3]), size: Number(match[6]) };
    const times = { mtime: 0, atime: 0, ctime: 0, device: 0 };
    const who = { uid: Number(match[4]), gid: Number(match[5]), owner, group };
    found.push([
      parts[i] ?? "",
      { exists: true, type, mode: permissionBits(match[2] ?? ""), ...who, ...numbersOf, ...times },
    ]);
  }
  return found;
}

/** `rwsr-xr-t` to its bits. */
export function permissionBits(text: string): number {
  let bits = 0;
  for (let i = 0; i < 9; i++) {
    const letter = text[i + 1] ?? "-";
    if (letter !== "-" && letter !== "S" && letter !== "T") bits |= 0o400 >> i;
    if ("sStT".includes(letter)) bits |= 0o4000 >> Math.floor(i / 3);
  }
  return bits;
}

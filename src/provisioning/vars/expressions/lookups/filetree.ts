/** `with_filetree`: everything below folders of the controller, with what `file`, `copy` and `template` need to make it again. */
import { type Dirent, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { statPath } from "../../../../base/stat-path.ts";
import { expandUser } from "../filters/paths.ts";
import { expressionLimits } from "../limits.ts";
import type { Lookup } from "../lookups.ts";
import { str } from "../text.ts";
import { Fault, type Value } from "../value.ts";

const isFolder = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Of one relative path in several trees the first tree's counts. */
export const filetree: Lookup = (call) => {
  const found = new Map<string, Value>();
  for (const term of call.terms) {
    const root = rootOf(str(term), call.renderer.context.searchPath);
    if (root === undefined) throw new Fault(`there is no folder "${str(term)}"`);
    for (const path of pathsBelow(root)) if (!found.has(path)) found.set(path, entryOf(root, path));
    if (found.size > expressionLimits.lookupFiles)
      throw new Fault(`"${str(term)}" holds more than ${expressionLimits.lookupFiles} files`);
  }
  return [...found.values()];
};

function rootOf(name: string, searchPath: readonly string[]): string | undefined {
  const path = expandUser(name).replace(/(?<=.)\/+$/, "");
  if (isAbsolute(path)) return isFolder(path) ? path : undefined;
  return searchPath.flatMap((folder) => [join(folder, "files", path), join(folder, path)]).find(isFolder);
}

/** Folders before files, and both before what is in the folders. */
function pathsBelow(root: string, folder = ""): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  const named = (isWanted: (entry: Dirent) => boolean): string[] =>
    entries
      .filter(isWanted)
      .map(({ name }) => join(folder, name))
      .sort();
  const folders = named((entry) => entry.isDirectory());
  const files = named((entry) => !entry.isDirectory());
  return [...folders, ...files, ...folders.flatMap((inner) => pathsBelow(root, inner))];
}

function entryOf(root: string, path: string): Value {
  const full = join(root, path);
  const stats = lstatSync(full);
  const state = stats.isDirectory() ? "directory" : stats.isSymbolicLink() ? "link" : "file";
  return {
    root,
    path,
    state,
    ...(state === "link" ? { src: readlinkSync(full) } : state === "file" ? { src: full } : {}),
    mode: `0${(stats.mode & 0o7777).toString(8)}`,
    uid: stats.uid,
    gid: stats.gid,
    owner: nameOf("/etc/passwd", stats.uid),
    group: nameOf("/etc/group", stats.gid),
    size: stats.size,
    mtime: stats.mtimeMs / 1000,
    ctime: stats.ctimeMs / 1000,
  };
}

/** The controller's name for a number; the number itself where it has none. */
function nameOf(table: "/etc/passwd" | "/etc/group", id: number): string {
  if (statPath(table) === undefined) return String(id);
  const line = readFileSync(table, "utf8")
    .split("\n")
    .find((each) => each.split(":")[2] === String(id));
  return line?.split(":")[0] ?? String(id);
}

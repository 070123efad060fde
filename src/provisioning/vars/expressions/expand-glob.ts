/** Files of the controller that a shell pattern names, in order of name. */
import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Patterns stand in the last part, as with Ansible's fileglob; folders before it are taken as they are. */
export function expandGlob(pattern: string): string[] {
  const folder = dirname(pattern);
  const matches = globPattern(basename(pattern));
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    // A folder that is not there holds no files.
    return [];
  }
  return names
    .filter((name) => matches.test(name))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}

export function globPattern(pattern: string): RegExp {
  const body = pattern.replace(/\[!?[^\]]+\]|[\s\S]/g, (part) => {
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (part.length > 1) return part.replace(/^\[!/, "[^").replaceAll("\\", "\\\\");
    return part.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
  });
  return new RegExp(`^${pattern.startsWith(".") ? "" : "(?!\\.)"}${body}$`, "s");
}

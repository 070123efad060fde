/** Paths of the host as tasks write them: ~ stands for the home of the user who acts. */
import { posix } from "node:path";
import type { ModuleContext } from "./module.ts";

export function hostPath(path: string, context: ModuleContext): string {
  const below = /^(?:~|\$HOME)(?:\/|$)/.exec(path);
  // Where no home is spoken of, it need not be known.
  return below === null ? path : posix.join(context.facts.base.home, path.slice(below[0].length));
}

/** The folders above a path, outermost first, without the root. */
export function foldersAbove(path: string): readonly string[] {
  const parent = posix.dirname(path);
  if (parent === "/" || parent === "." || parent === path) return [];
  return [...foldersAbove(parent), parent];
}

export const baseName = (path: string): string => posix.basename(path);
export const folderOf = (path: string): string => posix.dirname(path);
export const joinPath = (...parts: readonly string[]): string => posix.join(...parts);

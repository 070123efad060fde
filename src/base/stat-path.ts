import { type Stats, statSync } from "node:fs";

const noSuchPath: ReadonlySet<string> = new Set(["ENAMETOOLONG", "ELOOP", "ERR_INVALID_ARG_VALUE"]);

/** Undefined where nothing stands, and where nothing can stand: a path that is too long, or with a NUL in it. */
export function statPath(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && noSuchPath.has(String(error.code))) return undefined;
    throw error;
  }
}

/** Files of `provision vault`: read whole, replaced whole or not at all, with their mode and owner kept. */

import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import { fileFix } from "../base/file-fix.ts";

export function readFileBytes(name: string, cwd: string): Uint8Array {
  try {
    return readFileSync(resolve(cwd, name));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const state = code === "ENOENT" ? "it does not exist" : `it cannot be read (${code})`;
    const path = resolve(cwd, name);
    const isMissing = code === "ENOENT";
    throw new ProvisionError({
      code: "missing-file",
      action: `read "${name}"`,
      state,
      why: isMissing ? `looked for ${path}` : undefined,
      fix: isMissing ? fileFix(name, [path]) : undefined,
      cause: isMissing ? undefined : cause,
    });
  }
}

/** Written beside the target and renamed over it. A new file is 0600; ciphertext or plaintext, no other copy is left. */
export function replaceFile(
  name: string,
  content: string | Uint8Array,
  options: { cwd: string; mode?: number },
): void {
  const given = resolve(options.cwd, name);
  const known = statSync(given, { throwIfNoEntry: false });
  const path = known === undefined ? given : realpathSync(given);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    const file = openSync(temporary, "wx", 0o600);
    try {
      writeSync(file, Buffer.from(content));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (known !== undefined && process.getuid?.() === 0) chownSync(temporary, known.uid, known.gid);
    chmodSync(temporary, options.mode ?? (known === undefined ? 0o600 : known.mode & 0o7777));
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    const { code } = cause as NodeJS.ErrnoException;
    throw new ProvisionError({
      code: "missing-file",
      action: `write "${name}"`,
      state: `it cannot be written (${code})`,
      cause,
    });
  }
}

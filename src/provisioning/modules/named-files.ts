/** Several small files in one answer: a line with a file's name and one with its size, then its bytes. */
import type { Fragment } from "./module.ts";

/** For a shell in which `f` is the file's name. */
export const printNamedFileSh = `printf '%s\\n%s\\n' "$f" "$(wc -c <"$f")"; cat -- "$f"`;

export function readNamedFiles(bytes: Uint8Array): readonly Fragment[] {
  const files: Fragment[] = [];
  let at = 0;
  const line = (): string => {
    const end = bytes.indexOf(10, at);
    const text = new TextDecoder().decode(bytes.subarray(at, end));
    at = end + 1;
    return text;
  };
  while (at < bytes.length) {
    const name = line();
    const size = Number(line());
    files.push({ name, bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  return files;
}

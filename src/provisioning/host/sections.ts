/**
 * How one script answers many questions on one stdout: a line with a nonce opens it, each section starts with a
 * newline, the nonce and the section's name. Bodies may hold any bytes: nobody can have written the nonce before.
 */
import { ProvisionError } from "../../base/errors.ts";

export interface Sections {
  readonly nonce: string;
  /** The body of the section, or undefined when the script did not print it. */
  get(name: string): Buffer | undefined;
  /** Sections `${prefix} …` as [rest, body]. */
  startingWith(prefix: string): readonly (readonly [string, Buffer])[];
}

export const badAnswer = (state: string, cause?: unknown): ProvisionError =>
  new ProvisionError({
    code: "bad-answer",
    action: "read the host's answers",
    state,
    why: "a POSIX sh with the usual small tools answers in a fixed form",
    cause,
  });

/** Splits `stream` at the markers of `nonce`; what stands before the first one is dropped. */
export function splitSections(stream: Uint8Array, nonce: string): Sections {
  const bytes = asBuffer(stream);
  const marker = Buffer.from(`\n${nonce} `);
  const found = new Map<string, Buffer>();
  let at = bytes.indexOf(marker);
  while (at !== -1) {
    const nameEnd = bytes.indexOf(10, at + marker.length);
    if (nameEnd === -1) break;
    const next = bytes.indexOf(marker, nameEnd);
    const name = bytes.toString("latin1", at + marker.length, nameEnd);
    found.set(name, bytes.subarray(nameEnd + 1, next === -1 ? bytes.length : next));
    at = next;
  }
  return {
    nonce,
    get: (name) => found.get(name),
    startingWith: (prefix) =>
      [...found]
        .filter(([name]) => name.startsWith(`${prefix} `))
        .map(([name, body]) => [name.slice(prefix.length + 1), body] as const),
  };
}

/** The nonce that opens a script's output. */
export function nonceOf(stdout: Uint8Array): string {
  const bytes = asBuffer(stdout);
  const end = bytes.indexOf(10);
  const first = bytes.toString("latin1", 0, end === -1 ? 0 : Math.min(end, 64));
  if (!/^[0-9a-f]{16,64}$/.test(first)) throw badAnswer("the output does not open with its mark");
  return first;
}

export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Defines `m NAME`, which opens a section; LC_ALL=C because error texts and sort orders are read. */
export const sectionPrologue = (nonce: string): string =>
  `LC_ALL=C; export LC_ALL; N=${nonce}; m() { printf '\\n%s %s\\n' "$N" "$*"; }; printf '%s\\n' "$N"\n`;

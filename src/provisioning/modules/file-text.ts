/** File contents as text and back, byte for byte, and as something that a diff can show. */
import { bytesOf } from "./answers.ts";

export interface FileText {
  readonly text: string;
  readonly encoding: "utf-8" | "latin1";
}

/** UTF-8 where the bytes are; else each byte is one character, so that nothing is lost on the way back. */
export function decodeFile(bytes: Uint8Array, given?: FileText["encoding"]): FileText {
  try {
    if (given === "latin1") return { text: Buffer.from(bytes).toString("latin1"), encoding: "latin1" };
    return {
      text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
      encoding: "utf-8",
    };
  } catch {
    return { text: Buffer.from(bytes).toString("latin1"), encoding: "latin1" };
  }
}

/** Undefined when a character does not fit the file's encoding. */
export function encodeFile({ text, encoding }: FileText): Uint8Array | undefined {
  if (encoding === "utf-8") return bytesOf(text);
  if ([...text].some((char) => (char.codePointAt(0) ?? 0) > 0xff)) return undefined;
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

const diffLimitBytes = 200_000;

/** Contents for a diff: the text, or a note where a text would not help. */
export function shownContent(bytes: Uint8Array): string {
  if (bytes.includes(0)) return `(binary, ${bytes.length} bytes)\n`;
  if (bytes.length > diffLimitBytes) return `(too long to show: ${bytes.length} bytes)\n`;
  return decodeFile(bytes).text;
}

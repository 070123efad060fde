import { ProvisionError, type Span } from "../../base/errors.ts";
import { SourceText } from "./source-text.ts";

/** Opens vault text; given by vars/vault, so that readers need not know passwords. Throws ProvisionError. */
export type DecryptText = (text: string, span: Span) => string;

export const isVaultText = (text: string): boolean => text.startsWith("$ANSIBLE_VAULT");

/** A file's bytes as text, or an error that names the first bad line. */
export function readableText(bytes: Uint8Array, file: string): string {
  const text = utf8(bytes);
  const nul = text?.indexOf("\0") ?? -1;
  if (text !== undefined && nul < 0) return text;
  if (text !== undefined) {
    throw new ProvisionError({
      code: "bad-yaml",
      action: `read "${file}"`,
      state: "it holds a NUL byte: it is no text",
      span: new SourceText(text, file).span(nul),
    });
  }
  const lines = Buffer.from(bytes).toString("utf8").split("\n");
  const line = lines.findIndex((text) => text.includes("\ufffd"));
  throw new ProvisionError({
    code: "bad-yaml",
    action: `read "${file}"`,
    state: "it is no UTF-8 text",
    span: { file, line: line + 1, column: (lines[line]?.indexOf("\ufffd") ?? 0) + 1 },
    fix: `iconv -f latin1 -t utf-8 ${file}`,
  });
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof TypeError) return undefined;
    throw cause;
  }
}

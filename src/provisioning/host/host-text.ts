/**
 * Text from and for a host. A POSIX path is bytes; a string of ours is UTF-16. A byte that is no UTF-8 becomes the
 * lone surrogate U+DC80…U+DCFF (Python's surrogateescape) and goes back to the same byte.
 */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function decodeHostText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

export function encodeHostText(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text, "utf8");
  const parts: Buffer[] = [];
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc80 || unit > 0xdcff || isPaired(text, i)) continue;
    parts.push(Buffer.from(text.slice(from, i), "utf8"), Buffer.of(unit - 0xdc00));
    from = i + 1;
  }
  parts.push(Buffer.from(text.slice(from), "utf8"));
  return Buffer.concat(parts);
}

const isPaired = (text: string, i: number): boolean => {
  const before = text.charCodeAt(i - 1);
  return before >= 0xd800 && before <= 0xdbff;
};

/** Takes the longest valid UTF-8 sequences and escapes the bytes between them. */
function decodeEscaped(bytes: Uint8Array): string {
  let text = "";
  let i = 0;
  while (i < bytes.length) {
    const length = validSequenceLength(bytes, i);
    if (length === 0) text += String.fromCharCode(0xdc00 + (bytes[i] ?? 0));
    else text += decoder.decode(bytes.subarray(i, i + length));
    i += Math.max(length, 1);
  }
  return text;
}

function validSequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    decoder.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}

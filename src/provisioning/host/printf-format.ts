/** Bytes as sh can write them without a program: its builtin printf, whose format holds all but NUL as they are. */
const quote = 0x27;
const backslash = 0x5c;
const percent = 0x25;
const dash = 0x2d;
const escapes: Readonly<Record<number, string>> = {
  [quote]: `'\\''`,
  [backslash]: "\\\\",
  [percent]: "%%",
  0: "\\000",
};

/** Any bytes as one quoted word that the builtin printf turns back into them. */
export function printfFormat(bytes: Uint8Array): Buffer {
  const parts: Buffer[] = [Buffer.from("'")];
  const raw = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  if (raw[0] === dash) {
    parts.push(Buffer.from("\\055"));
    from = 1;
  }
  for (let i = from; i < raw.length; i++) {
    const escaped = escapes[raw[i] ?? -1];
    if (escaped === undefined) continue;
    parts.push(raw.subarray(from, i), Buffer.from(escaped));
    from = i + 1;
  }
  parts.push(raw.subarray(from), Buffer.from("'"));
  return Buffer.concat(parts);
}

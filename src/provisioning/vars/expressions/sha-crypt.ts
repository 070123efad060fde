/** The password hashes $5$ and $6$ of /etc/shadow, after Ulrich Drepper's specification. */
import { createHash } from "node:crypto";

export interface ShaCryptOptions {
  readonly algorithm: "sha256" | "sha512";
  readonly password: string;
  readonly salt: string;
  readonly rounds: number;
}
const usualRounds = 5000;
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

export function shaCrypt({ algorithm, password, salt, rounds: wanted }: ShaCryptOptions): string {
  const rounds = Math.max(1000, Math.min(999_999_999, wanted));
  const key = Buffer.from(password, "utf8");
  const saltBytes = Buffer.from(salt, "utf8");
  const sum = (...parts: readonly Uint8Array[]): Buffer => {
    const hash = createHash(algorithm);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
  const size = algorithm === "sha512" ? 64 : 32;
  const stretched = (block: Buffer, length: number): Buffer =>
    Buffer.concat(Array.from({ length: Math.ceil(length / size) }, () => block)).subarray(0, length);

  const b = sum(key, saltBytes, key);
  const parts: Uint8Array[] = [key, saltBytes, stretched(b, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? b : key);
  const a = sum(...parts);
  const p = stretched(sum(...Array.from({ length: key.length }, () => key)), key.length);
  const s = stretched(sum(...Array.from({ length: 16 + (a[0] ?? 0) }, () => saltBytes)), saltBytes.length);

  let c = a;
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    const pieces: Uint8Array[] = [odd ? p : c];
    if (round % 3 !== 0) pieces.push(s);
    if (round % 7 !== 0) pieces.push(p);
    pieces.push(odd ? c : p);
    c = sum(...pieces);
  }
  const prefix = algorithm === "sha512" ? "$6$" : "$5$";
  const shown = rounds === usualRounds ? "" : `rounds=${rounds}$`;
  return `${prefix}${shown}${salt}$${algorithm === "sha512" ? encode512(c) : encode256(c)}`;
}

function encodeThree(
  bytes: Buffer,
  [x, y, z]: readonly [number, number, number],
  characters: number,
): string {
  let value = ((bytes[x] ?? 0) << 16) | ((bytes[y] ?? 0) << 8) | (bytes[z] ?? 0);
  let text = "";
  for (let index = 0; index < characters; index++) {
    text += alphabet[value & 0x3f] ?? "";
    value >>= 6;
  }
  return text;
}
/** The order of bytes is the specification's: each triple takes one byte from every third of the digest, turning. */
function encode512(bytes: Buffer): string {
  let text = "";
  for (let index = 0; index < 21; index++) {
    const triple: [number, number, number] = [index, index + 21, index + 42];
    for (let turn = 0; turn < index % 3; turn++) triple.push(triple.shift() ?? 0);
    text += encodeThree(bytes, triple, 4);
  }
  const last = bytes[63] ?? 0;
  return text + (alphabet[last & 0x3f] ?? "") + (alphabet[last >> 6] ?? "");
}
function encode256(bytes: Buffer): string {
  let text = "";
  for (let index = 0; index < 10; index++) {
    const triple: [number, number, number] = [index, index + 10, index + 20];
    for (let turn = 0; turn < (3 - (index % 3)) % 3; turn++) triple.push(triple.shift() ?? 0);
    text += encodeThree(bytes, triple, 4);
  }
  const value = ((bytes[31] ?? 0) << 8) | (bytes[30] ?? 0);
  return text + [0, 6, 12].map((shift) => alphabet[(value >> shift) & 0x3f] ?? "").join("");
}

/** The fingerprint of an OpenPGP key, so that a key that was fetched by its fingerprint is known to be that key. */
import { createHash } from "node:crypto";
import { textOf } from "./answers.ts";

const armour =
  /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+\r?\n)*\r?\n([A-Za-z0-9+/=\s]+?)(?:=[A-Za-z0-9+/]{4}\s*)?-----END/;

/** Of the first key in it, in capitals; undefined when it is none of version 4. */
export function keyFingerprint(bytes: Uint8Array): string | undefined {
  const inArmour = armour.exec(textOf(bytes))?.[1];
  const body = publicKeyBody(inArmour === undefined ? bytes : Buffer.from(inArmour, "base64"));
  if (body?.[0] !== 4) return undefined;
  const prefix = Buffer.from([0x99, body.length >> 8, body.length & 0xff]);
  return createHash("sha1").update(prefix).update(body).digest("hex").toUpperCase();
}

const publicKeyTag = 6;

/** The first packet, whose header is of the old or of the new format (RFC 4880, 4.2). */
function publicKeyBody(packet: Uint8Array): Uint8Array | undefined {
  const [head = 0, first = 0, second = 0] = packet;
  const isNew = (head & 0x40) !== 0;
  const tag = isNew ? head & 0x3f : (head >> 2) & 0x0f;
  if ((head & 0x80) === 0 || tag !== publicKeyTag) return undefined;
  const isTwoBytes = isNew ? first >= 192 && first < 224 : (head & 3) === 1;
  const isOneByte = isNew ? first < 192 : (head & 3) === 0;
  if (!isTwoBytes && !isOneByte) return undefined;
  const start = isTwoBytes ? 3 : 2;
  const long = isNew ? ((first - 192) << 8) + second + 192 : (first << 8) + second;
  const body = packet.subarray(start, start + (isTwoBytes ? long : first));
  return body.length === (isTwoBytes ? long : first) ? body : undefined;
}

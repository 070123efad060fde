import { createHash } from "node:crypto";

export type DigestAlgorithm = "md5" | "sha1" | "sha224" | "sha256" | "sha384" | "sha512";

export const digestOf = (bytes: Uint8Array | string, algorithm: DigestAlgorithm): string =>
  createHash(algorithm).update(bytes).digest("hex");

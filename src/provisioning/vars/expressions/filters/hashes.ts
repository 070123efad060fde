/** Digests, password hashes and UUIDs. */
import { createHash, getHashes } from "node:crypto";
import { expressionLimits } from "../limits.ts";
import { asText, type Filter, type Invocation, parameters, textOf, wholeOf } from "../runtime.ts";
import { shaCrypt } from "../sha-crypt.ts";
import { Fault } from "../value.ts";

const digest = (algorithm: string, text: string): string =>
  createHash(algorithm).update(text, "utf8").digest("hex");

/** The namespace that Ansible's to_uuid starts from. */
const ansibleNamespace = "361E6D51-FAEC-444A-9079-341386DA8E2E";

const toUuid: Filter = (input, call) => {
  const [namespace] = parameters(call, ["namespace"]);
  const space = Buffer.from(textOf(namespace, ansibleNamespace).replaceAll("-", ""), "hex");
  if (space.length !== 16) throw new Fault("to_uuid wants a UUID as its namespace");
  const hash = createHash("sha1").update(space).update(asText(input), "utf8").digest().subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
};

const saltCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";
export const randomText = (call: Invocation, length: number, characters: string): string =>
  Array.from({ length }, () => characters[Math.floor(call.runtime.random() * characters.length)] ?? "").join(
    "",
  );

const passwordHash: Filter = (input, call) => {
  const [type, salt, size, rounds, ident] = parameters(call, [
    "hashtype",
    "salt",
    "salt_size",
    "rounds",
    "ident",
  ]);
  if (ident !== undefined && ident !== null)
    throw new Fault("password_hash takes ident for bcrypt only, which it does not know");
  const name = textOf(type, "sha512").replace(/_crypt$/, "");
  if (name !== "sha512" && name !== "sha256")
    throw new Fault(`password_hash knows sha512 and sha256, not "${name}"`);
  const chosen = textOf(salt, "") || randomText(call, wholeOf(size, 16), saltCharacters);
  if (!/^[A-Za-z0-9./]{1,16}$/.test(chosen))
    throw new Fault("a salt has 1 to 16 letters, digits, points or slashes");
  // Without a number Ansible writes the rounds that passlib takes as its own: 656000 and 535000.
  const usual = name === "sha512" ? 656_000 : 535_000;
  const count = wholeOf(rounds, usual);
  if (count > expressionLimits.hashRounds)
    throw new Fault(`password_hash goes at most ${expressionLimits.hashRounds} rounds`);
  return shaCrypt({ algorithm: name, password: asText(input), salt: chosen, rounds: count });
};

const pythonNames: Readonly<Record<string, string>> = {
  blake2b: "blake2b512",
  blake2s: "blake2s256",
  sha3_224: "sha3-224",
  sha3_256: "sha3-256",
  sha3_384: "sha3-384",
  sha3_512: "sha3-512",
};
export const hashFilters: Readonly<Record<string, Filter>> = {
  md5: (input) => digest("md5", asText(input)),
  sha1: (input) => digest("sha1", asText(input)),
  checksum: (input) => digest("sha1", asText(input)),
  hash: (input, call) => {
    const [type] = parameters(call, ["hashtype"]);
    const name = textOf(type, "sha1");
    const algorithm = pythonNames[name] ?? name;
    if (!getHashes().includes(algorithm)) throw new Fault(`there is no hash "${name}"`);
    return digest(algorithm, asText(input));
  },
  password_hash: passwordHash,
  to_uuid: toUuid,
};

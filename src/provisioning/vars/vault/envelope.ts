/** The text form of a vault: `$ANSIBLE_VAULT;1.1;AES256` or `1.2` with an id, then hexadecimal lines of 80. */
import { ProvisionError, type Span } from "../../../base/errors.ts";

export interface Envelope {
  /** "default" where none is named. */
  readonly id: string;
  readonly salt: Buffer;
  readonly hmac: Buffer;
  readonly ciphertext: Buffer;
}
export const defaultVaultId = "default";
const headerPattern = /^\$ANSIBLE_VAULT;(1\.1|1\.2);(\w+)(?:;([^\s;]+))?\s*$/;

export const isVaultText = (text: string): boolean => text.startsWith("$ANSIBLE_VAULT;");

export function formatEnvelope({ id, salt, hmac, ciphertext }: Envelope): string {
  const header = id === defaultVaultId ? "$ANSIBLE_VAULT;1.1;AES256" : `$ANSIBLE_VAULT;1.2;AES256;${id}`;
  const inner = [salt, hmac, ciphertext].map((part) => part.toString("hex")).join("\n");
  const lines =
    Buffer.from(inner, "latin1")
      .toString("hex")
      .match(/.{1,80}/g) ?? [];
  return `${[header, ...lines].join("\n")}\n`;
}

export function parseEnvelope(text: string, span?: Span): Envelope {
  const [first = "", ...lines] = text.trim().split(/\r?\n/);
  const header = headerPattern.exec(first.trim());
  if (header === null) throw badVault(firstLine(first), span);
  const [, , cipher, id] = header;
  if (cipher !== "AES256") throw badVault(`its cipher is "${cipher}", and only AES256 is known`, span);
  const inner = unhex(lines.map((line) => line.trim()).join(""), span).toString("latin1");
  const [salt, hmac, ciphertext, ...more] = inner.split("\n").map((part) => unhex(part, span));
  if (salt === undefined || hmac === undefined || ciphertext === undefined || more.length > 0)
    throw badVault("it does not hold a salt, a checksum and a ciphertext", span);
  return { id: id ?? defaultVaultId, salt, hmac, ciphertext };
}

/** What was never encrypted is not shown: it was meant to be secret. */
const firstLine = (first: string): string =>
  isVaultText(first) ? `its first line is ${JSON.stringify(first.slice(0, 60))}` : "it is not encrypted";

function unhex(text: string, span: Span | undefined): Buffer {
  if (text === "" || text.length % 2 !== 0 || !/^[\da-fA-F]*$/.test(text))
    throw badVault("it is cut off or was changed: a hexadecimal line is wrong", span);
  return Buffer.from(text, "hex");
}

function badVault(state: string, span: Span | undefined): ProvisionError {
  return new ProvisionError({
    code: "bad-vault",
    action: "read the vault text",
    state,
    span,
    why: "it begins with $ANSIBLE_VAULT;1.1;AES256 (or 1.2 with an id), hexadecimal lines follow",
    fix: "copy the whole text anew, or make one: provision vault encrypt-string",
  });
}

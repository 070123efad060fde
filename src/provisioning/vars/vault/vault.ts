/**
 * Encrypted values and files, as `ansible-vault` makes and reads them: PBKDF2-SHA256 makes two keys and a counter of
 * the password, AES-256-CTR hides the text, HMAC-SHA256 guards it. A Vault holds the passwords of one run, tries the
 * one whose id the text names first, and remembers what it opened so that output can be masked. Where passwords come
 * from is `password-source.ts`; nothing here asks or prints.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  pbkdf2Sync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { ProvisionError, type Span } from "../../../base/errors.ts";
import { defaultVaultId, type Envelope, formatEnvelope, parseEnvelope } from "./envelope.ts";

export interface VaultSecret {
  readonly id: string;
  /** Read when first needed: running a password script costs time. */
  password(): Uint8Array;
}

const iterations = 10_000;
const keyBytes = 32;
const counterBytes = 16;
const saltBytes = 32;

interface Keys {
  readonly cipher: Buffer;
  readonly hmac: Buffer;
  readonly counter: Buffer;
}

/** 10,000 rounds take 10 ms: values encrypted with one salt are rare, but files are read again and again. */
const maxKeptKeys = 200;
const keptKeys = new Map<string, Keys>();

function deriveKeys(password: Uint8Array, salt: Uint8Array): Keys {
  const name = createHash("sha256").update(salt).update(password).digest("hex");
  const known = keptKeys.get(name);
  if (known !== undefined) return known;
  const bytes = pbkdf2Sync(password, salt, iterations, 2 * keyBytes + counterBytes, "sha256");
  const keys = {
    cipher: bytes.subarray(0, keyBytes),
    hmac: bytes.subarray(keyBytes, 2 * keyBytes),
    counter: bytes.subarray(2 * keyBytes),
  };
  if (keptKeys.size >= maxKeptKeys) keptKeys.clear();
  keptKeys.set(name, keys);
  return keys;
}

export function encryptVault(
  plaintext: Uint8Array,
  secret: VaultSecret,
  salt = randomBytes(saltBytes),
): string {
  const keys = deriveKeys(secret.password(), salt);
  const cipher = createCipheriv("aes-256-ctr", keys.cipher, keys.counter);
  const ciphertext = Buffer.concat([cipher.update(padded(plaintext)), cipher.final()]);
  const hmac = createHmac("sha256", keys.hmac).update(ciphertext).digest();
  return formatEnvelope({ id: secret.id, salt, hmac, ciphertext });
}

/** The plaintext, or undefined when the password is another. */
export function decryptEnvelope(envelope: Envelope, password: Uint8Array): Buffer | undefined {
  const keys = deriveKeys(password, envelope.salt);
  const hmac = createHmac("sha256", keys.hmac).update(envelope.ciphertext).digest();
  if (hmac.length !== envelope.hmac.length || !timingSafeEqual(hmac, envelope.hmac)) return undefined;
  const decipher = createDecipheriv("aes-256-ctr", keys.cipher, keys.counter);
  return unpadded(Buffer.concat([decipher.update(envelope.ciphertext), decipher.final()]));
}

const blockBytes = 16;
function padded(plaintext: Uint8Array): Buffer {
  const count = blockBytes - (plaintext.length % blockBytes);
  return Buffer.concat([plaintext, Buffer.alloc(count, count)]);
}
const unpadded = (bytes: Buffer): Buffer => bytes.subarray(0, bytes.length - (bytes.at(-1) ?? 0));

export interface OpenedVault {
  readonly plaintext: Buffer;
  readonly secret: VaultSecret;
}

export class Vault {
  readonly #secrets: readonly VaultSecret[];
  readonly #opened = new Map<string, OpenedVault>();
  readonly #plaintexts = new Set<string>();
  constructor(secrets: readonly VaultSecret[]) {
    this.#secrets = secrets;
  }

  /** Secrets opened so far, for masking: values, and of files the values on their lines. */
  get plaintexts(): ReadonlySet<string> {
    return this.#plaintexts;
  }
  get secrets(): readonly VaultSecret[] {
    return this.#secrets;
  }

  open(text: string, span?: Span): OpenedVault {
    const key = text.trim();
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const opened = this.#try(parseEnvelope(text, span), span);
    this.#opened.set(key, opened);
    return opened;
  }

  /** As UTF-8 text, remembered for masking. */
  openText(text: string, span?: Span): string {
    const found = this.open(text, span).plaintext.toString("utf8");
    for (const secret of secretsIn(found)) this.#plaintexts.add(secret);
    return found;
  }

  /** A file that is sent, of whatever bytes: short text is remembered for masking, as a whole and by its long lines. */
  openFile(text: string, span?: Span): Buffer {
    const { plaintext } = this.open(text, span);
    if (plaintext.length <= maskedFileBytes && !plaintext.includes(0))
      this.#plaintexts.add(plaintext.toString("utf8").trim());
    return plaintext;
  }

  #try(envelope: Envelope, span: Span | undefined): OpenedVault {
    const named = this.#secrets.filter(({ id }) => id === envelope.id);
    const others = this.#secrets.filter(({ id }) => id !== envelope.id);
    for (const secret of [...named, ...others]) {
      const plaintext = decryptEnvelope(envelope, secret.password());
      if (plaintext !== undefined) return { plaintext, secret };
    }
    throw locked(envelope.id, this.#secrets, span);
  }
}

/** Keys and certificates are shorter; looking for every line of more would cost more than it guards. */
const maskedFileBytes = 65_536;

/** Shorter words would mask half of the output. */
const leastSecretLength = 4;

/** A value whole; of YAML the scalars of each line. Words like true are no secrets, templates are not values yet. */
function secretsIn(plaintext: string): string[] {
  const lines = plaintext.split("\n").map((line) => line.replace(/^\s*(?:- )?(?:[\w."'-]+:\s+)?/, "").trim());
  const values = lines.map((line) => line.replace(/^(['"])(.*)\1$/, "$2"));
  return [plaintext.trim(), ...values].filter(
    (value) =>
      value.length >= leastSecretLength && !/^(?:true|false|null|none|---|#.*|.*:|.*\{\{.*)$/i.test(value),
  );
}

function locked(id: string, secrets: readonly VaultSecret[], span: Span | undefined): ProvisionError {
  const given = secrets.map((secret) => `"${secret.id}"`).join(", ");
  const state =
    secrets.length === 0 ? "no vault password was given" : `none of the passwords given opens it (${given})`;
  const option = id === defaultVaultId ? "--vault-password-file FILE" : `--vault-id ${id}@FILE`;
  return new ProvisionError({
    code: "vault-locked",
    action: "open a vault",
    state,
    span,
    why: id === defaultVaultId ? "it is encrypted under no id" : `it is encrypted under the id "${id}"`,
    fix: secrets.length === 0 ? option : `${option}, with the password it was encrypted with`,
  });
}

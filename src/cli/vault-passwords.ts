/** The vault options: where passwords come from. A prompt is asked at once; files and programs are read when needed. */
import type { Span } from "../base/errors.ts";
import type { OpenVaultFile } from "../provisioning/engine/run-request.ts";
import type { DecryptText } from "../provisioning/source/decrypt.ts";
import type { OpenVault } from "../provisioning/vars/render-context.ts";
import { defaultVaultId } from "../provisioning/vars/vault/envelope.ts";
import { parseVaultId, readSecret, type VaultSource } from "../provisioning/vars/vault/password-source.ts";
import { Vault } from "../provisioning/vars/vault/vault.ts";
import type { AnsibleConfig } from "./ansible-config.ts";
import type { CliIo } from "./io.ts";
import type { ParsedOptions } from "./parse-options.ts";

export interface Vaults {
  readonly open: OpenVault;
  readonly openFile: OpenVaultFile;
  readonly decrypt: { readonly decrypt: DecryptText };
  /** Plaintexts opened so far: masked in all output. */
  readonly secrets: ReadonlySet<string>;
}

/** Without any password all of them refuse, and say which one is wanted. */
export async function openVaults(options: ParsedOptions, io: CliIo, config: AnsibleConfig): Promise<Vaults> {
  const vault = await readVault(vaultSources(options, config), io);
  const open = (text: string, span?: Span): string => vault.openText(text, span);
  const openFile = (text: string, span: Span): Uint8Array => vault.openFile(text, span);
  return { open, openFile, decrypt: { decrypt: open }, secrets: vault.plaintexts };
}

/** In the order in which they are tried: ids, files, a prompt, then the environment's or the configuration's ids or file. */
export function vaultSources(options: ParsedOptions, config: AnsibleConfig): readonly VaultSource[] {
  const file = (source: string): VaultSource => ({ id: defaultVaultId, source });
  const given = [
    ...options.all("vault-id").map(parseVaultId),
    ...options.all("vault-password-file").map(file),
    ...(options.has("ask-vault-pass") || config.askVaultPass ? [file("prompt")] : []),
    ...config.vaultIds.map(parseVaultId),
  ];
  if (given.length > 0 || config.vaultPasswordFile === undefined) return given;
  return [file(config.vaultPasswordFile)];
}

const otherwise = "give the password by --vault-password-file FILE: a file, or a program that prints it";

export async function readVault(sources: readonly VaultSource[], io: CliIo, confirm = false): Promise<Vault> {
  const secrets = [];
  for (const source of sources) {
    const ask = (question: string): Promise<string> => io.prompt(question, { hidden: true, otherwise });
    secrets.push(await readSecret(source, { cwd: io.cwd, home: io.env["HOME"], ask, confirm }));
  }
  return new Vault(secrets);
}

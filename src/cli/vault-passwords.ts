/** The vault options: where passwords come from. Opened lazily, when something encrypted is met. */

import type { AnsibleConfig } from "./ansible-config.ts";
import type { CliIo } from "./io.ts";
import type { ParsedOptions } from "./parse-options.ts";

export interface Vaults {
  readonly open?: (ciphertext: string) => string;
  readonly decrypt: { readonly decrypt?: (text: string) => string };
  /** Plaintexts opened so far: masked in all output. */
  readonly secrets: ReadonlySet<string>;
}

export async function openVaults(
  _options: ParsedOptions,
  _io: CliIo,
  _config: AnsibleConfig,
): Promise<Vaults> {
  return { decrypt: {}, secrets: new Set() };
}

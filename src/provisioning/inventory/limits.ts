export const limits = {
  /** One file or script may name that many hosts; `[0:99999999]` is a slip of the finger. */
  hosts: 50_000,
  /** Of one INI line: nobody reads a longer one. */
  lineLength: 100_000,
  /** Mistakes of one file that are gathered before reading stops. */
  errors: 100,
  /** An executable inventory that says nothing for so long is ended. */
  scriptTimeoutMs: 60_000,
  scriptOutputBytes: 64_000_000,
  /** Folders inside an inventory folder, or inside group_vars/NAME/. */
  folderDepth: 16,
} as const;

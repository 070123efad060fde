/** The one place where a value becomes a word of a POSIX sh command. */
export const shellQuote = (word: string): string =>
  word !== "" && /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

export const shellWords = (argv: readonly string[]): string => argv.map(shellQuote).join(" ");

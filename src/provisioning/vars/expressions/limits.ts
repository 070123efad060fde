/** What one expression or template may cost. Beyond it is a mistake or an attack, and an error that says so. */
export const expressionLimits = {
  /** Characters of one rendered text, of one repeated or padded string. */
  outputChars: 8 * 1024 * 1024,
  /** Items of one range() or one repeated list. */
  listItems: 1_000_000,
  /** Rounds of loops, calls of macros and the like, of one rendering together. */
  work: 2_000_000,
  /** Rounds of a password hash. */
  hashRounds: 5_000_000,
  /** Templates in lazy variables in templates, macros in macros. */
  callDepth: 100,
  /** Bits of a whole number. */
  integerBits: 16_384,
  /** Digits of a text that is read as a whole number, as in Python. */
  integerDigits: 4300,
  /** Seconds that lookup("pipe") waits for its command. */
  pipeTimeoutMs: 60_000,
  /** Bytes that a lookup may read of one file or command. */
  lookupBytes: 64 * 1024 * 1024,
  /** Files that one lookup may name. */
  lookupFiles: 100_000,
  /** Combinations, permutations, products of lists. */
  combinations: 1_000_000,
} as const;

/** What one source text may cost. Beyond these a file is refused: nobody wrote it by hand. */
export const limits = {
  /** YAML needs some 100 bytes of memory for each byte of text. */
  textBytes: 2_000_000,
  /** Lists and maps inside each other, brackets included. */
  nestingDepth: 100,
  /** Values of one file, counted once for each alias that repeats them: "billion laughs" stops here. */
  expandedNodes: 500_000,
} as const;

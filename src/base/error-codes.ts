/** Every code an error may carry; each has a golden test of its whole text. One a line, in alphabetical order. */
export const errorCodes = [
  "bad-argument",
  "bad-flag",
  "bad-inventory",
  "bad-usage",
  "bad-yaml",
  "bad-zoo-id",
  "connection-failed",
  "even-masters",
  "missing-file",
  "no-docker",
  "no-hosts",
  "no-terminal",
  "rehearsal-failed",
  "unknown-argument",
  "unknown-flag",
  "unknown-module",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

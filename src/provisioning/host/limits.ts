/** Named limits of what is asked of a host and done to it. */
export const limits = {
  /** A file's content that a question returns; a longer one is only reported as too large. */
  contentBytes: 4 * 1024 * 1024,
  /** Words of one command: a quarter of Linux' smallest common ARG_MAX (2 MiB), less the environment. */
  argumentBytes: 256 * 1024,
  argumentCount: 4000,
  /** Content that travels inside a script by printf (13 ms in dash, 80 ms in bash); more is streamed. */
  inlineBytes: 128 * 1024,
} as const;

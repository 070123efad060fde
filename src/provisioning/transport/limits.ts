/** Named limits of how bytes travel. */
export const limits = {
  /** Input that leaves before the host has said that the program started. */
  earlyInputBytes: 32_000,
  /** Output of one frame, both streams together, that the controller holds in memory. */
  frameOutputBytes: 64 * 1024 * 1024,
  /** From a step's end until nobody holds its stdout and stderr any more. A loaded host needs 20 ms and more for it. */
  cleanTimeoutMs: 500,
  /** For a script whose stream an interrupt cut off; the run itself waits longer. */
  clearUpMs: 2000,
  /** For words of a shell that was killed, after the one that killed it has spoken on the same connection. */
  lateWordsMs: 50,
  /** Channels kept for daemons that hold a step's output; sshd allows 10 a connection. */
  parkedShells: 3,
  /** From opening a channel to the shell's first word; sudo may ask a directory service. */
  shellOpenTimeoutMs: 30_000,
  /** What a login shell may say before ours speaks, and what is shown of it in errors. */
  chatterBytes: 64 * 1024,
  /** A piece of a file: what one dd on the host reads in one block (0.4 ms), and what still leaves after an interrupt. */
  transferChunkBytes: 1024 * 1024,
  /** A download's bytes that wait for the disk before the sender is held. */
  downloadAheadBytes: 4 * 1024 * 1024,
  /** Of what a peer says by itself (wait_for with a port and search_regex). */
  listenBytes: 1024 * 1024,
  /** An idle connection is asked for life this often, and is dead after so many missing answers. */
  keepaliveIntervalMs: 10_000,
  keepaliveCountMax: 3,
  /** sshd drops connects while 10 are not yet authenticated (MaxStartups 10:30:100). */
  connectAttempts: 5,
  connectRetryMs: 400,
  connectsInFlight: 8,
  /** From saying goodbye to the connection being gone. */
  closeTimeoutMs: 1000,
  proxyJumps: 8,
  redirects: 10,
} as const;

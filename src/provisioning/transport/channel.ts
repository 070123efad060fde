import type { Writable } from "node:stream";

/** One program's three streams, wherever it runs. Every transport makes these, and nothing else, for shells. */
export interface Channel {
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
  /** At most once, before the first byte is read. */
  listen(events: ChannelEvents): void;
  /** Stdout stays with the sender, or goes on: whoever reads a large file slowly says so. */
  hold(isHeld: boolean): void;
  /** Drops both ends; no event comes afterwards. */
  close(): void;
}

export interface ChannelEvents {
  stdout(bytes: Buffer): void;
  stderr(bytes: Buffer): void;
  /** After the last byte. `code` is null when the connection went away. */
  closed(code: number | null, why: string): void;
}

/** Runs a command line for the user's login shell; stdin, stdout and stderr are pipes. */
export type OpenChannel = (command: string, signal?: AbortSignal) => Promise<Channel>;

/** Waits until a stream takes more, or never will. */
export const roomIn = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.once("drain", done);
    stream.once("close", done);
  });

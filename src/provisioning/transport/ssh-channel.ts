/** One program on the far side of an ssh connection as a Channel, from before it is started. */
import type { ClientChannel } from "ssh2";
import { type Channel, type ChannelEvents, roomIn } from "./channel.ts";
import type { FirstInput } from "./ssh-ahead.ts";

export class SshChannel implements Channel, FirstInput {
  #stream: ClientChannel | undefined;
  /** Written before there is a stream. */
  #early: Buffer[] = [];
  #isClosed = false;
  #events: ChannelEvents | undefined;
  #onClosed: (() => void) | undefined;
  #code: number | null = null;
  #why = "the connection went away";

  take(most: number): Uint8Array {
    const all = Buffer.concat(this.#early);
    this.#early = all.length > most ? [all.subarray(most)] : [];
    return all.subarray(0, most);
  }

  /** The program runs. */
  start(stream: ClientChannel): void {
    if (this.#isClosed) {
      stream.close();
      return;
    }
    this.#stream = stream;
    stream.on("error", () => undefined);
    stream.on("exit", (code: number | null, signal?: string) => {
      this.#code = code ?? -1;
      this.#why = signal === undefined ? `exit code ${code}` : `ended by SIG${signal}`;
    });
    stream.on("close", () => this.lost(this.#why));
    stream.on("data", (bytes: Buffer) => this.#isClosed || this.#events?.stdout(bytes));
    stream.stderr.on("data", (bytes: Buffer) => this.#isClosed || this.#events?.stderr(bytes));
    if (this.#early.length > 0) stream.write(Buffer.concat(this.#early));
    this.#early = [];
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#isClosed) return;
    const stream = this.#stream;
    if (stream === undefined) this.#early.push(Buffer.from(bytes));
    else if (stream.writable && !stream.write(bytes)) await roomIn(stream);
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    // It ended before anybody listened.
    if (this.#isClosed) queueMicrotask(() => events.closed(this.#code, this.#why));
  }

  onClosed(work: () => void): void {
    this.#onClosed = work;
    if (this.#isClosed) work();
  }

  /** The program ended, or the whole connection did (then no exit code came). */
  lost(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClosed?.();
    this.#why = why;
    this.#events?.closed(this.#code, why);
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#stream?.pause();
    else this.#stream?.resume();
  }

  /** Nothing more is heard of it. */
  forget(): void {
    this.#isClosed = true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream?.close();
    this.#onClosed?.();
  }
}

/** One program on the far side of an ssh connection as a Channel. */
import type { ClientChannel } from "ssh2";
import { type Channel, type ChannelEvents, roomIn } from "./channel.ts";

export class SshChannel implements Channel {
  readonly #stream: ClientChannel;
  #isClosed = false;
  #events: ChannelEvents | undefined;
  #code: number | null = null;
  #why = "the connection went away";

  constructor(stream: ClientChannel) {
    this.#stream = stream;
    stream.on("error", () => undefined);
    stream.on("exit", (code: number | null, signal?: string) => {
      this.#code = code ?? -1;
      this.#why = signal === undefined ? `exit code ${code}` : `ended by SIG${signal}`;
    });
    stream.on("close", () => this.lost(this.#why));
  }

  async write(bytes: Uint8Array): Promise<void> {
    const stream = this.#stream;
    if (this.#isClosed || !stream.writable || stream.write(bytes)) return;
    await roomIn(stream);
  }

  end(): void {
    this.#stream.end();
  }

  listen(events: ChannelEvents): void {
    this.#events = events;
    this.#stream.on("data", (bytes: Buffer) => this.#isClosed || events.stdout(bytes));
    this.#stream.stderr.on("data", (bytes: Buffer) => this.#isClosed || events.stderr(bytes));
  }

  /** The program ended, or the whole connection did (then no exit code came). */
  lost(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events?.closed(this.#code, why);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stream.close();
  }
}

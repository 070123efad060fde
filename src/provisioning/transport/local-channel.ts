/** A program of this machine as a Channel: for `connection: local`, and for `docker exec`. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { type Channel, type ChannelEvents, roomIn } from "./channel.ts";

export function spawnChannel(program: string, args: readonly string[]): Channel {
  // Its own process group, so that a hanging step can be killed with all it started.
  return new ProcessChannel(spawn(program, args, { detached: true, stdio: "pipe" }));
}

class ProcessChannel implements Channel {
  readonly #child: ChildProcessWithoutNullStreams;
  #isClosed = false;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    // A write to a process that has gone is reported by `closed`, which always follows.
    child.stdin.on("error", () => undefined);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { stdin } = this.#child;
    if (this.#isClosed || stdin.destroyed || stdin.writableEnded) return;
    if (stdin.write(bytes)) return;
    await roomIn(stdin);
  }

  listen(events: ChannelEvents): void {
    const child = this.#child;
    child.stdout.on("data", (bytes: Buffer) => this.#isClosed || events.stdout(bytes));
    child.stderr.on("data", (bytes: Buffer) => this.#isClosed || events.stderr(bytes));
    child.on("error", (error) => this.#closed(events, null, error.message));
    child.on("close", (code, signal) =>
      this.#closed(events, code ?? -1, signal === null ? `exit code ${code}` : `ended by ${signal}`),
    );
  }

  #closed(events: ChannelEvents, code: number | null, why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    events.closed(code, why);
  }

  hold(isHeld: boolean): void {
    if (isHeld) this.#child.stdout.pause();
    else this.#child.stdout.resume();
  }

  close(): void {
    this.#isClosed = true;
    const { stdin, stdout, stderr } = this.#child;
    stdin.destroy();
    stdout.destroy();
    stderr.destroy();
    this.#child.unref();
  }
}

/**
 * A file's bytes from a shell on a channel of its own, as any user, with no SFTP server: the shell says "go", then
 * `cat`s it. (Files go up inside messages: shell-text.ts.)
 */
import { ProvisionError } from "../../base/errors.ts";
import { shellQuote } from "../../base/shell-quote.ts";
import { newNonce } from "../host/compile-questions.ts";
import { decodeHostText } from "../host/host-text.ts";
import { becomeFailed, type Launch } from "./become-command.ts";
import type { Channel } from "./channel.ts";
import { limits } from "./limits.ts";
import type { Become } from "./session.ts";

export interface TransferPlan {
  readonly launch: Launch;
  readonly become: Become | null;
  /** Of the file on the host. */
  readonly path: string;
  readonly host: string;
}

interface Ending {
  readonly code: number | null;
  readonly why: string;
}

export class Transfer {
  readonly ready: Promise<void>;
  readonly #channel: Channel;
  readonly #plan: TransferPlan;
  readonly #hello = newNonce();
  readonly #go = newNonce();
  readonly #ended: Promise<Ending>;
  readonly #readyNow = Promise.withResolvers<void>();
  readonly #endedNow = Promise.withResolvers<Ending>();
  /** The shell of that user runs: what fails from now on is the file's fault, not sudo's. */
  #hasShell = false;
  #isGoing = false;
  #passwordSent = false;
  #head: Buffer = Buffer.alloc(0);
  #stderr: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  /** Bytes in `chunks`. */
  #waiting = 0;
  #isHeld = false;
  #wake: () => void = () => undefined;
  #ending: Ending | undefined;

  constructor(channel: Channel, plan: TransferPlan) {
    this.#channel = channel;
    this.#plan = plan;
    this.ready = this.#readyNow.promise;
    this.#ended = this.#endedNow.promise;
    // The waiting side may come later than the failure.
    this.ready.catch(() => undefined);
    channel.listen({
      stdout: (bytes) => this.#onStdout(bytes),
      stderr: (bytes) => this.#onStderr(bytes),
      closed: (code, why) => this.#onClosed(code, why),
    });
    if (plan.launch.ready === undefined) this.#start();
  }

  #start(): void {
    const { word } = this.#plan.launch;
    const opening = `exec 9<${shellQuote(this.#plan.path)}`;
    const mine =
      word === undefined ? "" : `[ "$1" = ${word} ] || { echo "another shell reads this" >&2; exit 1; }; `;
    const line = `{ ${mine}printf '%s\\n' ${this.#hello}; ${opening} || exit 1; printf '%s\\n' ${this.#go}; cat <&9; exit $?; }\n`;
    this.#channel.write(Buffer.from(line)).catch((error: unknown) => this.#onClosed(null, String(error)));
  }

  #onStdout(bytes: Buffer): void {
    if (this.#isGoing) {
      this.#chunks.push(bytes);
      this.#waiting += bytes.length;
      if (!this.#isHeld && this.#waiting > limits.downloadAheadBytes) this.#hold(true);
      this.#wake();
      return;
    }
    this.#head = Buffer.concat([this.#head, bytes]);
    const { ready } = this.#plan.launch;
    const readyAt = ready === undefined ? -1 : this.#head.indexOf(`${ready}\n`);
    if (ready !== undefined && readyAt !== -1) {
      this.#head = this.#head.subarray(readyAt + ready.length + 1);
      this.#start();
    }
    this.#hasShell ||= this.#head.includes(`${this.#hello}\n`);
    const at = this.#head.indexOf(`${this.#go}\n`);
    if (at === -1) return;
    this.#isGoing = true;
    const rest = this.#head.subarray(at + this.#go.length + 1);
    if (rest.length > 0) {
      this.#chunks.push(rest);
      this.#waiting += rest.length;
    }
    this.#readyNow.resolve();
    this.#wake();
  }

  #onStderr(bytes: Buffer): void {
    this.#stderr = Buffer.concat([this.#stderr, bytes]).subarray(-limits.chatterBytes);
    const { prompt } = this.#plan.launch;
    if (!prompt || this.#isGoing || this.#passwordSent) return;
    const heard = decodeHostText(this.#stderr);
    const isAsked = typeof prompt.text === "string" ? heard.endsWith(prompt.text) : prompt.text.test(heard);
    if (!isAsked) return;
    this.#passwordSent = true;
    this.#stderr = Buffer.alloc(0);
    this.#channel
      .write(Buffer.from(`${prompt.password}\n`))
      .catch((error: unknown) => this.#onClosed(null, String(error)));
  }

  #onClosed(code: number | null, why: string): void {
    if (this.#ending) return;
    this.#ending = { code, why };
    this.#endedNow.resolve(this.#ending);
    this.#readyNow.reject(this.#failure(this.#ending, `open a shell on "${this.#plan.host}"`));
    this.#wake();
  }

  async *output(): AsyncGenerator<Buffer> {
    await this.ready;
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#waiting -= chunk.length;
        yield chunk;
        // Asked for more: what was taken is on the disk.
        if (this.#isHeld && this.#chunks.length === 0) this.#hold(false);
      } else if (this.#ending) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#channel.hold(isHeld);
  }

  /** Rejects unless the far `cat` ended well. */
  async finished(action: string): Promise<void> {
    const ending = await this.#ended;
    if (ending.code !== 0) throw this.#failure(ending, action);
  }

  #failure({ code, why }: Ending, action: string): ProvisionError {
    const stderr = decodeHostText(this.#stderr);
    const { become, host } = this.#plan;
    if (become && !this.#hasShell && code !== null)
      return becomeFailed({ become, host, stderr, passwordSent: this.#passwordSent, askedAgain: false });
    return new ProvisionError({
      code: code === null ? "connection-lost" : "transfer-failed",
      action,
      state: stderr.trim() === "" ? `the connection ended: ${why}` : stderr.trim(),
    });
  }

  close(): void {
    this.#onClosed(null, "it was closed");
    this.#channel.close();
  }
}

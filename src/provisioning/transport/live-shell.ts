/** A user's shell as the engine sees it: always there. Behind it connections come and go. */

import { setTimeout as sleep } from "node:timers/promises";
import { ProvisionError } from "../../base/errors.ts";
import { limits } from "./limits.ts";
import type { Frame, FrameResult, Shell, ShellProcess } from "./session.ts";
import type { ShellConnection } from "./shell-connection.ts";

/** `kill` are shells of before which the new one ends first of all. */
export type ConnectShell = (kill: readonly string[]) => Promise<ShellConnection>;

export interface LiveShellEvents {
  /** One leaves. */
  message(): void;
  /** A script has taken that file of the controller. */
  taken(file: string): void;
}

export class LiveShell implements Shell {
  readonly user: string;
  readonly #connect: ConnectShell;
  readonly #events: LiveShellEvents;
  #connection: ShellConnection | undefined;
  #opening: Promise<ShellConnection> | undefined;
  #kill: string[] = [];
  /** Shells whose output somebody still holds. */
  readonly #parked: ShellConnection[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(user: string, connect: ConnectShell, events: LiveShellEvents) {
    this.user = user;
    this.#connect = connect;
    this.#events = events;
  }

  /** Opens the connection without waiting for it. A failure is told by the first exchange. */
  open(): void {
    if (this.#connection || this.#opening) return;
    this.#opening = this.#connect([]);
    this.#opening.catch(() => undefined);
  }

  exchange(frames: readonly Frame[]): Promise<readonly FrameResult[]> {
    const result = this.#last.then(() => this.#run(frames));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** The next message goes to a new shell; those that were given before it are let finish. */
  retire(): void {
    this.#last = this.#last.then(() => this.#leave());
  }

  #leave(): void {
    this.#connection?.close();
    this.#connection = undefined;
    this.#opening?.then((connection) => connection.close()).catch(() => undefined);
    this.#opening = undefined;
  }

  get leftBehind(): ShellProcess | undefined {
    return this.#connection?.leftBehind;
  }

  interrupt(): void {
    this.#connection?.interrupt();
  }

  close(): void {
    this.#leave();
    for (const connection of this.#parked.splice(0)) connection.close();
  }

  async #run(frames: readonly Frame[]): Promise<readonly FrameResult[]> {
    const results: FrameResult[] = [];
    let succeeded = true;
    while (results.length < frames.length) {
      const connection = await this.#connected();
      const rest = frames.slice(results.length);
      this.#events.message();
      const outcome = await connection.send(rest, succeeded);
      succeeded &&= outcome.results.every((result, i) => isSuccess(result, rest[i]));
      results.push(...outcome.results);
      this.#tellTaken(rest, outcome.results);
      if (outcome.retire) await this.#replace(connection, outcome.retire, results.length < frames.length);
    }
    return results;
  }

  #tellTaken(frames: readonly Frame[], results: readonly FrameResult[]): void {
    for (const [i, result] of results.entries()) {
      const from = frames[i]?.stream?.from;
      if (typeof from === "string" && !result.skipped && isSuccess(result, frames[i]))
        this.#events.taken(from);
    }
  }

  /** A hanging step is killed now, not with the next message; a held shell only if frames wait in it. */
  async #replace(old: ShellConnection, retire: { kill: string; isHeld: boolean }, hasMore: boolean) {
    this.#connection = undefined;
    if (retire.isHeld) this.#park(old);
    if (retire.isHeld && !hasMore) return;
    this.#kill.push(retire.kill);
    try {
      const connection = await this.#connected();
      // Its answer means that what hung was killed: after an interrupt everything is closed at once.
      await connection.send([{ kind: "ask", script: ":", timeoutMs: limits.shellOpenTimeoutMs }], true);
      if (hasMore) await this.#makeSure(old);
    } finally {
      if (!retire.isHeld) old.close();
    }
  }

  /** No frame ever runs twice: the old shell is dead and had not gone on, or nobody knows, and that is said. */
  async #makeSure(old: ShellConnection): Promise<void> {
    await sleep(limits.lateWordsMs);
    if (old.mayHaveGoneOn) {
      throw new ProvisionError({
        code: "connection-lost",
        action: `go on as "${this.user}"`,
        state: "a shell was given up while it went on, so it is not known what it did last",
      });
    }
  }

  #park(connection: ShellConnection): void {
    this.#parked.push(connection);
    if (this.#parked.length > limits.parkedShells) this.#parked.shift()?.close();
  }

  async #connected(): Promise<ShellConnection> {
    if (this.#opening) {
      const opening = this.#opening;
      this.#opening = undefined;
      this.#connection = await opening;
    }
    if (this.#connection?.isUsable) return this.#connection;
    const kill = this.#kill;
    this.#kill = [];
    this.#connection = await this.#connect(kill);
    return this.#connection;
  }
}

const isSuccess = (result: FrameResult, frame: Frame | undefined): boolean =>
  result.skipped || (!result.timedOut && (frame?.okCodes ?? [0]).includes(result.code));

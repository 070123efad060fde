/** The session of one machine: opened when first needed, kept, and opened anew after it was lost (R13). */
import type { LeftShell, Session } from "../transport/session.ts";

export class KeptSession {
  readonly #openNew: () => Promise<Session>;
  #session: Promise<Session> | undefined;
  /** Shells of lost connections: on the host they may go on with what they were given. */
  #left: readonly LeftShell[] = [];

  constructor(open: () => Promise<Session>) {
    this.#openNew = open;
  }

  get(): Promise<Session> {
    if (this.#session === undefined) {
      const opening = this.#open();
      this.#session = opening;
      opening.catch(() => {
        if (this.#session === opening) this.#session = undefined;
      });
    }
    return this.#session;
  }

  /** What a lost connection left behind begins nothing more, before anything is asked anew. */
  async #open(): Promise<Session> {
    const session = await this.#openNew();
    if (this.#left.length === 0) return session;
    try {
      await session.endShells(this.#left);
    } catch (error) {
      // The first error is the one to tell.
      await session.close().catch(() => undefined);
      throw error;
    }
    this.#left = [];
    return session;
  }

  isStill(used: Promise<Session>): boolean {
    return this.#session === used;
  }

  interrupt(): void {
    this.#session?.then((session) => session.interrupt()).catch(() => undefined);
  }

  async close(): Promise<void> {
    const opened = this.#session;
    this.#session = undefined;
    const session = await opened?.catch(() => undefined);
    this.#left = [...this.#left, ...(session?.leftBehind() ?? [])];
    await session?.close();
  }
}

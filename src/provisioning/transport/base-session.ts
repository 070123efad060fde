/** What every Session has in common: a shell a user, downloads on channels of their own, a count of messages. */
import { chmod, open, rename, rm } from "node:fs/promises";
import { ProvisionError } from "../../base/errors.ts";
import type { HttpAnswer, HttpRequest, TcpAnswer, TcpRequest } from "../host/question.ts";
import type { Env } from "../host/step.ts";
import { type Launch, launchOf } from "./become-command.ts";
import type { Channel } from "./channel.ts";
import { limits } from "./limits.ts";
import { LiveShell } from "./live-shell.ts";
import type { Become, ConnectionPlan, DownloadOptions, LeftShell, Session, Shell } from "./session.ts";
import { ShellConnection } from "./shell-connection.ts";
import { endOfShell } from "./shell-text.ts";
import { dropSpooled } from "./spool.ts";
import { Transfer } from "./transfer.ts";

export interface Network {
  http(request: HttpRequest, env: Env): Promise<HttpAnswer>;
  tcp(request: TcpRequest): Promise<TcpAnswer>;
}

export interface SessionParts {
  readonly key: string;
  readonly plan: ConnectionPlan;
  readonly loginUser: string;
  readonly openChannel: (launch: Launch) => Promise<Channel>;
  readonly network: Network;
  readonly close: () => Promise<void>;
}

export class BaseSession implements Session {
  readonly key: string;
  readonly #parts: SessionParts;
  readonly #shells = new Map<string, { readonly become: Become | null; readonly live: LiveShell }>();
  /** Bodies of answers, until they are sent to the host. */
  readonly #spooled = new Set<string>();
  #roundTrips = 0;
  #isClosed = false;

  constructor(parts: SessionParts) {
    this.key = parts.key;
    this.#parts = parts;
  }

  get roundTrips(): number {
    return this.#roundTrips;
  }

  async shell(become: Become | null): Promise<Shell> {
    const user = this.#isSelf(become) ? null : become;
    const key = JSON.stringify(user);
    const known = this.#shells.get(key);
    if (known) return known.live;
    const connect = (kill: readonly string[]): Promise<ShellConnection> => this.#connect(user, kill);
    const live = new LiveShell(user?.user ?? this.#parts.loginUser, connect, {
      message: () => {
        this.#roundTrips += 1;
      },
      taken: (file) => {
        if (this.#spooled.delete(file)) dropSpooled(file);
      },
    });
    this.#shells.set(key, { become: user, live });
    live.open();
    return live;
  }

  /** root becoming root needs no sudo; other users keep their login, whose environment differs. */
  #isSelf(become: Become | null): boolean {
    return become?.user === "root" && this.#parts.loginUser === "root";
  }

  async #connect(become: Become | null, kill: readonly string[]): Promise<ShellConnection> {
    if (this.#isClosed) throw this.#gone();
    const launch = launchOf(become);
    const channel = await this.#parts.openChannel(launch);
    return new ShellConnection(channel, { host: this.#parts.plan.name, become, launch, kill });
  }

  async retireShells(): Promise<void> {
    for (const { live } of this.#shells.values()) live.retire();
  }

  async download(
    remotePath: string,
    localFile: string,
    { become = null, maxBytes }: DownloadOptions,
  ): Promise<void> {
    const action = `fetch "${remotePath}" from "${this.#parts.plan.name}"`;
    const temporary = `${localFile}.provision-part`;
    const file = await open(temporary, "w", 0o600);
    let transfer: Transfer | undefined;
    try {
      transfer = await this.#transfer(remotePath, become);
      let bytes = 0;
      for await (const chunk of transfer.output()) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw tooLarge(action, maxBytes);
        await file.write(chunk);
      }
      await transfer.finished(action);
      await file.close();
      await chmod(temporary, 0o666 & ~process.umask());
      await rename(temporary, localFile);
    } catch (error) {
      await file.close().catch(() => undefined);
      await rm(temporary, { force: true });
      throw error;
    } finally {
      transfer?.close();
    }
  }

  async #transfer(path: string, become: Become | null): Promise<Transfer> {
    if (this.#isClosed) throw this.#gone();
    this.#roundTrips += 1;
    const user = this.#isSelf(become) ? null : become;
    const launch = launchOf(user);
    const channel = await this.#parts.openChannel(launch);
    return new Transfer(channel, { launch, become: user, path, host: this.#parts.plan.name });
  }

  async http(request: HttpRequest, env: Env = {}): Promise<HttpAnswer> {
    this.#roundTrips += 1;
    const answer = await this.#parts.network.http(request, env);
    if (answer.file !== undefined) this.#spooled.add(answer.file.file);
    return answer;
  }

  tcp(request: TcpRequest): Promise<TcpAnswer> {
    this.#roundTrips += 1;
    return this.#parts.network.tcp(request);
  }

  leftBehind(): readonly LeftShell[] {
    return [...this.#shells.values()].flatMap(({ become, live: { leftBehind } }) =>
      leftBehind === undefined ? [] : [{ become, process: leftBehind }],
    );
  }

  async endShells(left: readonly LeftShell[]): Promise<void> {
    await Promise.all(
      left.map(async ({ become, process }) => {
        const shell = await this.shell(become);
        const timeoutMs = limits.shellOpenTimeoutMs;
        await shell.exchange([{ kind: "ask", script: endOfShell(process), timeoutMs }]);
      }),
    );
  }

  interrupt(): void {
    for (const { live } of this.#shells.values()) live.interrupt();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const closed = this.#parts.close();
    for (const { live } of this.#shells.values()) live.close();
    this.#shells.clear();
    for (const file of this.#spooled) dropSpooled(file);
    await closed;
  }

  #gone(): ProvisionError {
    return new ProvisionError({
      code: "connection-lost",
      action: `open a shell on "${this.#parts.plan.name}"`,
      state: "the connection was closed",
    });
  }
}

const tooLarge = (action: string, maxBytes: number): ProvisionError =>
  new ProvisionError({
    code: "output-too-large",
    action,
    state: `the file is longer than ${maxBytes} bytes`,
  });

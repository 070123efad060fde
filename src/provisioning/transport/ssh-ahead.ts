/**
 * What ssh2 does and need not be done: it asks whether a key would do before it signs with it, it waits for "started"
 * before a program's first input may leave, and it has the server prove all of its host keys, which nobody looks at. Its
 * own parts are used for that, which are no public interface; where they look otherwise than expected, everything goes
 * its usual way.
 */
import type { Duplex } from "node:stream";
import type { Client, ParsedKey } from "ssh2";
import { limits } from "./limits.ts";

interface Protocol {
  authPK(user: string, key: unknown, algorithm: string | undefined, sign?: Signer): void;
  exec(channel: number, command: string, wantReply: boolean): void;
  channelData(channel: number, bytes: Uint8Array): void;
  readonly _handlers: { GLOBAL_REQUEST?: GlobalRequest };
}
type GlobalRequest = (protocol: unknown, name: string, ...rest: readonly unknown[]) => void;
type Signer = (bytes: Buffer, give: (signature: Buffer) => void) => void;

interface OpenChannel {
  readonly incoming: { readonly id: number };
  readonly outgoing: { readonly id: number; window: number; readonly packetSize: number };
}
interface Parts {
  readonly _protocol?: Partial<Protocol>;
  readonly _chanMgr?: { readonly _channels?: Readonly<Record<number, unknown>> };
  readonly _remoteVer?: string;
  readonly _sock?: Duplex;
}

const partsOf = (client: Client): Parts => client as unknown as Parts;

const hashes: Readonly<Record<string, string>> = { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" };
/** A private key at hand is tried by its signature at once. To be called after `connect`. */
export function signAtOnce(client: Client): void {
  const { _protocol: protocol } = partsOf(client);
  const ask = protocol?.authPK;
  if (protocol === undefined || ask === undefined) return;
  protocol.authPK = (user, key, algorithm, sign) => {
    const isOurs = sign === undefined && isPrivate(key) && algorithm !== "ssh-rsa";
    ask.call(protocol, user, key, algorithm, isOurs ? signerOf(key, algorithm) : sign);
  };
}

/** Three signatures of the server, and three checks of ours, for each connection. To be called after `connect`. */
export function leaveKeysUnproven(client: Client): void {
  const handlers = partsOf(client)._protocol?._handlers;
  const handle = handlers?.GLOBAL_REQUEST;
  if (handlers === undefined || handle === undefined) return;
  handlers.GLOBAL_REQUEST = (protocol, name, wantsReply, ...rest) => {
    if (name !== "hostkeys-00@openssh.com" || wantsReply === true)
      handle(protocol, name, wantsReply, ...rest);
  };
}

/** What is written in one go leaves in one packet. */
export function gatherWrites(sock: Duplex): void {
  const write = sock.write.bind(sock) as (...args: readonly unknown[]) => boolean;
  let isCorked = false;
  sock.write = (...args: readonly unknown[]): boolean => {
    if (!isCorked) {
      isCorked = true;
      sock.cork();
      process.nextTick(() => {
        isCorked = false;
        sock.uncork();
      });
    }
    return write(...args);
  };
}

/**
 * Says goodbye, and waits until that is on its way: not for the other side's answer, a round trip later. The timer keeps
 * the process alive: a connection that was lost leaves nothing else that would.
 */
export function leave(client: Client): Promise<void> {
  client.end();
  const { _sock: sock } = partsOf(client);
  if (sock === undefined || sock.closed || sock.destroyed) return Promise.resolve();
  setTimeout(() => sock.destroy(), limits.closeTimeoutMs).unref();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(late);
      resolve();
    };
    const late = setTimeout(done, limits.closeTimeoutMs);
    if (sock.writableFinished) done();
    for (const event of ["finish", "close"]) sock.once(event, done);
  });
}

const isPrivate = (key: unknown): key is ParsedKey =>
  typeof key === "object" && key !== null && "isPrivateKey" in key && (key as ParsedKey).isPrivateKey();

function signerOf(key: ParsedKey, algorithm: string | undefined): Signer | undefined {
  return (bytes, give) => {
    const signature = key.sign(bytes, hashes[algorithm ?? ""]);
    if (signature instanceof Error) throw signature;
    give(signature);
  };
}

/** What a program shall read first, and what was given away of it. */
export interface FirstInput {
  /** Called once, when the request to start the program has left. At most so many bytes. */
  take(most: number): Uint8Array;
}

/**
 * The first input leaves together with the request to start the program. A server reads both in their order; OpenSSH
 * opens the channel's window while it starts the program, so its word is not waited for; what others allow at first is
 * kept to. `started` gives the channel its bill: call it when ssh2 hands the channel over.
 */
export class EarlyInput {
  readonly #parts: Parts;
  /** By our number of the channel. */
  readonly #waiting = new Map<number, FirstInput>();
  readonly #sent = new Map<number, number>();

  constructor(client: Client) {
    this.#parts = partsOf(client);
    const { _protocol: protocol } = this.#parts;
    const exec = protocol?.exec;
    if (protocol === undefined || exec === undefined) return;
    protocol.exec = (id, command, wantReply) => {
      exec.call(protocol, id, command, wantReply);
      this.#send(id);
    };
  }

  /** `open` asks ssh2 for one channel. */
  during(input: FirstInput, open: () => void): void {
    const before = new Set(this.#channels().map(([id]) => id));
    open();
    const added = this.#channels().filter(([id]) => !before.has(id));
    const [first] = added;
    if (added.length === 1 && first !== undefined) this.#waiting.set(first[0], input);
  }

  started(channel: unknown): void {
    if (!isChannel(channel)) return;
    const { id } = channel.incoming;
    this.#waiting.delete(id);
    const sent = this.#sent.get(id) ?? 0;
    this.#sent.delete(id);
    channel.outgoing.window = Math.max(0, channel.outgoing.window - sent);
  }

  #channels(): [number, unknown][] {
    const all = this.#parts._chanMgr?._channels ?? {};
    return Object.entries(all).map(([id, channel]) => [Number(id), channel]);
  }

  #send(remoteId: number): void {
    const [own, channel] =
      this.#channels().find(([, each]) => isChannel(each) && each.outgoing.id === remoteId) ?? [];
    const input = own === undefined ? undefined : this.#waiting.get(own);
    if (own === undefined || input === undefined || !isChannel(channel)) return;
    this.#waiting.delete(own);
    const { window, packetSize } = channel.outgoing;
    const isOpenSsh = this.#parts._remoteVer?.startsWith("OpenSSH_") === true;
    const most = window === 0 && isOpenSsh ? limits.earlyInputBytes : window;
    const bytes = input.take(Math.min(most, packetSize, limits.earlyInputBytes));
    if (bytes.length === 0) return;
    this.#parts._protocol?.channelData?.(remoteId, bytes);
    this.#sent.set(own, bytes.length);
  }
}

const isChannel = (value: unknown): value is OpenChannel =>
  typeof value === "object" && value !== null && "outgoing" in value && "incoming" in value;

/** One authenticated ssh2 client: dial (directly, by a jump host, by a command), host key, login; with retries. */
import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ConnectConfig } from "ssh2";
import { paced } from "./connect-gate.ts";
import { acceptHostKey, knownKeyTypes } from "./host-key.ts";
import { limits } from "./limits.ts";
import { loadSsh2 } from "./load-ssh2.ts";
import { dialDirectly } from "./network.ts";
import type { ConnectionPlan } from "./session.ts";
import { gatherWrites, leaveKeysUnproven, signAtOnce } from "./ssh-ahead.ts";
import { loginFailed, planLogin, withoutPassword } from "./ssh-auth.ts";
import {
  badJump,
  broken,
  DroppedError,
  dialFailed,
  dropped,
  timedOut,
  tooManyJumps,
  unresolved,
} from "./ssh-problems.ts";
import { type SshSettings, sshSettings } from "./ssh-settings.ts";

/** `address` is what sshd counts connects for. */
interface Dialled {
  readonly address: string;
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** When the client has gone, or never came. */
  readonly release?: () => void;
}

export async function connectSsh(
  settings: SshSettings,
  plan: ConnectionPlan,
  signal?: AbortSignal,
): Promise<Client> {
  const { address, dial, release = () => undefined } = await route(settings, plan, signal);
  try {
    const client = await withRetries(settings, signal, () =>
      paced(address, () => connectOnce(settings, dial, signal)),
    );
    client.once("close", release);
    return client;
  } catch (error) {
    release();
    throw error;
  }
}

async function withRetries<T>(
  settings: SshSettings,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof DroppedError)) throw error;
      if (attempt >= limits.connectAttempts) throw dropped(settings, error);
      await sleep(limits.connectRetryMs * attempt * (0.5 + Math.random()), undefined, {
        ...(signal ? { signal } : {}),
      });
    }
  }
}

/** The server hung up before it said who it is: sshd does so beyond MaxStartups. */
async function route(settings: SshSettings, plan: ConnectionPlan, signal?: AbortSignal): Promise<Dialled> {
  const { host, port, proxyCommand } = settings;
  const jump = settings.jumps.at(-1);
  if (jump !== undefined) {
    const held = await holdJump(jump, settings.jumps.slice(0, -1), plan, signal);
    const dial = (): Promise<Duplex> => forward(held.client, host, port);
    return { address: `${jump}>${host}:${port}`, dial, release: held.release };
  }
  if (proxyCommand !== undefined)
    return { address: `${host}:${port}`, dial: async () => commandStream(proxyCommand) };
  const { address } = await lookup(host).catch((error: unknown) => {
    throw unresolved(settings, error);
  });
  const dial = async (abort: AbortSignal): Promise<Duplex> => {
    const socket = await dialDirectly(address, port, abort);
    (socket as Socket).setNoDelay(true);
    gatherWrites(socket);
    return socket;
  };
  return { address: `${address}:${port}`, dial };
}

function commandStream(command: string): Duplex {
  const child = spawn("/bin/sh", ["-c", `exec ${command}`], { stdio: ["pipe", "pipe", "inherit"] });
  const stream = Duplex.from({ writable: child.stdin, readable: child.stdout });
  stream.once("close", () => child.kill());
  return stream;
}

interface Jump {
  readonly client: Promise<Client>;
  users: number;
}

/** One connection a bastion, shared by all hosts behind it; the last of them closes it. */
const jumpClients = new Map<string, Jump>();

interface Held {
  readonly client: Client;
  release(): void;
}

async function holdJump(
  jump: string,
  before: readonly string[],
  plan: ConnectionPlan,
  signal?: AbortSignal,
): Promise<Held> {
  const key = [...before, jump].join(",");
  if (before.length >= limits.proxyJumps) throw tooManyJumps(plan.name);
  const known = jumpClients.get(key) ?? { client: connectJump(jump, before, plan, signal), users: 0 };
  jumpClients.set(key, known);
  known.users += 1;
  const forget = (): void => {
    if (jumpClients.get(key) === known) jumpClients.delete(key);
  };
  try {
    const client = await known.client;
    client.once("close", forget);
    const release = (): void => {
      known.users -= 1;
      if (known.users > 0) return;
      forget();
      client.end();
    };
    return { client, release };
  } catch (error) {
    forget();
    throw error;
  }
}

async function connectJump(
  jump: string,
  before: readonly string[],
  plan: ConnectionPlan,
  signal?: AbortSignal,
) {
  const match = /^(?:(?:ssh:\/\/)?([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(jump);
  if (!match) throw badJump(plan.name, jump);
  const [, user, host = "", port] = match;
  const { user: _user, port: _port, proxyJump: _jump, password: _password, ...rest } = plan;
  const jumpPlan: ConnectionPlan = {
    ...rest,
    ...{ name: jump, host: host.replace(/^\[|\]$/g, "") },
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(before.length === 0 ? {} : { proxyJump: before.join(",") }),
  };
  const client = await connectSsh(await sshSettings(jumpPlan), jumpPlan, signal);
  client.on("error", () => undefined);
  return client;
}

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254. */
const administrativelyProhibited = 1;

export const forward = (client: Client, host: string, port: number): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    client.forwardOut("127.0.0.1", 0, host, port, (error, stream) => {
      if (!error) return resolve(stream);
      const { reason } = error as Error & { reason?: number };
      reject(
        reason === administrativelyProhibited ? new Error("the host's sshd forbids TCP forwarding") : error,
      );
    });
  });

export const forwardSocket = (client: Client, path: string): Promise<Duplex> =>
  new Promise((resolve, reject) => {
    client.openssh_forwardOutStreamLocal(path, (error, stream) => {
      if (!error) return resolve(stream);
      reject(new Error(`the host's sshd does not lead to the socket ${path}: ${error.message}`));
    });
  });

async function connectOnce(
  settings: SshSettings,
  dial: Dialled["dial"],
  signal?: AbortSignal,
): Promise<Client> {
  const ssh2 = loadSsh2();
  const login = await planLogin(ssh2, settings);
  const types = await knownKeyTypes(settings);
  const timer = new AbortController();
  const deadline = pausableTimer(settings.connectTimeoutMs, () => timer.abort(timedOut(settings)));
  const abort = timer.signal;
  const passOn = (): void => timer.abort(signal?.reason);
  if (signal?.aborted === true) passOn();
  signal?.addEventListener("abort", passOn, { once: true });
  const client = new ssh2.Client();
  try {
    // What happened while modules and keys were read is told by no event.
    abort.throwIfAborted();
    const sock = await dial(abort).catch((error: unknown) => {
      throw abort.aborted ? abort.reason : dialFailed(settings, error);
    });
    if (abort.aborted) sock.destroy();
    abort.throwIfAborted();
    await handshake({ client, settings, sock, abort, login, types, deadline });
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  } finally {
    deadline.stop();
    signal?.removeEventListener("abort", passOn);
  }
}

interface Deadline {
  /** While a human is asked. */
  paused<T>(work: () => Promise<T>): Promise<T>;
  stop(): void;
}

function pausableTimer(ms: number, onTimeout: () => void): Deadline {
  let timer = setTimeout(onTimeout, ms);
  return {
    paused: async (work) => {
      clearTimeout(timer);
      try {
        return await work();
      } finally {
        timer = setTimeout(onTimeout, ms);
      }
    },
    stop: () => clearTimeout(timer),
  };
}

interface Handshake {
  readonly client: Client;
  readonly settings: SshSettings;
  readonly sock: Duplex;
  readonly abort: AbortSignal;
  readonly login: Awaited<ReturnType<typeof planLogin>>;
  readonly types: readonly string[];
  readonly deadline: Deadline;
}

function handshake({ client, settings, sock, abort, types, deadline, ...planned }: Handshake): Promise<void> {
  return new Promise((resolve, reject) => {
    let { login } = planned;
    const tried: string[] = [];
    let greeted = false;
    let refusal: unknown;
    const fail = (error: unknown): void => {
      sock.destroy();
      reject(error);
    };
    const abandon = (): void => fail(abort.reason);
    abort.addEventListener("abort", abandon, { once: true });
    client.once("ready", () => {
      // From here on an interrupt needs the connection: by it what runs on the host is ended.
      abort.removeEventListener("abort", abandon);
      resolve();
    });
    client.once("greeting", () => undefined);
    client.once("handshake", () => {
      greeted = true;
    });
    client.on("error", (error: Error & { level?: string }) => {
      if (refusal !== undefined) fail(refusal);
      else if (error.level === "client-authentication") fail(loginFailed(settings, tried, login));
      else fail(greeted ? broken(settings, error) : new DroppedError(error.message));
    });
    client.once("close", () =>
      fail(
        refusal ??
          (tried.length > 0
            ? loginFailed(settings, tried, login)
            : new DroppedError("the connection was closed")),
      ),
    );
    let waiting = [...login.attempts];
    const config: ConnectConfig = {
      ...{ sock, username: settings.user, readyTimeout: 0 },
      ...{ keepaliveInterval: limits.keepaliveIntervalMs, keepaliveCountMax: limits.keepaliveCountMax },
      algorithms: algorithms(types),
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
        deadline
          .paused(() => acceptHostKey(settings, key))
          .then(
            (trust) => {
              if (trust === "unsafe") {
                unsafe.add(client);
                login = withoutPassword(login);
                waiting = [...login.attempts];
              }
              verify(true);
            },
            (error: unknown) => {
              refusal = error;
              verify(false);
            },
          );
      },
      authHandler: (left, _partial, next) => {
        const at = waiting.findIndex(({ method }) => isOffered(method.type, left));
        const attempt = waiting[at];
        if (attempt === undefined) return next(false as never);
        waiting.splice(0, at + 1);
        tried.push(attempt.label);
        next(attempt.method);
      },
    };
    client.connect(config);
    signAtOnce(client);
    leaveKeysUnproven(client);
  });
}

/** Clients of hosts that show another key than the known one. */
const unsafe = new WeakSet<Client>();
export const isUnsafe = (client: Client): boolean => unsafe.has(client);

/** Before the first answer it is not known what the server offers. */
function isOffered(type: string, left: readonly string[] | null): boolean {
  if (left === null) return true;
  return left.includes(type === "agent" ? "publickey" : type);
}

/**
 * AES-GCM first: OpenSSL does it in hardware, while chacha20-poly1305 runs in JavaScript. Host key types that are known
 * come before the others.
 */
function algorithms(types: readonly string[]): NonNullable<ConnectConfig["algorithms"]> {
  const usual = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
  ] as const;
  const isKnown = (name: string): boolean =>
    types.includes(name) || (name.startsWith("rsa-sha2") && types.includes("ssh-rsa"));
  const serverHostKey = [...usual.filter(isKnown), ...usual.filter((name) => !isKnown(name))];
  const cipher = [
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "chacha20-poly1305@openssh.com",
  ] as const;
  return { serverHostKey, cipher: [...cipher] };
}

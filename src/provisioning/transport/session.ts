/**
 * A Session is one connection to one machine; on it one long-lived sh a user. The engine writes frames and gets
 * results; how bytes travel (ssh, a local process, docker exec) is this folder's business.
 */
import type { HttpAnswer, HttpRequest, TcpAnswer, TcpRequest } from "../host/question.ts";
import type { Env } from "../host/step.ts";

/** One script of a message. All frames of a message leave in one write, so together they cost one round trip. */
export interface Frame {
  /** "ask" runs in a subshell with stdin from /dev/null; "step" may start foreign code that leaves children behind. */
  readonly kind: "ask" | "step";
  readonly script: string;
  readonly stdin?: Uint8Array;
  /** Stdin that is sent in pieces while the script reads. */
  readonly stream?: StreamedInput;
  /** Of a stream: from the last piece that left. */
  readonly timeoutMs: number;
  /** Not run (result `skipped`) when an earlier frame of this message ended with another code than its okCodes. */
  readonly onlyAfterSuccess?: boolean;
  readonly okCodes?: readonly number[];
}
/**
 * A connection that ends, an interrupt, a file that cannot be read: the script sees the end too early. It must count,
 * and take nothing for whole that is shorter than `sizeBytes`.
 */
export interface StreamedInput {
  /** Bytes at hand, or a file of the controller. */
  readonly from: string | Uint8Array;
  readonly sizeBytes: number;
}
export interface FrameResult {
  readonly skipped: boolean;
  readonly timedOut: boolean;
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly elapsedMs: number;
  /** As much of it as its stream took to leave. */
  readonly sendingMs?: number;
}

export interface Shell {
  readonly user: string;
  /** One message: every frame in order. Rejects with code connection-lost when the connection ends in between. */
  exchange(frames: readonly Frame[]): Promise<readonly FrameResult[]>;
}

export interface Become {
  readonly user: string;
  readonly method: "sudo" | "su";
  readonly password?: string;
  readonly flags?: readonly string[];
  /** The program, where it is not found by its name. */
  readonly exe?: string;
}

export interface Session {
  /** The same string for two inventory names of one machine and login (R1 uses machineId once facts are known). */
  readonly key: string;
  /**
   * A live shell of the login user, or of another user through become; opened once and kept. Opening begins here, and
   * is waited for by the first exchange: ask for the shells that will be needed before the first message.
   */
  shell(become: Become | null): Promise<Shell>;
  /** Retire shells so that the next use opens anew (R10). */
  retireShells(): Promise<void>;
  download(remotePath: string, localFile: string, options: DownloadOptions): Promise<void>;
  /** A question that needs a TCP connection from the host. */
  http(request: HttpRequest, env?: Env): Promise<HttpAnswer>;
  tcp(request: TcpRequest): Promise<TcpAnswer>;
  /** Shells whose connection ended in the middle of a message: nobody knows how far they have come. */
  leftBehind(): readonly LeftShell[];
  /** Ends such shells of an earlier session: what they run at the moment comes to its end, and nothing follows it. */
  endShells(left: readonly LeftShell[]): Promise<void>;
  /** Commands that run on the host now are ended there, as if their time were over. */
  interrupt(): void;
  /** Messages sent so far, for --profile and the benchmark. */
  readonly roundTrips: number;
  close(): Promise<void>;
}

export interface LeftShell {
  readonly become: Become | null;
  readonly process: ShellProcess;
}
/** A process id is used again; together with the time of its start (clock ticks since boot, as in /proc) it is not. */
export interface ShellProcess {
  readonly pid: string;
  readonly startedAt: string;
}

export interface DownloadOptions {
  /** The user who reads the file on the host. Default: the login user. */
  readonly become?: Become | null;
  readonly maxBytes: number;
}

/** How to reach a host, read from ansible_* variables and options by engine/connection.ts. */
export interface ConnectionPlan {
  readonly name: string;
  readonly connection: "ssh" | "local" | "docker";
  readonly host: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly privateKeyFile?: string;
  readonly connectTimeoutMs: number;
  readonly hostKeyChecking: "strict" | "accept-new" | "off";
  readonly sshConfigFile?: string;
  readonly knownHostsFiles?: readonly string[];
  readonly proxyJump?: string;
  /** Asked on a terminal for an unknown host key; absent: refuse. */
  readonly confirmHostKey?: (question: string) => Promise<boolean>;
  /** Asked on a terminal for the passphrase of a key; absent: such a key is left out. */
  readonly askSecret?: (question: string) => Promise<string>;
  /** Hears what is allowed, but not safe. */
  readonly warn?: (message: string) => void;
}
export type OpenSession = (plan: ConnectionPlan, signal?: AbortSignal) => Promise<Session>;

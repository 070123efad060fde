/** What can be asked of a host. A closed set: each kind has one sh implementation that answers for many at once. */
export type Question =
  | {
      readonly of: "path";
      readonly path: string;
      readonly want: readonly ("stat" | "hash" | "content" | "link")[];
      /** Look through symbolic links for stat and hash. Default false. */
      readonly follow?: boolean;
    }
  | {
      readonly of: "package";
      readonly name: string;
      /** Also ask the package lists for the newest version: slow (apt-cache policy takes 0.3 s). */
      readonly wantCandidate?: true;
    }
  | { readonly of: "unit"; readonly name: string }
  | { readonly of: "user" | "group"; readonly name: string }
  /** Anything else a module must know: runs with stdin from /dev/null and must not change the host. */
  | { readonly of: "script"; readonly sh: string; readonly args: readonly string[] }
  /** Asked through the session's own TCP forwarding, never by a program on the host. World only. */
  | ({ readonly of: "tcp" } & TcpRequest)
  | { readonly of: "http"; readonly request: HttpRequest };

export interface TcpRequest {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly listen?: Listening;
}
/** Until this Python regular expression matches what the peer has said by itself, or it ends, or so long. */
export interface Listening {
  readonly pattern: string;
  readonly forMs: number;
}

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly timeoutMs: number;
  readonly followRedirects: "all" | "safe" | "none";
  readonly validateCerts: boolean;
  /** Bytes of the answer's body that are kept; a longer one is an error. */
  readonly maxBodyBytes: number;
  /** Headers that are not sent on to where a redirect leads; credentials never leave the first address. */
  readonly unredirected?: readonly string[];
  /** A gzipped body is answered unpacked. */
  readonly decompress?: boolean;
  /** A socket of the host, instead of TCP. */
  readonly unixSocket?: string;
  /** PEM: who asks, and whom to believe. */
  readonly tls?: { readonly cert?: Uint8Array; readonly key?: Uint8Array; readonly ca?: Uint8Array };
  /** May go through the proxy that the task's environment names. */
  readonly useProxy?: boolean;
  /** A longer body goes into a file of the controller. */
  readonly spool?: { readonly aboveBytes: number; readonly digests: readonly string[] };
}

export interface PathStat {
  readonly exists: true;
  readonly type: "file" | "directory" | "link" | "socket" | "fifo" | "char" | "block";
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly owner: string;
  readonly group: string;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly atime: number;
  readonly ctime: number;
  readonly inode: number;
  readonly device: number;
  readonly nlink: number;
}

export interface PathAnswer {
  readonly stat: PathStat | { readonly exists: false };
  /** SHA-256, hex; only when asked for and a regular file. */
  readonly sha256?: string;
  /** Only when asked for, of a regular file (through links), and not longer than limits.contentBytes. */
  readonly content?: Uint8Array;
  /** The content was asked for and is longer than limits.contentBytes. */
  readonly contentTooLarge?: true;
  /** The login may not look: whether the path exists, or what it holds, is not known. */
  readonly denied?: true;
  readonly linkTarget?: string;
}
export interface PackageAnswer {
  readonly installed: boolean;
  readonly version?: string;
  /** The newest version that the package lists offer. */
  readonly candidate?: string;
  readonly held?: boolean;
}
export interface UnitAnswer {
  readonly manager: "systemd" | "sysvinit";
  readonly exists: boolean;
  readonly active: "active" | "inactive" | "failed" | "activating" | "deactivating" | "reloading";
  readonly enabled:
    | "enabled"
    | "disabled"
    | "static"
    | "masked"
    | "indirect"
    | "generated"
    | "alias"
    | "unknown";
  /** Its files changed, or came, after systemd read them last. */
  readonly isUnread?: boolean;
  /** `systemctl show` as key → value, for results. */
  readonly properties: Readonly<Record<string, string>>;
}
export interface UserAnswer {
  readonly exists: boolean;
  readonly uid?: number;
  readonly gid?: number;
  readonly gecos?: string;
  readonly home?: string;
  readonly shell?: string;
  /** Supplementary group names. */
  readonly groups?: readonly string[];
  readonly primaryGroup?: string;
  /** The shadow hash, when root asks. */
  readonly passwordHash?: string;
}
export interface GroupAnswer {
  readonly exists: boolean;
  readonly gid?: number;
  readonly members?: readonly string[];
}
export interface ScriptAnswer {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}
export interface SpooledBody {
  readonly file: string;
  readonly sizeBytes: number;
  /** Algorithm → hex. */
  readonly digests: Readonly<Record<string, string>>;
}
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Of a spooled body, which is empty above. */
  readonly file?: SpooledBody;
  readonly url: string;
  readonly elapsedMs: number;
  /** No answer came: why. status is then -1. */
  readonly failure?: string;
}

export interface TcpAnswer {
  readonly open: boolean;
  readonly failure?: string;
  readonly said?: Uint8Array;
}

export interface AnswerOf {
  readonly path: PathAnswer;
  readonly package: PackageAnswer;
  readonly unit: UnitAnswer;
  readonly user: UserAnswer;
  readonly group: GroupAnswer;
  readonly script: ScriptAnswer;
  readonly tcp: TcpAnswer;
  readonly http: HttpAnswer;
}
export type Answer = {
  [K in keyof AnswerOf]: { readonly of: K; readonly value: AnswerOf[K] };
}[keyof AnswerOf];

/** One answer a question, in the order in which they were asked. */
export type Answers = readonly Answer[];

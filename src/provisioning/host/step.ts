/** All a host is ever told to do. A new kind is a change to the engine: think twice. */
export type Env = Readonly<Record<string, string>>;

/** Bytes at hand, or a file of the controller that is streamed. */
export type Source =
  | { readonly bytes: Uint8Array }
  | { readonly file: string; readonly sha256: string; readonly sizeBytes: number };

export type Step =
  | {
      readonly do: "run";
      /** What this is for, as shown to the user: `install haproxy`. */
      readonly why: string;
      readonly argv: readonly string[];
      readonly stdin?: Uint8Array;
      readonly env?: Env;
      readonly cwd?: string;
      /** Octal digits, "022". Default: the shell's. */
      readonly umask?: string;
      /** Exit codes that are fine. Default [0]. */
      readonly okCodes?: readonly number[];
      /** Say when it began and ended, by the host's clock. */
      readonly clock?: true;
      /** Hide argv and output from logs. */
      readonly secret?: boolean;
      /** All that it can change: then it may travel with the steps of other items. Absent: nobody knows. */
      readonly touches?: readonly string[];
    }
  /** Whole or not at all: temporary name beside the target, fsync, validate, rename. Keeps owner and mode unless given. */
  | {
      readonly do: "write";
      readonly why: string;
      readonly path: string;
      readonly from: Source;
      readonly owner?: string;
      readonly group?: string;
      /** Octal digits, "0644". Default: the old file's, else 0666 less the umask. */
      readonly mode?: string;
      /** A command with %s for the temporary file; a failure leaves the old file. */
      readonly validate?: string;
      /** Keep the old file beside it, Ansible's name: path.PID.DATE@TIME~ */
      readonly backup?: boolean;
      /** Write to the file that a symbolic link names (default), or replace the link itself. */
      readonly follow?: boolean;
    }
  /** A file of the host, read into the controller (module fetch). Refused above maxBytes. */
  | { readonly do: "fetch"; readonly why: string; readonly path: string; readonly to: string }
  /** The connection is closed and opened anew until `test` succeeds (reboot, wait_for_connection, reset_connection). */
  | {
      readonly do: "reconnect";
      readonly why: string;
      readonly delayMs: number;
      readonly timeoutMs: number;
      readonly test?: readonly string[];
    };

export interface StepResult {
  readonly ok: boolean;
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly elapsedMs: number;
  /** run with clock: as `date` says it. */
  readonly clock?: { readonly start: string; readonly end: string };
  /** write with backup: the name that the old file got. */
  readonly backupPath?: string;
}

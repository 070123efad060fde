/** What a rendering may see of the world around it. Made by the engine, one for each host and task. */
import type { Span } from "../../base/errors.ts";
import type { Scope } from "./variable.ts";

export interface RenderContext {
  /** A snapshot: rendered variables are kept by the identity of the scope, so a changed variable needs a new Scope. */
  readonly scope: Scope;
  /** Folders that lookups of files and templates search, nearest first: the role's, the playbook's. */
  readonly searchPath: readonly string[];
  /** Other hosts, for `hostvars`. Absent: hostvars is undefined. */
  readonly hosts?: HostDirectory | undefined;
  /** Opens `!vault` values and vaulted files. Absent: such a value is an error. */
  readonly openVault?: OpenVault | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Milliseconds since the epoch. Default: the system's clock. */
  readonly now?: (() => number) | undefined;
  readonly random?: (() => number) | undefined;
  /** Values of `lookup("config", …)`. */
  readonly config?: ReadonlyMap<string, string> | undefined;
  /** Called before anything whose value may be another next time (pipe, password, now(), random): may throw (R4). */
  readonly onImpure?: ((what: string) => void) | undefined;
  /** `lookup("pipe")` may run commands. Default true; false where nothing may happen (syntax check, --list). */
  readonly allowCommands?: boolean | undefined;
}

export interface HostDirectory {
  names(): Iterable<string>;
  /** Hosts of a pattern, as in `hosts:`. Throws ProvisionError. */
  matching?(pattern: string): readonly string[];
  /** Undefined: there is no such host. */
  context(name: string): RenderContext | undefined;
}

/** Ciphertext as in a file → plaintext. Throws ProvisionError when no secret opens it. */
/** `span`: where the ciphertext stands, for the error. */
export type OpenVault = (ciphertext: string, span?: Span) => string;

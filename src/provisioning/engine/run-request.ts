/** What a run is asked to do: everything loaded, nothing rendered. Also the doorway for src/cluster as a library. */
import type { Clock } from "../../base/clock.ts";
import type { Span } from "../../base/errors.ts";
import type { JsonValue } from "../../base/json.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { AnyModule } from "../modules/module.ts";
import type { Playbook } from "../playbook/model.ts";
import type { ConnectionPlan, OpenSession } from "../transport/session.ts";
import type { OpenVault } from "../vars/render-context.ts";
import type { Variable } from "../vars/variable.ts";
import type { HostRecap } from "./events.ts";
import type { TagChoice } from "./tags.ts";

export interface RunRequest {
  readonly playbooks: readonly Playbook[];
  readonly inventory: Inventory;
  /** -e, already merged: wins over everything. */
  readonly extraVars: ReadonlyMap<string, Variable>;
  /** Further magic variables: what the cluster's roles are told (see cli/run.ts). */
  readonly extraMagic?: Readonly<Record<string, JsonValue>>;
  /** --limit as written; undefined is no limit. */
  readonly limit?: readonly string[];
  readonly check: boolean;
  readonly diff: boolean;
  readonly tags: TagChoice;
  readonly startAtTask?: string;
  /** --step: asked before each task. */
  readonly confirmTask?: (task: string) => Promise<"yes" | "no" | "continue">;
  readonly forks: number;
  readonly forceHandlers: boolean;
  readonly verbosity: number;
  /** Off: every question is asked at its task's turn. Only for tests of "ahead = one by one", and for finding faults. */
  readonly askAhead: boolean;
  readonly connection: ConnectionDefaults;
  /** Puts a question to the user (vars_prompt, pause); absent: there is no terminal. */
  readonly prompt?: (question: string, hidden: boolean) => Promise<string>;
  readonly openVault?: OpenVault;
  /** The same for files that tasks send: whatever bytes are in them. */
  readonly openVaultFile?: OpenVaultFile;
  /** Grows while the run goes: passwords in arguments and variables, to be masked wherever text leaves the program. */
  readonly secrets?: Set<string>;
  readonly reloadInventory?: () => Promise<Inventory>;
  readonly environment: RunEnvironment;
}

/** From options and ansible.cfg; ansible_* variables of a host win over them, except where marked. */
export interface ConnectionDefaults {
  readonly user?: string;
  readonly password?: string;
  readonly privateKeyFile?: string;
  readonly port?: number;
  readonly connection?: ConnectionPlan["connection"];
  readonly timeoutMs?: number;
  readonly hostKeyChecking: ConnectionPlan["hostKeyChecking"];
  readonly sshConfigFile?: string;
  /** As ansible_ssh_common_args; variables of the host come first. */
  readonly sshArgs?: string;
  readonly become: boolean;
  readonly becomeUser?: string;
  readonly becomeMethod?: "sudo" | "su";
  readonly becomePassword?: string;
  readonly becomeFlags?: readonly string[];
  readonly confirmHostKey?: (question: string) => Promise<boolean>;
}

export type OpenVaultFile = (ciphertext: string, span: Span) => Uint8Array;

/** The world that the engine runs in, given so that tests give their own. */
export interface RunEnvironment {
  readonly clock: Clock;
  readonly openSession: OpenSession;
  readonly loadModule: (name: string) => Promise<AnyModule>;
  readonly random: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

export interface RunSummary {
  readonly exitCode: number;
  readonly recap: readonly HostRecap[];
  /** Failed or unreachable: what `--limit @failed` means next time. */
  readonly failedHosts: readonly string[];
  readonly stopped?: string;
}

/**
 * How the cluster's verbs reach the engine: cli/ gives a function that runs playbooks with the user's options (user, key,
 * become, vault …) and reports in the user's form. So no verb has a second way to a host.
 */
import type { HostRecap } from "../../provisioning/engine/events.ts";

export interface PlaybookRun {
  /** Read in order; a later one wins. */
  readonly inventories: readonly string[];
  readonly playbooks: readonly string[];
  /** Win over everything, as -e does. */
  readonly extraVars?: Readonly<Record<string, string | number | boolean>>;
  readonly limit?: readonly string[];
}

export interface PlaybookResult {
  readonly exitCode: number;
  readonly recap: readonly HostRecap[];
  /** Every task that changed a host, in order. */
  readonly changes: readonly { readonly host: string; readonly task: string }[];
}

export type RunPlaybook = (run: PlaybookRun) => Promise<PlaybookResult>;

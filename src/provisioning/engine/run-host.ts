/** What a run knows of one inventory host: what it said, what was set for it, how it fares. */
import type { JsonObject, JsonValue } from "../../base/json.ts";
import type { FactKind } from "../host/fact-subsets.ts";
import type { Task } from "../playbook/model.ts";
import type { Variable } from "../vars/variable.ts";
import type { HostRecap, TaskStatus } from "./events.ts";
import type { OwedFound, OwedMarker } from "./owed-handlers.ts";
import type { Handler } from "./play-state.ts";

/** Why a host takes part no longer. */
export type Stop =
  /** A task failed; a rescue may bring it back. */
  | { readonly why: "failed"; readonly task: Task | undefined; readonly result: JsonObject }
  | { readonly why: "unreachable" }
  /** meta end_host, end_play, end_batch: no failure. Gone: no longer among ansible_play_hosts. */
  | { readonly why: "ended"; readonly isGone?: true }
  /** any_errors_fatal, max_fail_percentage or a rolling wait ended it on another host's account. */
  | { readonly why: "halted"; readonly reason: string; readonly rescuable: boolean };

type Count = "ok" | "changed" | "unreachable" | "failed" | "skipped" | "rescued" | "ignored";

export class RunHost {
  readonly name: string;
  /** `ansible_facts` as gathered or set; undefined until then. */
  facts: JsonObject | undefined;
  /** Kinds of facts that were gathered whole; undefined: what the play wants is still to be gathered. */
  factKinds: ReadonlySet<FactKind> | undefined;
  /** The key of the identity that gathered them; undefined after a `setup`, which may have been anybody's. */
  factsBy: string | undefined;
  /** Learnt by modules (getent, service_facts, …), without the prefix: seen beside the gathered ones. */
  moduleFacts: JsonObject = {};
  /** register, set_fact, add_host's vars: the higher layer. Values are data, never rendered. */
  readonly setVars = new Map<string, JsonValue>();
  readonly includeVars = new Map<string, Variable>();
  /** group_by and add_host put it in here, beside the inventory's groups. */
  readonly extraGroups = new Set<string>();
  /** Of the play at hand. */
  stop: Stop | undefined;
  /** Failed or unreachable in an earlier play: takes part in none any more. */
  isLost = false;
  /** Handlers to run at the next flush, by the handler's own identity. */
  readonly notified = new Set<Handler>();
  /** Owed from earlier runs: they wait for what may mend the cause of their failure, and are notified after pre_tasks. */
  readonly owedHere = new Set<Handler>();
  /** Owed from earlier runs, and not yet joined to a play's handlers. */
  owedFound: readonly OwedFound[] = [];
  /** Markers of owed handlers on its disk, by their names. */
  readonly owed = new Map<string, OwedMarker>();
  /** Marked before steps that then had changed nothing, or failed: nothing is owed for them. */
  readonly owedInVain = new Set<Handler>();
  /** After a change that check mode did not make: what is learnt now may be wrong (R12). */
  isUnsure = false;
  /** Registered by tasks that check mode did not run: their results lack what a run would have given. */
  readonly notRun = new Set<string>();
  elapsedMs = 0;
  readonly #counts: Record<Count, number> = {
    ok: 0,
    changed: 0,
    unreachable: 0,
    failed: 0,
    skipped: 0,
    rescued: 0,
    ignored: 0,
  };

  /** Has a line in the recap. */
  tookPart = false;

  constructor(name: string) {
    this.name = name;
  }

  get isActive(): boolean {
    return this.stop === undefined && !this.isLost;
  }

  /** Ansible's arithmetic: a changed task is ok too, an ignored failure is ok and ignored. */
  count(status: TaskStatus, changed = false): void {
    this.tookPart = true;
    const counts = this.#counts;
    if (status === "ok" || status === "unsure") counts.ok++;
    else if (status === "changed" || status === "would-change") {
      counts.ok++;
      counts.changed++;
    } else if (status === "ignored") {
      counts.ok++;
      counts.ignored++;
      if (changed) counts.changed++;
    } else counts[status]++;
  }

  recap(roundTrips: number): HostRecap {
    return { host: this.name, ...this.#counts, elapsedMs: Math.round(this.elapsedMs), roundTrips };
  }
}

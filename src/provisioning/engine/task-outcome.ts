/** How one task (or one item of its loop) ended on one host. */
import type { JsonObject, JsonValue } from "../../base/json.ts";
import type { Effect } from "../modules/module.ts";
import type { ShownDiff, ShownFailure } from "./events.ts";

export interface TaskOutcome {
  readonly changed: boolean;
  readonly failed: boolean;
  readonly skipped: boolean;
  readonly unreachable: boolean;
  /** Check mode stopped before the steps. */
  readonly wouldAct: boolean;
  /** In check mode, after a change that was not made: the answer may be wrong (R12). */
  readonly unsure: boolean;
  readonly result: JsonObject;
  readonly steps: readonly string[];
  readonly diffs: readonly ShownDiff[];
  readonly message?: string;
  readonly failure?: ShownFailure;
  readonly effects: readonly Effect[];
  readonly delegatedTo?: string;
  readonly attempts?: number;
  readonly networkMs: number;
  readonly hostMs: number;
}

export const emptyOutcome: TaskOutcome = {
  changed: false,
  failed: false,
  skipped: false,
  unreachable: false,
  wouldAct: false,
  unsure: false,
  result: {},
  steps: [],
  diffs: [],
  effects: [],
  networkMs: 0,
  hostMs: 0,
};

export function skippedOutcome(reason: string, condition?: string): TaskOutcome {
  const result: JsonObject = {
    changed: false,
    skipped: true,
    skip_reason: reason,
    ...(condition === undefined ? {} : { false_condition: condition }),
  };
  return { ...emptyOutcome, skipped: true, result, message: reason };
}

export const failedOutcome = (failure: ShownFailure, result: JsonObject = {}): TaskOutcome => ({
  ...emptyOutcome,
  failed: true,
  failure,
  result: { changed: false, failed: true, msg: failure.message, ...result },
});

export interface ItemOutcome {
  readonly item: JsonValue;
  readonly label: string;
  /** Its loop variables, as they stand in the registered results. */
  readonly vars: JsonObject;
  readonly outcome: TaskOutcome;
}

/** One result for the whole loop: changed if one changed, failed if one failed, skipped if all were. */
export function loopOutcome(items: readonly ItemOutcome[]): TaskOutcome {
  const outcomes = items.map(({ outcome }) => outcome);
  const failed = outcomes.some((outcome) => outcome.failed);
  const skipped = outcomes.length === 0 || outcomes.every((outcome) => outcome.skipped);
  const changed = outcomes.some((outcome) => outcome.changed);
  const unreachable = outcomes.some((outcome) => outcome.unreachable);
  const sum = (pick: (outcome: TaskOutcome) => number): number =>
    outcomes.reduce((total, outcome) => total + pick(outcome), 0);
  const failure = outcomes.find((outcome) => outcome.failure !== undefined)?.failure;
  return {
    ...emptyOutcome,
    changed,
    failed,
    skipped,
    unreachable,
    wouldAct: outcomes.some((outcome) => outcome.wouldAct),
    unsure: outcomes.some((outcome) => outcome.unsure),
    result: {
      changed,
      failed,
      skipped,
      ...(items.length === 0 ? { skipped_reason: loopMessage(0, failed, skipped) } : {}),
      ...(unreachable ? { unreachable } : {}),
      msg: loopMessage(outcomes.length, failed, skipped),
      results: items.map(({ vars, outcome }) => ({ ...outcome.result, ...vars })),
    },
    steps: outcomes.flatMap(({ steps }) => steps),
    effects: outcomes.flatMap(({ effects }) => effects),
    ...(failure === undefined ? {} : { failure }),
    networkMs: sum(({ networkMs }) => networkMs),
    hostMs: sum(({ hostMs }) => hostMs),
  };
}

function loopMessage(count: number, failed: boolean, skipped: boolean): string {
  if (count === 0) return "No items in the list";
  if (failed) return "One or more items failed";
  return skipped ? "All items skipped" : "All items completed";
}

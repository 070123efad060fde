/** What leaves for a machine in one go, and what comes back. */
import type { Answers, Question } from "../host/question.ts";
import type { Step, StepResult } from "../host/step.ts";
import type { Frame } from "../transport/session.ts";
import type { DoneAlong } from "./along.ts";
import type { Identity } from "./identity.ts";
import type { Batch } from "./loop-batch.ts";
import type { Found } from "./step-segments.ts";

export interface Asked {
  readonly identity: Identity;
  readonly question: Question;
}

/** What one message carries: owed markers, steps in order, then questions. */
export interface Message {
  readonly identity: Identity;
  readonly before?: readonly Frame[];
  readonly steps: readonly Step[];
  /** What the steps were planned from. */
  readonly found?: Found;
  /** Of the task at hand: must be answered. */
  readonly own: readonly Question[];
  /** Of what follows, by any identity: a failure is silent (R5). */
  readonly ahead: readonly Asked[];
  readonly stepTimeoutMs: number;
  /** Steps of the loop items behind this one, which run after its own. */
  readonly batch?: Batch;
}

export interface Timing {
  networkMs: number;
  hostMs: number;
}
export interface Reply {
  readonly steps: readonly StepResult[];
  readonly own: Answers;
  readonly timing: Timing;
  /** Items of the batch that are done. */
  readonly along: readonly DoneAlong[];
}

/** What came of questions. */
export interface Heard {
  readonly asked: readonly Question[];
  readonly answers: Answers | undefined;
  readonly epoch: number;
  readonly atMs: number;
  /** The steps before them ended well. */
  readonly isWhole: boolean;
}

/** Frames of the engine's own, ahead of the questions of the same identity. */
export interface FirstFrames {
  readonly identity: Identity;
  readonly frames: readonly Frame[];
}

/** One message each: an answer belongs to who asked. */
export function byIdentity(asked: readonly Asked[], first?: FirstFrames): Message[] {
  const groups = new Map<string, { readonly identity: Identity; readonly ahead: Asked[] }>();
  if (first !== undefined) groups.set(first.identity.key, { identity: first.identity, ahead: [] });
  for (const each of asked) {
    const { identity } = each;
    const group = groups.get(identity.key) ?? { identity, ahead: [] };
    group.ahead.push(each);
    groups.set(identity.key, group);
  }
  return [...groups.values()].map((group) => ({
    ...{ ...group, steps: [], own: [], stepTimeoutMs: 0 },
    ...(group.identity.key === first?.identity.key ? { before: first.frames } : {}),
  }));
}

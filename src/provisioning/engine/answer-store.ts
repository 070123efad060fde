/**
 * What is known of one machine, and for how long it may be believed (rules R0, R1, R2, R6 of the engine): an answer
 * counts only for the same question by the same identity, while nothing was done to the machine since it was asked.
 */
import type { Answer, Question } from "../host/question.ts";

export interface Stored {
  readonly answer: Answer;
  readonly epoch: number;
  /** When it was asked, by a clock that never jumps. */
  readonly atMs: number;
}

/** Kinds whose answers change by themselves. */
const volatile: ReadonlySet<Question["of"]> = new Set(["unit", "script", "tcp", "http"]);

export const questionKey = (question: Question, identity: string): string =>
  `${identity}\u0000${JSON.stringify(question)}`;

/** Of one machine, by whatever name it was reached (R1). */
export class Epoch {
  /** Counts what was done to it. */
  value = 0;
  /** When it last counted. */
  changedAtMs = Number.NEGATIVE_INFINITY;
  /** Async jobs that live on it: nothing is asked ahead (R11). */
  jobs = 0;
  /** Check mode left out a change: what is learnt now may be wrong (R12). */
  isUnsure = false;
  /** Mount points of network file systems (R2). */
  sharedMounts: readonly string[] = [];
}

export interface AnswerAges {
  /** Of answers that change by themselves: services, scripts. */
  readonly volatileMs: number;
  /** Of all others: somebody else may be at work on the machine too. */
  readonly steadyMs: number;
}

export class AnswerStore {
  readonly #answers = new Map<string, Stored>();
  readonly #ages: AnswerAges;
  #epoch = new Epoch();
  /** Answers to what was asked before this moment are stale (R6). */
  #sinceMs = Number.NEGATIVE_INFINITY;

  constructor(ages: AnswerAges) {
    this.#ages = ages;
  }

  get epoch(): number {
    return this.#epoch.value;
  }

  get machine(): Epoch {
    return this.#epoch;
  }

  /** It is a machine that is known by another name already: what was asked of it since its last change holds (R1). */
  share(epoch: Epoch): void {
    if (epoch === this.#epoch) return;
    for (const [key, stored] of this.#answers) {
      if (stored.atMs > epoch.changedAtMs) this.#answers.set(key, { ...stored, epoch: epoch.value });
      else this.#answers.delete(key);
    }
    this.#epoch = epoch;
  }

  /** Something was, or may have been, done to the machine. */
  bump(nowMs: number): number {
    this.#answers.clear();
    this.#epoch.changedAtMs = nowMs;
    return ++this.#epoch.value;
  }

  /** A pause, a rolling wait, a slow step elsewhere: time in which anybody may have done anything. */
  expire(nowMs: number): void {
    this.#sinceMs = nowMs;
  }

  /** Answers of another epoch than today's are thrown away. */
  keep(key: string, stored: Stored): void {
    if (stored.epoch === this.#epoch.value) this.#answers.set(key, stored);
  }

  find(key: string, question: Question, nowMs: number): Answer | undefined {
    const stored = this.#answers.get(key);
    if (stored === undefined || stored.epoch !== this.#epoch.value) return undefined;
    const ageMs = volatile.has(question.of) ? this.#ages.volatileMs : this.#ages.steadyMs;
    return nowMs - stored.atMs > ageMs || stored.atMs < this.#sinceMs ? undefined : stored.answer;
  }

  forget(key: string): void {
    this.#answers.delete(key);
  }
}

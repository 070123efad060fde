/**
 * What is known of one machine, and for how long it may be believed (rules R0, R1, R2, R6 of the engine): an answer
 * counts only for the same question by the same identity, while nothing was done to the machine since it was asked.
 */
import type { Answer, Question } from "../host/question.ts";

export interface Stored {
  readonly answer: Answer;
  readonly epoch: number;
  readonly atMs: number;
}

/** Kinds whose answers change by themselves. */
const volatile: ReadonlySet<Question["of"]> = new Set(["unit", "script", "tcp", "http"]);

export const questionKey = (question: Question, identity: string): string =>
  `${identity}\u0000${JSON.stringify(question)}`;

/** Counts what was done to one machine, by whatever name it was reached (R1). */
export class Epoch {
  value = 0;
}

export class AnswerStore {
  readonly #answers = new Map<string, Stored>();
  readonly #volatileAgeMs: number;
  #epoch = new Epoch();
  /** Volatile answers from before this moment are stale (R6). */
  #volatileSinceMs = Number.NEGATIVE_INFINITY;

  constructor(volatileAgeMs: number) {
    this.#volatileAgeMs = volatileAgeMs;
  }

  get epoch(): number {
    return this.#epoch.value;
  }

  /** It turned out to be a machine that is known by another name already. */
  share(epoch: Epoch): void {
    if (epoch === this.#epoch) return;
    this.#answers.clear();
    this.#epoch = epoch;
  }

  /** Something was, or may have been, done to the machine. */
  bump(): number {
    this.#answers.clear();
    return ++this.#epoch.value;
  }

  /** A pause, a rolling wait, a slow step elsewhere. */
  expireVolatile(nowMs: number): void {
    this.#volatileSinceMs = nowMs;
  }

  /** Answers of another epoch than today's are thrown away. */
  keep(key: string, stored: Stored): void {
    if (stored.epoch === this.#epoch.value) this.#answers.set(key, stored);
  }

  find(key: string, question: Question, nowMs: number): Answer | undefined {
    const stored = this.#answers.get(key);
    if (stored === undefined || stored.epoch !== this.#epoch.value) return undefined;
    if (volatile.has(question.of)) {
      if (nowMs - stored.atMs > this.#volatileAgeMs || stored.atMs < this.#volatileSinceMs) return undefined;
    }
    return stored.answer;
  }

  forget(key: string): void {
    this.#answers.delete(key);
  }
}

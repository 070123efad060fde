/** Time and randomness, given as arguments so that tests and simulations can hold them still. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds of a clock that never jumps: for durations and deadlines. */
  monotonic(): number;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

/** Uniform in [0, 1). */
export type Random = () => number;

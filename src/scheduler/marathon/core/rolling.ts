/** The arithmetic of a rolling upgrade: how many old instances may go and how many new ones may come, now. */
import type { UpgradeStrategy } from "../model/app.ts";

export interface RollingCounts {
  /** How many the app wants. */
  readonly wanted: number;
  /** Old instances that are to live: all of them, and those that serve. */
  readonly old: number;
  readonly oldHealthy: number;
  /** New instances that are to live: all of them, and those that are ready. */
  readonly fresh: number;
  readonly freshReady: number;
}

export interface RollingMove {
  readonly kill: number;
  readonly start: number;
}

/**
 * `minHealthy = ceil(n · minimumHealthCapacity)`, `maxCapacity = floor(n · (1 + maximumOverCapacity))`. What serves
 * beyond minHealthy may go at once; one more than maxCapacity is allowed where otherwise nothing could move.
 */
export function rollingMove(counts: RollingCounts, strategy: UpgradeStrategy): RollingMove {
  const { wanted, old, oldHealthy, fresh, freshReady } = counts;
  const minHealthy = ceil(wanted * strategy.minimumHealthCapacity);
  const healthy = oldHealthy + freshReady;
  const spare = Math.max(0, healthy - minHealthy);
  const isStuck = spare === 0 && fresh === freshReady && old > oldHealthy;
  // An old instance that does not serve gives way when nothing else can move.
  const kill = Math.min(old, isStuck ? old - oldHealthy : spare);
  const base = floor(wanted * (1 + strategy.maximumOverCapacity));
  const maxCapacity = minHealthy === base && base <= healthy ? base + 1 : base;
  const room = Math.max(0, maxCapacity - (old - kill) - fresh);
  return { kill, start: Math.min(room, Math.max(0, wanted - fresh)) };
}

/** 0.1 + 0.2 must not make one instance more. */
const tolerance = 1e-9;
const ceil = (value: number): number => Math.ceil(value - tolerance);
const floor = (value: number): number => Math.floor(value + tolerance);

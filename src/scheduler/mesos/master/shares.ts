/** Running sums of who holds how much: what dominant resource fairness sorts by. Scalars only, in thousandths. */
import type { Resources } from "../protocol/resources.ts";

class Holding {
  readonly milli = new Map<string, number>();
  /** How often something was allocated: breaks ties. */
  allocations = 0;

  get isEmpty(): boolean {
    return [...this.milli.values()].every((milli) => milli === 0);
  }

  change(resources: Resources, sign: 1 | -1): void {
    for (const { name, quantity } of resources.entries)
      if (quantity.kind === "scalar")
        this.milli.set(name, (this.milli.get(name) ?? 0) + sign * quantity.milli);
  }
}

export class Shares {
  readonly #total = new Holding();
  readonly #holders = new Map<string, Holding>();

  grow(total: Resources): void {
    this.#total.change(total, 1);
  }

  shrink(total: Resources): void {
    this.#total.change(total, -1);
  }

  charge(holder: string, resources: Resources): void {
    let holding = this.#holders.get(holder);
    if (holding === undefined) {
      holding = new Holding();
      this.#holders.set(holder, holding);
    }
    holding.allocations++;
    holding.change(resources, 1);
  }

  release(holder: string, resources: Resources): void {
    this.#holders.get(holder)?.change(resources, -1);
  }

  /** Those that hold nothing and are gone. */
  forgetEmpty(isGone: (holder: string) => boolean): void {
    for (const [holder, { isEmpty }] of this.#holders)
      if (isEmpty && isGone(holder)) this.#holders.delete(holder);
  }

  /** How many are known. */
  get size(): number {
    return this.#holders.size;
  }

  /** The largest part of any scalar that the holder has of the whole. */
  dominant(holder: string): number {
    const holding = this.#holders.get(holder);
    if (holding === undefined) return 0;
    let share = 0;
    for (const [name, milli] of holding.milli) {
      const total = this.#total.milli.get(name) ?? 0;
      if (total > 0) share = Math.max(share, milli / total);
    }
    return share;
  }

  /** The poorest first; then the least often served; then by name. */
  sorted<T>(
    candidates: readonly T[],
    holderOf: (candidate: T) => string,
    weightOf: (candidate: T) => number,
  ): T[] {
    if (candidates.length < 2) return [...candidates];
    const ranked = candidates.map((candidate) => {
      const holder = holderOf(candidate);
      return {
        candidate,
        holder,
        share: this.dominant(holder) / weightOf(candidate),
        allocations: this.#holders.get(holder)?.allocations ?? 0,
      };
    });
    ranked.sort(
      (a, b) => a.share - b.share || a.allocations - b.allocations || (a.holder < b.holder ? -1 : 1),
    );
    return ranked.map(({ candidate }) => candidate);
  }
}

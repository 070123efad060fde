/**
 * Python's random.Random(seed): the Mersenne Twister, seeded as Python does, so that a minute that a role drew from a
 * host's name stays the minute that it was.
 */
import { createHash } from "node:crypto";

const size = 624;
const period = 397;

export class PythonRandom {
  readonly #state = new Uint32Array(size);
  #at = size;

  /** Text counts with its hash, a number without its sign. */
  constructor(seed: string | number | bigint) {
    this.#seed(typeof seed === "string" ? numberOf(seed) : BigInt(seed));
  }

  /** A whole number of 0 … n - 1. */
  below(n: number): number {
    if (n <= 1) return 0;
    const bits = n.toString(2).length;
    let drawn = this.#bits(bits);
    while (drawn >= n) drawn = this.#bits(bits);
    return drawn;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const mixed = [...items];
    for (let index = mixed.length - 1; index > 0; index--) {
      const other = this.below(index + 1);
      [mixed[index], mixed[other]] = [mixed[other] as T, mixed[index] as T];
    }
    return mixed;
  }

  #bits(count: number): number {
    let value = 0;
    let scale = 1;
    for (let left = count; left > 0; left -= 32) {
      const word = this.#word();
      value += (left < 32 ? word >>> (32 - left) : word) * scale;
      scale *= 2 ** 32;
    }
    return value;
  }

  #word(): number {
    if (this.#at >= size) this.#turn();
    let word = this.#state[this.#at++] ?? 0;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  #turn(): void {
    const state = this.#state;
    const of = (index: number): number => state[index % size] ?? 0;
    for (let index = 0; index < size; index++) {
      const joined = (of(index) & 0x80000000) | (of(index + 1) & 0x7fffffff);
      state[index] = of(index + period) ^ (joined >>> 1) ^ ((joined & 1) === 0 ? 0 : 0x9908b0df);
    }
    this.#at = 0;
  }

  #seed(seed: bigint): void {
    const keys = wordsOf(seed < 0n ? -seed : seed);
    const state = this.#state;
    const mixed = (index: number): number => {
      const before = state[index - 1] ?? 0;
      return before ^ (before >>> 30);
    };
    state[0] = 19650218;
    for (let index = 1; index < size; index++) state[index] = Math.imul(1812433253, mixed(index)) + index;
    let at = 1;
    const advance = (): void => {
      at++;
      if (at < size) return;
      state[0] = state[size - 1] ?? 0;
      at = 1;
    };
    for (let round = 0; round < Math.max(size, keys.length); round++) {
      const turn = round % keys.length;
      state[at] = ((state[at] ?? 0) ^ Math.imul(mixed(at), 1664525)) + (keys[turn] ?? 0) + turn;
      advance();
    }
    for (let round = 0; round < size - 1; round++) {
      state[at] = ((state[at] ?? 0) ^ Math.imul(mixed(at), 1566083941)) - at;
      advance();
    }
    state[0] = 0x80000000;
  }
}

function numberOf(text: string): bigint {
  const bytes = Buffer.from(text, "utf8");
  const hash = createHash("sha512").update(bytes).digest();
  return BigInt(`0x${Buffer.concat([bytes, hash]).toString("hex")}`);
}

function wordsOf(value: bigint): number[] {
  const words: number[] = [];
  for (let left = value; left > 0n; left >>= 32n) words.push(Number(left & 0xffffffffn));
  return words.length > 0 ? words : [0];
}

/** Time that passes only when there is nothing else to do; the same seed gives the same course. */
export class VirtualTime {
  now = Date.parse("2026-01-01T00:00:00.000Z");
  readonly random: () => number;
  #count = 0;
  readonly #waiting: {
    readonly at: number;
    readonly order: number;
    readonly work: () => void | Promise<void>;
  }[] = [];

  constructor(random: () => number) {
    this.random = random;
  }

  after(ms: number, work: () => void | Promise<void>): void {
    this.#count += 1;
    const entry = { at: this.now + ms, order: this.#count, work };
    let index = this.#waiting.length;
    while (index > 0 && isAfter(this.#waiting[index - 1], entry)) index -= 1;
    this.#waiting.splice(index, 0, entry);
  }

  every(ms: number, work: () => void): void {
    const again = (): void => {
      work();
      this.after(ms, again);
    };
    this.after(ms, again);
  }

  async run(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      const next = this.#waiting[0];
      if (next === undefined || next.at > end) break;
      this.#waiting.shift();
      this.now = next.at;
      await next.work();
    }
    this.now = end;
  }

  between(least: number, most: number): number {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  /** A way that messages take: slow at random, but in order; nothing arrives once it is cut. */
  channel(): Channel {
    let last = 0;
    let isOpen = true;
    return {
      send: (work) => {
        const at = Math.max(last, this.now + this.between(1, 20));
        last = at;
        this.after(at - this.now, () => (isOpen ? work() : undefined));
      },
      cut: () => {
        isOpen = false;
      },
      get isOpen() {
        return isOpen;
      },
    };
  }
}

export interface Channel {
  send(work: () => void | Promise<void>): void;
  cut(): void;
  readonly isOpen: boolean;
}

const isAfter = (
  a: { readonly at: number; readonly order: number } | undefined,
  b: { readonly at: number; readonly order: number },
): boolean => a !== undefined && (a.at > b.at || (a.at === b.at && a.order > b.order));

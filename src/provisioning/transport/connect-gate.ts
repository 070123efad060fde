/** Paces connects: at most so many at once that are not yet authenticated, for each address. */
import { limits } from "./limits.ts";

interface Gate {
  free: number;
  readonly waiting: (() => void)[];
}

const gates = new Map<string, Gate>();

export async function paced<T>(address: string, work: () => Promise<T>): Promise<T> {
  const gate = gates.get(address) ?? { free: limits.connectsInFlight, waiting: [] };
  gates.set(address, gate);
  if (gate.free > 0) gate.free -= 1;
  else await new Promise<void>((resolve) => gate.waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = gate.waiting.shift();
    if (next) next();
    else {
      gate.free += 1;
      if (gate.free === limits.connectsInFlight) gates.delete(address);
    }
  }
}

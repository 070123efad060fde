/** Paces connects: at most so many at once that are not yet authenticated, for each address. */
import pLimit, { type LimitFunction } from "p-limit";
import { limits } from "./limits.ts";

const gates = new Map<string, LimitFunction>();

export async function paced<T>(address: string, work: () => Promise<T>): Promise<T> {
  const gate = gates.get(address) ?? pLimit(limits.connectsInFlight);
  gates.set(address, gate);
  try {
    return await gate(work);
  } finally {
    if (gate.activeCount === 0 && gate.pendingCount === 0) gates.delete(address);
  }
}

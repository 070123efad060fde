/** `serial:` → how many hosts each batch has. */
import type { JsonValue } from "../../base/json.ts";

/** 10 hosts and ["15%", 3, "40%"] make 1, 3, 4, 2: the last entry repeats. Undefined for what is no serial. */
export function batchSizes(serial: JsonValue | undefined, hosts: number): readonly number[] | undefined {
  const entries = serial === undefined || serial === null ? [] : Array.isArray(serial) ? serial : [serial];
  const sizes = entries.map((entry) => sizeOf(entry, hosts));
  if (sizes.some((size) => size === undefined)) return undefined;
  if (sizes.length === 0) return hosts === 0 ? [] : [hosts];
  const batches: number[] = [];
  let left = hosts;
  for (let at = 0; left > 0; at++) {
    const size = Math.min(left, sizes[Math.min(at, sizes.length - 1)] ?? left);
    batches.push(size);
    left -= size;
  }
  return batches;
}

/** 0 means all, as in Ansible. */
function sizeOf(entry: JsonValue | undefined, hosts: number): number | undefined {
  if (typeof entry === "number") return whole(entry, hosts);
  if (typeof entry !== "string") return undefined;
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(entry);
  if (percent !== null) return Math.max(1, Math.floor((Number(percent[1]) / 100) * hosts));
  return /^\s*\d+\s*$/.test(entry) ? whole(Number(entry), hosts) : undefined;
}

const whole = (size: number, hosts: number): number | undefined =>
  !Number.isInteger(size) || size < 0 ? undefined : size === 0 ? Math.max(1, hosts) : size;

export function inBatches<T>(items: readonly T[], sizes: readonly number[]): T[][] {
  const batches: T[][] = [];
  let from = 0;
  for (const size of sizes) {
    batches.push(items.slice(from, from + size));
    from += size;
  }
  return batches;
}

/** Spoilt projects as their user meets them, in a process of their own: its memory is what the user's machine lends. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import type { Seen } from "../support/mutated-projects.ts";

const runs = process.env["PROVISION_TEST_LONG"] === "1" ? 10_000 : 1_000;
/** One process reads so many projects: what one leaves behind counts for the next. */
const runsOfProcess = 250;
const peakLimitBytes = 300 * 1024 * 1024;
/** On a busy machine; what explodes takes minutes. */
const slowestLimitMs = 4_000;

const child = join(import.meta.dirname, "../support/mutated-projects.ts");

async function seen(first: number, last: number): Promise<Seen> {
  // A heap that outgrows this ends the process.
  const argv = [
    "--max-old-space-size=200",
    "--disable-warning=ExperimentalWarning",
    child,
    `${first}`,
    `${last}`,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, argv, {
    maxBuffer: 1 << 24,
    timeout: 300_000,
  });
  return JSON.parse(stdout) as Seen;
}

describe(`${runs} projects with a spoilt file`, () => {
  test("are refused in our words, or are fine, in 300 MB and in no time", {
    timeout: 1_800_000,
  }, async () => {
    let fine = 0;
    for (let first = 1; first <= runs; first += runsOfProcess) {
      const { bad, peakBytes, slowestMs, ...rest } = await seen(first, first + runsOfProcess - 1);
      expect(bad).toEqual([]);
      expect(peakBytes).toBeLessThan(peakLimitBytes);
      expect(slowestMs).toBeLessThan(slowestLimitMs);
      fine += rest.fine;
    }
    expect(fine).toBeGreaterThan(runs / 20);
    expect(fine).toBeLessThan(runs);
  });
});

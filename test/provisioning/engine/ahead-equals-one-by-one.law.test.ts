import { describe, expect, test } from "vitest";
import { isUnnoticed } from "../../support/lost-connections.ts";
import fc from "../../support/property.ts";
import { randomLosses, randomPlaybook } from "../../support/random-playbooks.ts";
import { end } from "../../support/run-random.ts";
import { canMakeWorlds } from "../../support/small-world.ts";

/**
 * Real shells and real programs, in machines that last for one run (small-world.ts): what differs is found whichever
 * part of the engine, of the sh that it sends or of the modules is wrong. A seed of a failure is tried again by
 * PROVISION_TEST_SEED; what was wrong once has a case of its own in rules.law.test.ts or lost-connections.law.test.ts.
 */
const isLong = process.env["PROVISION_TEST_LONG"] !== undefined;
const timeLimitMs = isLong ? 300_000 : 8_000;
const most = isLong ? 12 : 7;
const bounds = {
  numRuns: 100_000,
  interruptAfterTimeLimit: timeLimitMs,
};

describe.skipIf(!canMakeWorlds())("random playbooks", () => {
  test("asking ahead gives the same result as one by one", { timeout: timeLimitMs * 4 }, async () => {
    await fc.assert(
      fc.asyncProperty(randomPlaybook(most), async (each) => {
        expect(await end(each, true)).toEqual(await end(each, false));
      }),
      bounds,
    );
  });

  test("a connection that is lost is told, or makes no difference at all", {
    timeout: timeLimitMs * 4,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(randomPlaybook(most), randomLosses, async (each, losses) => {
        const lost = await end(each, true, losses);
        if (isUnnoticed(lost)) expect(lost).toEqual(await end(each, false));
        else expect(lost.exit).toBe(4);
      }),
      bounds,
    );
  });
});

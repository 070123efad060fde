import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomPlaybook } from "../../support/random-playbooks.ts";
import { end } from "../../support/run-random.ts";
import { canMakeWorlds } from "../../support/small-world.ts";

const isLong = process.env["PROVISION_TEST_LONG"] !== undefined;
const timeLimitMs = isLong ? 600_000 : 15_000;

describe.skipIf(!canMakeWorlds())("random playbooks", () => {
  test("asking ahead gives the same result as one by one", { timeout: timeLimitMs * 4 }, async () => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(randomPlaybook(isLong ? 12 : 7), async (each) => {
        runs++;
        expect(await end(each, true)).toEqual(await end(each, false));
      }),
      {
        numRuns: 100_000,
        interruptAfterTimeLimit: timeLimitMs,
        ...(process.env["PROVISION_TEST_SEED"] === undefined
          ? {}
          : { seed: Number(process.env["PROVISION_TEST_SEED"]) }),
      },
    );
    console.log(`${runs} playbooks`);
  });
});

import { expect, test } from "vitest";
import { type CheckCourse, judge, timesOf } from "../../../../src/scheduler/mesos/agent/health-check.ts";

const times = timesOf({ grace_period_seconds: 10, consecutive_failures: 2 });

/** Each letter is a check a second apart: + passed, - failed. */
function course(checks: string): string {
  let state: CheckCourse = { failures: 0, hasBeenHealthy: false };
  return [...checks]
    .map((check, index) => {
      const judged = judge(state, check === "+", times, index * 4_000);
      state = judged.course;
      if (judged.verdict === undefined) return ".";
      return judged.verdict.killAsUnhealthy ? "K" : judged.verdict.healthy ? "H" : "u";
    })
    .join("");
}

test.each([
  ["---", "...", "failures in the grace period say nothing"],
  ["----", "...u", "the first after it counts"],
  ["-----", "...uK", "the limit kills"],
  ["+--", "HuK", "once healthy, there is no grace"],
  ["+-+-+", "HuHuH", "a success starts the count over"],
])("%s is judged %s: %s", (checks, expected) => {
  expect(course(checks)).toBe(expected);
});

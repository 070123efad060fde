import { expect, test } from "vitest";
import { runTimes, shownDelta } from "../../../src/provisioning/modules/run-times.ts";

test.each([
  [0, "0:00:00.000000"],
  [1_250_000, "0:00:01.250000"],
  [3_723_000_001, "1:02:03.000001"],
  [90_061_000_000, "1 day, 1:01:01.000000"],
  [172_800_000_000, "2 days, 0:00:00.000000"],
])("%i microseconds are %s", (micros, shown) => expect(shownDelta(micros)).toBe(shown));

test.each([
  ["of GNU's date", "2026-01-31 23:59:59.250000123", "2026-02-01 00:00:01.000000456", "0:00:01.750000"],
  ["of a date without %N", "2026-01-31 23:59:59.%N", "2026-02-01 00:00:01.%N", "0:00:02.000000"],
  ["of a clock that was set back", "2026-01-31 02:00:00.5", "2026-01-31 01:00:00.5", "0:00:00.000000"],
])("times %s", (_of, start, end, delta) => {
  const times = runTimes({ start, end });
  expect(times).toMatchObject({ delta });
  expect(times["start"]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/);
});

test("a host without a date has no times", () => expect(runTimes({ start: "", end: "" })).toEqual({}));

import { expect, test } from "vitest";
import { defaultForks, thisMachine } from "../../../src/provisioning/engine/default-forks.ts";

const mib = 1024 * 1024;

test.each([
  ["two cores of a usual machine", { cores: 2, freeBytes: 8_000 * mib, openFiles: 1_048_576 }, 200],
  ["many cores stop at the most", { cores: 64, freeBytes: 64_000 * mib, openFiles: 1_048_576 }, 500],
  ["little memory", { cores: 4, freeBytes: 100 * mib, openFiles: 1_048_576 }, 50],
  ["few open files", { cores: 4, freeBytes: 8_000 * mib, openFiles: 256 }, 96],
  ["next to nothing still works on a few", { cores: 1, freeBytes: mib, openFiles: 64 }, 5],
  ["no limit of files", { cores: 1, freeBytes: 8_000 * mib, openFiles: Number.POSITIVE_INFINITY }, 100],
])("%s", (_what, carrier, forks) => {
  expect(defaultForks(carrier)).toBe(forks);
});

test("this machine carries some", () => {
  expect(defaultForks(thisMachine())).toBeGreaterThanOrEqual(5);
});

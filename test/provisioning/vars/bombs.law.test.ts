import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

interface Said {
  readonly text: string;
  readonly said: string;
  readonly cpuMs: number;
}

/** The heap that all of them have together, one after another. */
const heapMb = 300;
/** Under one second on a quiet machine; on a busy one the watch over regular expressions begins again. */
const cpuLimitMs = 5000;

test("what multiplies is refused or done within a second of work and a small heap, and never crashes", () => {
  const cases = join(import.meta.dirname, "../../cases/expressions/bombs.txt");
  const run = spawnSync(
    process.execPath,
    [
      `--max-old-space-size=${heapMb}`,
      "--disable-warning=ExperimentalWarning",
      join(import.meta.dirname, "bombs.ts"),
      cases,
    ],
    { encoding: "utf8" },
  );
  expect(run.stderr).toBe("");
  const said = run.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Said);
  expect(said.filter((one) => one.said.startsWith("crashed"))).toEqual([]);
  expect(said.filter((one) => one.cpuMs > cpuLimitMs)).toEqual([]);
  const refused = said.filter((one) => one.said === "refused").length;
  expect(refused).toBeGreaterThan(said.length / 2);
});

import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { compileStep, readStepResult } from "../../../src/provisioning/host/compile-step.ts";
import type { Step } from "../../../src/provisioning/host/step.ts";
import { shells } from "./shells.ts";

type Run = Extract<Step, { do: "run" }>;
const run = (shell: readonly string[], step: Omit<Run, "do" | "why">) => {
  const [program = "sh", ...words] = shell;
  const full: Run = { do: "run", why: "run it", clock: true, ...step };
  const { script } = compileStep(full);
  const ended = spawnSync(program, [...words, "-c", script], { input: "" });
  const output = { code: ended.status ?? -1, stdout: ended.stdout, stderr: ended.stderr };
  return readStepResult(full, { ...output, timedOut: false, elapsedMs: 1 });
};

describe.each(shells)("a run with a clock, under $name", ({ argv: shell }) => {
  const sh = (text: string) => run(shell, { argv: ["sh", "-c", text] });

  test("says when it began and ended, as date says it", () => {
    const { clock } = sh("sleep 0.1");
    const date = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\./;
    expect(clock?.start).toMatch(date);
    expect(clock?.end).toMatch(date);
    expect((clock?.end ?? "") > (clock?.start ?? "")).toBe(true);
  });

  test.each([
    ["nothing", "", 0],
    ["a line", "one\n", 0],
    ["no end of line", "one", 3],
    ["what looks like ours", `${"a".repeat(32)} ended 2026\n`, 0],
    ["every byte", String.fromCharCode(...Array.from({ length: 127 }, (_, at) => at + 1)), 255],
  ])("prints %s, and nothing else", (_what, text, code) => {
    const ended = run(shell, { argv: ["sh", "-c", 'printf %s "$1"; exit "$2"', "sh", text, String(code)] });
    expect(ended.stdout.toString()).toBe(text);
    expect(ended.code).toBe(code);
  });

  test("has no name in its environment that was not there", () => {
    const plain = spawnSync(shell[0] ?? "sh", [...shell.slice(1), "-c", "exec env"], { encoding: "utf8" });
    const names = (text: string) => [...text.matchAll(/^(\w+)=/gm)].map(([, name]) => name).sort();
    expect(names(sh("env").stdout.toString())).toEqual(names(plain.stdout));
  });

  test("what it leaves behind may still write", () => {
    expect(sh("(sleep 0.2; echo late) & echo early").stdout.toString()).toBe("early\nlate\n");
  });

  test("without a clock there is none", () => {
    expect(run(shell, { argv: ["true"], clock: undefined as never })).not.toHaveProperty("clock");
  });
});

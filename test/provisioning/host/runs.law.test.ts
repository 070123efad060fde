import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { readDone } from "../../../src/provisioning/host/compile-files.ts";
import { compileRuns, isRepeatable } from "../../../src/provisioning/host/compile-runs.ts";
import { encodeHostText } from "../../../src/provisioning/host/host-text.ts";
import type { Step } from "../../../src/provisioning/host/step.ts";
import { shells } from "./shells.ts";

type RunStep = Extract<Step, { do: "run" }>;

const root = mkdtempSync(join(tmpdir(), "provision-runs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const step = (argv: readonly string[], more: Partial<RunStep> = {}): RunStep => ({
  ...{ do: "run", why: argv.join(" "), argv, touches: argv.slice(argv.indexOf("--") + 1) },
  ...more,
});

describe.each(shells)("steps of many things in $name", ({ argv }) => {
  let folder = "";
  let count = 0;
  beforeEach(() => {
    folder = join(root, `${argv[0]}${count++} it's`);
    mkdirSync(folder, { recursive: true });
  });
  const at = (name: string): string => join(folder, name);
  const run = (things: readonly (readonly RunStep[])[]): number[] => {
    const [program = "sh", ...args] = argv;
    const ran = spawnSync(program, args, { input: encodeHostText(compileRuns(things)) });
    return [...readDone(things.length, { code: ran.status ?? -1, stdout: ran.stdout })];
  };
  const names = ["a", "-n", "it's", "$x", "näme", " b ", "*"];

  test("are all done, in the order that each thing needs", () => {
    const made = names.map((name) => [
      step(["mkdir", "-p", "--", at(name)]),
      step(["chmod", "0750", "--", at(name)]),
    ]);
    expect(run(made)).toEqual(names.map((_, index) => index));
    expect(readdirSync(folder).sort()).toEqual([...names].sort());
    for (const name of names) expect(statSync(at(name)).mode & 0o777).toBe(0o750);
  });

  test("differ from thing to thing", () => {
    writeFileSync(at("old"), "");
    const things = [
      [step(["rm", "-f", "--", at("old")])],
      [step(["ln", "-sfn", "--", "/etc/hosts", at("link")])],
      [step(["touch", "-m", "-t", "200102030405.06", "--", at("new")], { env: { TZ: "UTC0" } })],
      [step(["touch", "--", at("x")]), step(["chmod", "0600", "--", at("x")])],
    ];
    expect(run(things)).toEqual([0, 1, 2, 3]);
    expect(existsSync(at("old"))).toBe(false);
    expect(readlinkSync(at("link"))).toBe("/etc/hosts");
    expect(statSync(at("new")).mtime.toISOString()).toBe("2001-02-03T04:05:06.000Z");
    expect(statSync(at("x")).mode & 0o777).toBe(0o600);
  });

  test("that fail keep no other thing from being done, and are not among the done", () => {
    writeFileSync(at("file"), "");
    const things = ["a", "file/below", "b"].map((name) => [
      step(["mkdir", "-p", "--", at(name)]),
      step(["chmod", "0700", "--", at(name)]),
    ]);
    expect(run(things)).toEqual([0, 2]);
    for (const name of ["a", "b"]) expect(statSync(at(name)).mode & 0o777).toBe(0o700);
  });
});

describe("a step that may run with others", () => {
  test.each([
    [step(["chmod", "0644", "--", "/a"]), true],
    [step(["mkdir", "-p", "--", "/a"]), true],
    [step(["mkdir", "--", "/a"]), false],
    [step(["rmdir", "--", "/a"]), false],
    [step(["chmod", "0644", "/a"]), false],
    [step(["chmod", "0644", "--", "/a"], { umask: "022" }), false],
    [step(["chmod", "0644", "--", "/a"], { stdin: Buffer.from("x") }), false],
    [step(["chmod", "0644", "--", "/a"], { env: { "a-b": "c" } }), false],
    [step(["cp", "--", "/a", "/b"]), false],
  ])("$argv: %#", (each, may) => {
    expect(isRepeatable(each)).toBe(may);
  });

  test("says what it touches", () => {
    const { touches: _none, ...silent } = step(["chmod", "0644", "--", "/a"]);
    expect(isRepeatable(silent)).toBe(false);
  });
});

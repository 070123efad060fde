import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/base/json.ts";
import type { SourceAnswer } from "../../../src/provisioning/modules/module.ts";
import { fileSource, LocalHost, localFacts } from "./local-host.ts";

/** One state of a folder, one task in it: the task changes something (or not), and then nothing is left to do. */
interface LawCase {
  readonly claim: string;
  /** sh, run in the folder before. */
  readonly setup?: string;
  readonly args: JsonObject;
  /** Text of the controller's file, or sh that prints it. */
  readonly source?: string;
  readonly sourceSh?: string;
  /** Names and texts of the controller's folder. */
  readonly tree?: Readonly<Record<string, string>>;
  /** false: there is nothing to do already. Default true. */
  readonly changes?: boolean;
  /** The task cannot be done: what its message contains. */
  readonly fails?: string;
  /** sh, run in the folder after: must succeed. */
  readonly then?: string;
  /** Acts each time. */
  readonly always?: boolean;
  /** Some entries of the result. */
  readonly result?: JsonObject;
}

const shells: Readonly<Record<string, readonly string[]>> = {
  dash: ["dash"],
  bash: ["bash"],
  busybox: ["busybox", "sh"],
};
const casesDir = join(import.meta.dirname, "../../cases/modules/law");
const root = mkdtempSync(join(tmpdir(), "provision-law-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const isThere = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

/** $DIR in any text stands for the folder of the case. */
const inFolder = <T>(value: T, folder: string): T =>
  JSON.parse(JSON.stringify(value).replaceAll("$DIR", folder)) as T;

function sourcesOf(law: LawCase, folder: string): readonly SourceAnswer[] {
  if (law.source !== undefined) return [fileSource(new TextEncoder().encode(law.source))];
  if (law.sourceSh !== undefined) {
    return [fileSource(execFileSync("sh", ["-c", law.sourceSh], { cwd: folder }))];
  }
  if (law.tree === undefined) return [];
  return [treeSource(law.tree, `${folder}.tree`)];
}

function treeSource(tree: Readonly<Record<string, string>>, at: string): SourceAnswer {
  mkdirSync(at, { recursive: true });
  const entries = Object.entries(tree).map(([path, text], index) => {
    if (path.endsWith("/"))
      return { path: path.slice(0, -1), mode: 0o755, entry: { type: "directory" as const } };
    const file = join(at, String(index));
    execFileSync("sh", ["-c", 'cat >"$1"', "sh", file], { input: text });
    const { sha256 } = fileSource(new TextEncoder().encode(text)) as { sha256: string };
    return { path, mode: 0o644, entry: { type: "file" as const, file, sha256, sizeBytes: text.length } };
  });
  return { kind: "tree", entries };
}

async function obey(law: LawCase, module: string, shell: readonly string[], folder: string): Promise<void> {
  const host = new LocalHost({ shell, facts: localFacts(folder) });
  mkdirSync(folder, { recursive: true });
  const own = inFolder(law, folder);
  const check = (script: string) => spawnSync("sh", ["-ec", script], { cwd: folder, encoding: "utf8" });
  expect(check(own.setup ?? ":")).toMatchObject({ status: 0 });
  const sources = sourcesOf(own, folder);
  const first = await host.run(module, own.args, sources);
  if (own.fails !== undefined) {
    expect(first.fail).toContain(own.fails);
    return;
  }
  expect(first.fail).toBeUndefined();
  expect({ changed: first.changed, steps: first.steps }).toMatchObject({ changed: own.changes ?? true });
  expect(check(own.then ?? ":")).toMatchObject({ status: 0, stderr: expect.any(String) });
  if (own.result !== undefined) expect(first.result).toMatchObject(own.result);
  if (own.always === true) return;
  const second = await host.run(module, own.args, sources);
  expect({ steps: second.steps, changed: second.changed }).toEqual({ steps: [], changed: false });
}

describe.each(Object.keys(shells))("under %s", (shellName) => {
  const files = readdirSync(casesDir).filter((file) => file.endsWith(".json"));
  describe.each(files.map((file) => file.replace(".json", "")))("%s", (module) => {
    const cases = JSON.parse(readFileSync(join(casesDir, `${module}.json`), "utf8")) as readonly LawCase[];
    const runs = isThere(shells[shellName]?.[0] ?? "sh");
    test.runIf(runs).each(cases.map((law, index) => ({ ...law, index })))("$claim", async (law) => {
      const folder = join(root, `${shellName}-${module}-${law.index}`);
      await obey(law, module, shells[shellName] ?? ["sh"], folder);
    });
  });
});

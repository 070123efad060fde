/** The law of modules, as cases: the task changes something (or not), and then nothing is left to do. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { JsonObject } from "../../../src/base/json.ts";
import { shellQuote } from "../../../src/base/shell-quote.ts";
import type { SourceAnswer } from "../../../src/provisioning/modules/module.ts";
import { fileSource, type LocalHost } from "./local-host.ts";

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

const casesDir = join(import.meta.dirname, "../../cases/modules");

/** Module → cases, from test/cases/modules/SET/MODULE.json. */
export function lawCases(set: string): ReadonlyMap<string, readonly LawCase[]> {
  const folder = join(casesDir, set);
  const names = readdirSync(folder).map((file) => file.replace(".json", ""));
  return new Map(
    names.map((name) => [
      name,
      JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as readonly LawCase[],
    ]),
  );
}

interface LawPlace {
  readonly host: LocalHost;
  readonly module: string;
  /** $DIR in any text of the case. */
  readonly folder: string;
  /** Where the controller keeps what the case sends. */
  readonly controllerFolder: string;
}

const inFolder = <T>(value: T, folder: string): T =>
  JSON.parse(JSON.stringify(value).replaceAll("$DIR", folder)) as T;

export async function obey(
  law: LawCase,
  { host, module, folder, controllerFolder }: LawPlace,
): Promise<void> {
  const own = inFolder(law, folder);
  const check = async (script: string) => {
    const { code, stdout, stderr } = await host.sh(
      `mkdir -p ${shellQuote(folder)} && cd ${shellQuote(folder)} && set -e\n${script}`,
    );
    return { code, output: `${stdout.toString()}${stderr.toString()}` };
  };
  expect(await check(own.setup ?? ":")).toMatchObject({ code: 0 });
  const sources = sourcesOf(own, folder, controllerFolder);
  const first = await host.run(module, own.args, sources);
  if (own.fails !== undefined) {
    expect(first.fail).toContain(own.fails);
    expect(await check(own.then ?? ":")).toMatchObject({ code: 0 });
    return;
  }
  expect(first.fail).toBeUndefined();
  expect({ changed: first.changed, steps: first.steps }).toMatchObject({ changed: own.changes ?? true });
  expect(await check(own.then ?? ":")).toMatchObject({ code: 0 });
  if (own.result !== undefined) expect(first.result).toMatchObject(own.result);
  if (own.always === true) return;
  const second = await host.run(module, own.args, sources);
  expect({ steps: second.steps, changed: second.changed }).toEqual({ steps: [], changed: false });
}

function sourcesOf(law: LawCase, folder: string, controllerFolder: string): readonly SourceAnswer[] {
  if (law.source !== undefined) return [fileSource(new TextEncoder().encode(law.source))];
  if (law.sourceSh !== undefined) {
    return [fileSource(execFileSync("sh", ["-c", law.sourceSh], { cwd: folder }))];
  }
  return law.tree === undefined ? [] : [treeSource(law.tree, controllerFolder)];
}

function treeSource(tree: Readonly<Record<string, string>>, at: string): SourceAnswer {
  mkdirSync(at, { recursive: true });
  const entries = Object.entries(tree).map(([path, text], index) => {
    if (path.endsWith("/")) {
      return { path: path.slice(0, -1), mode: 0o755, entry: { type: "directory" as const } };
    }
    const file = join(at, String(index));
    execFileSync("sh", ["-c", 'cat >"$1"', "sh", file], { input: text });
    const { sha256 } = fileSource(new TextEncoder().encode(text)) as { sha256: string };
    return { path, mode: 0o644, entry: { type: "file" as const, file, sha256, sizeBytes: text.length } };
  });
  return { kind: "tree", entries };
}

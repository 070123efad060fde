/**
 * Playbooks run by Debian's ansible-playbook and by us, both on local connections: every task's status and the values that
 * playbooks build on must be the same. Deliberate differences are listed here and in docs/ansible.md.
 */
import { execFile, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/base/json.ts";
import type { EngineEvent } from "../../../src/provisioning/engine/events.ts";
import { program } from "../../support/provision.ts";

const run = promisify(execFile);
const source = join(import.meta.dirname, "../../cases/playbooks");
const hasAnsible = spawnSync("ansible-playbook", ["--version"]).status === 0;
const names = readdirSync(source)
  .filter((name) => name.endsWith(".yml"))
  .map((name) => name.slice(0, -4));

let dir = "";
/** A folder of this run's own: handlers that a playbook leaves owed are of this folder's playbooks, and of no other run. */
let cases = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "provision-oracle-"));
  cases = mkdtempSync(join(dir, "cases-"));
  cpSync(source, cases, { recursive: true });
});
afterAll(() => {
  const owed = "/var/lib/provision/owed";
  for (const name of existsSync(owed) ? readdirSync(owed) : []) {
    const marker = join(owed, name);
    if (readFileSync(marker, "utf8").includes(basename(cases))) rmSync(marker);
  }
  rmSync(dir, { recursive: true, force: true });
});

interface Outcome {
  readonly tasks: readonly string[];
  readonly recap: readonly string[];
}

const output = async (
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> => {
  try {
    return (await run(file, [...args], { cwd: cases, env, maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    if (stdout === undefined || stdout === "") throw new Error(`${file} said: ${stderr ?? ""}`);
    return stdout;
  }
};

const optionsOf = (name: string): readonly string[] => {
  const [, line] = /^# options: (.*)\n/.exec(readFileSync(join(source, `${name}.yml`), "utf8")) ?? [];
  return line === undefined ? [] : line.split(" ");
};

interface AnsibleRun {
  readonly plays: readonly {
    readonly tasks: readonly {
      readonly task: { readonly name: string };
      readonly hosts: Readonly<Record<string, JsonObject>>;
    }[];
  }[];
  readonly stats: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

async function byAnsible(name: string, folder: string): Promise<Outcome> {
  const args = ["-i", "hosts.ini", `${name}.yml`, "-e", `d=${folder}`, ...optionsOf(name)];
  const env = { ...process.env, ANSIBLE_STDOUT_CALLBACK: "json", ANSIBLE_RETRY_FILES_ENABLED: "0" };
  const text = await output("ansible-playbook", args, { ...env, ANSIBLE_DEPRECATION_WARNINGS: "0" });
  const { plays, stats }: AnsibleRun = JSON.parse(text.slice(text.indexOf("{\n")));
  const tasks = plays.flatMap((play) =>
    play.tasks.flatMap(({ task, hosts }) =>
      Object.entries(hosts)
        .filter(([, result]) => !isInclude(result))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([host, result]) => line(task.name, host, statusOfResult(result), result)),
    ),
  );
  const recap = Object.entries(stats).map(
    ([host, { ok, changed, failures, skipped, rescued, ignored }]) =>
      `${host} ok=${ok} changed=${changed} failed=${failures} skipped=${skipped} rescued=${rescued} ignored=${ignored}`,
  );
  return { tasks, recap: recap.sort() };
}

const isInclude = ({ action }: JsonObject): boolean =>
  /^(include|include_tasks|include_role|meta)$/.test(String(action));

const statusOfResult = ({ unreachable, failed, skipped, changed }: JsonObject): string =>
  unreachable === true
    ? "unreachable"
    : failed === true
      ? "failed"
      : skipped === true
        ? "skipped"
        : changed === true
          ? "changed"
          : "ok";

async function byUs(name: string, folder: string): Promise<Outcome> {
  const args = ["-i", "hosts.ini", `${name}.yml`, "-e", `d=${folder}`, ...optionsOf(name), "--json"];
  const text = await output(program, args, { ...process.env, XDG_STATE_HOME: folder });
  const includes = new Set<number>();
  const titles = new Map<number, string>();
  const lines: { readonly id: number; readonly host: string; readonly text: string }[] = [];
  let recap: string[] = [];
  for (const event of text
    .split("\n")
    .filter(Boolean)
    .map((each): EngineEvent => JSON.parse(each))) {
    if (event.type === "task-start" && isInclude({ action: event.module })) includes.add(event.id);
    if (event.type === "task-start")
      titles.set(event.id, event.role === undefined ? event.task : `${event.role} : ${event.task}`);
    if (event.type === "run-end") {
      recap = event.recap.map(
        ({ host, ok, changed, failed, skipped, rescued, ignored }) =>
          `${host} ok=${ok} changed=${changed} failed=${failed} skipped=${skipped} rescued=${rescued} ignored=${ignored}`,
      );
    }
    if (event.type !== "task-host" || event.item !== undefined || includes.has(event.id)) continue;
    const { id, host, result, status } = event;
    const isPardoned = status === "ignored" && result["unreachable"] === true;
    const plain = isPardoned ? "unreachable" : (plainStatus[status] ?? status);
    lines.push({ id, host, text: line(titles.get(id) ?? "", host, plain, result) });
  }
  lines.sort((a, b) => a.id - b.id || (a.host < b.host ? -1 : 1));
  return { tasks: lines.map((each) => each.text), recap: recap.sort() };
}

const plainStatus: Readonly<Record<string, string>> = {
  ignored: "failed",
  rescued: "failed",
  "would-change": "changed",
  unsure: "ok",
};

/** What playbooks look at; not what merely describes (times, paths of interpreters). */
const compared = ["changed", "failed", "skipped", "rc", "stdout", "stdout_lines", "msg", "results", "item"];

function line(task: string, host: string, status: string, result: JsonObject): string {
  return `${host} | ${task} | ${status} | ${JSON.stringify(reduced(result, status))}`;
}

function reduced(result: JsonObject, status: string): JsonObject {
  const kept = compared.flatMap((key): [string, JsonValue][] => {
    const value = result[key];
    if (value === undefined || value === false || value === "") return [];
    // Our own words for failures and skips.
    if (key === "msg" && (status !== "ok" || typeof value !== "string" || "results" in result)) {
      return status === "ok" && !("results" in result) ? [[key, value]] : [];
    }
    if (key === "results" && Array.isArray(value))
      return [[key, value.map((each) => (isJsonObject(each) ? reduced(each, statusOfResult(each)) : each))]];
    return [[key, key === "item" ? sorted(value) : value]];
  });
  return Object.fromEntries(kept);
}

/** Ansible's callback writes members in the order of their names. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).map(([key, member]): [string, JsonValue] => [key, sorted(member)]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const golden = join(import.meta.dirname, "../../golden/playbooks");
const isLong = process.env["PROVISION_TEST_LONG"] === "1";

/** What a playbook may write into: another one for each run. */
const ownFolder = /\/tmp\/provision-oracle-\w+\/(?:ours|theirs)-\w+/g;

/** Hosts of strategies other than linear come in any order. */
const inOrder = (name: string, { tasks, recap }: Outcome): string => {
  const text = readFileSync(join(source, `${name}.yml`), "utf8");
  const lines = /^ {2}strategy:/m.test(text) ? [...tasks].sort() : tasks;
  return `${[...lines, ...recap].join("\n").replaceAll(cases, "CASES").replace(ownFolder, "FOLDER")}\n`;
};

describe("what ansible-playbook does", () => {
  test.each(names)("%s", async (name) => {
    const ours = inOrder(name, await byUs(name, mkdtempSync(join(dir, "ours-"))));
    expect(ours).toBe(readFileSync(join(golden, `${name}.txt`), "utf8"));
  });
});

/** Ansible takes minutes for what is recorded in golden/playbooks. A case without a recording gets one here. */
describe.skipIf(!hasAnsible || !isLong)("the recordings of ansible-playbook are true", () => {
  test.each(names)("%s", async (name) => {
    const theirs = inOrder(name, await byAnsible(name, mkdtempSync(join(dir, "theirs-"))));
    const file = join(golden, `${name}.txt`);
    if (!existsSync(file)) writeFileSync(file, theirs);
    expect(theirs).toBe(readFileSync(file, "utf8"));
  });
});

/** Broken playbooks and inventories are refused with a place, or are fine: never a defect, a hang or a full memory. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProvisionError } from "../../src/base/errors.ts";
import { checkPlaybooks } from "../../src/provisioning/engine/check-playbooks.ts";
import type { RunRequest } from "../../src/provisioning/engine/run-request.ts";
import { HostLayers } from "../../src/provisioning/inventory/host-layers.ts";
import { loadInventory } from "../../src/provisioning/inventory/load-inventory.ts";
import { catalogue, loadModule } from "../../src/provisioning/modules/index.ts";
import { loadPlaybook } from "../../src/provisioning/playbook/load-playbook.ts";
import { formatError } from "../../src/provisioning/reporting/format-error.ts";

const isLong = process.env["PROVISION_TEST_LONG"] === "1";
const runs = isLong ? 10_000 : 1_000;
/** Of one file on a busy machine; what explodes takes minutes. */
const oneFileMs = 3_000;
const heapBytes = 300 * 1024 * 1024;

const cases = join(import.meta.dirname, "../cases");
const filesIn = (folder: string): string[] =>
  readdirSync(join(cases, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(cases, folder, name))
    .filter((file) => statSync(file).isFile());
const playbooks = [...filesIn("playbooks"), ...filesIn("playbook")].filter((file) => file.endsWith(".yml"));
const inventories = filesIn("inventory").filter((file) => [".ini", ".yml", ".json"].includes(extname(file)));

const insertions = [
  ..."{}[]:,-#&*!|>'\"%@`?\t\n\u0000é=",
  "{{ ",
  "{% if %}",
  " }}",
  "- ",
  ": ",
  "<<: *a\n",
  "&a [*a, *a]",
  "!vault |\n",
  "\n    ",
  "[9:1]",
  "[g:vars]\n",
  "[g:children]\ng\n",
  "ansible_port=x",
  "include_tasks: ",
  "block:\n",
  "loop: ",
  "when: (",
  "hosts: ~[",
  "serial: -1",
  "y: 1e999",
];

/** Always the same sequence for the same seed: a failure is found again by its number. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

function mutated(files: readonly string[], seed: number): { readonly text: string; readonly ending: string } {
  const next = numbers(seed * 7_919 + 13);
  const upTo = (limit: number): number => Math.floor(next.next().value * limit);
  const file = files[upTo(files.length)] ?? "";
  let text = readFileSync(file, "utf8");
  for (let edits = 1 + upTo(5); edits > 0; edits--) {
    const at = upTo(text.length + 1);
    const end = Math.min(text.length, at + 1 + upTo(40));
    const kind = upTo(5);
    if (kind === 0) text = text.slice(0, at) + text.slice(end);
    else if (kind === 1) text = text.slice(0, end) + text.slice(at);
    else if (kind === 2) text = text.slice(end) + text.slice(0, at);
    else text = text.slice(0, at) + (insertions[upTo(insertions.length)] ?? "") + text.slice(at);
  }
  return { text, ending: extname(file) };
}

const sources: Readonly<Record<string, string>> = {
  "01-hosts": "lone x=1\n[web]\nw[1:3] a='b c'\n[web:vars]\nk=[1, 2]\n[all:children]\nweb\n",
  "02-more.yml":
    "web:\n  hosts:\n    w1: {y: 2}\n  vars: {v: é}\ndb:\n  children:\n    sub: {hosts: {d1: }}\n",
  "03-more.json": '{"all": {"hosts": {"j1": {"k": 1.5}}, "children": {"db": {"vars": {"t": [true, null]}}}}}',
  ".printed":
    '{"dyn": {"hosts": ["p1", "p2"], "vars": {"q": 1}, "children": ["inner"]}, "inner": ["p3"], "_meta": {"hostvars": {"p1": {"z": {"a": []}}}}}',
  "group_vars/web.yml": "g: &g [1, 2]\nh: *g\ntext: |\n  two\n  lines\n",
  "host_vars/w1": "---\ndeep: {a: {b: [c]}}\n",
};

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "provision-mutations-"));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function survives(name: string, seed: number, load: () => unknown): Promise<boolean> {
  const startedAt = performance.now();
  try {
    await load();
    return true;
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw new Error(`seed ${seed} of ${name}`, { cause: error });
    const text = formatError(error, { cwd: dir });
    expect(text, `seed ${seed} of ${name}`).toMatch(/error\[[a-z-]+\]\n\S/);
    expect(text).not.toMatch(/\n\s+at /);
    return false;
  } finally {
    expect(performance.now() - startedAt, `seed ${seed} of ${name}`).toBeLessThan(oneFileMs);
  }
}

describe(`${runs} mutated files`, () => {
  test("playbooks: every mistake is ours to tell", { timeout: 600_000 }, async () => {
    let fine = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const { text } = mutated(playbooks, seed);
      const file = join(dir, "site.yml");
      writeFileSync(file, text);
      const isFine = await survives("playbooks", seed, async () => {
        const playbook = loadPlaybook(file, { catalogue, rolesPath: [join(cases, "playbooks/roles")] });
        await checkPlaybooks({ playbooks: [playbook], environment: { loadModule } } as unknown as RunRequest);
      });
      if (isFine) fine++;
    }
    expect(fine).toBeGreaterThan(0);
    expect(fine).toBeLessThan(runs);
    expect(process.memoryUsage().heapUsed).toBeLessThan(heapBytes);
  });

  test("inventories: every mistake is ours to tell", { timeout: 600_000 }, async () => {
    let fine = 0;
    for (let seed = 1; seed <= runs; seed++) {
      const { text, ending } = mutated(inventories, seed);
      const file = join(dir, `hosts${ending === ".ini" ? "" : ending}`);
      writeFileSync(file, text);
      if (await survives("inventories", seed, () => loadInventory([file], { cwd: dir }))) fine++;
    }
    expect(fine).toBeGreaterThan(0);
    expect(fine).toBeLessThan(runs);
    expect(process.memoryUsage().heapUsed).toBeLessThan(heapBytes);
  });

  /** INI, YAML, JSON, variables and a program in one folder: one of them is spoilt, in its text or in its bytes. */
  test("folders and programs: every mistake is ours to tell", { timeout: 600_000 }, async () => {
    const folder = join(dir, "folder");
    mkdirSync(join(folder, "group_vars"), { recursive: true });
    mkdirSync(join(folder, "host_vars"));
    writeFileSync(join(folder, "04-program"), '#!/bin/sh\ncat "$(dirname "$0")/.printed"\n', { mode: 0o755 });
    const write = (text: Uint8Array | string, name: string): void => writeFileSync(join(folder, name), text);
    for (const [name, text] of Object.entries(sources)) write(text, name);
    const names = Object.keys(sources);
    let fine = 0;
    for (let seed = 1; seed <= runs / 4; seed++) {
      const name = names[seed % names.length] ?? "";
      const { text } = mutated([join(folder, name)], seed);
      const bytes = Buffer.from(`${text}   `, seed % 5 === 0 ? "latin1" : "utf8");
      if (seed % 7 === 0) bytes.set([0xff, 0, 0xc3], Math.min(bytes.length - 3, seed % 40));
      write(bytes, name);
      const isFine = await survives(`the folder's ${name}`, seed, async () => {
        const inventory = await loadInventory([folder], { cwd: dir });
        const layers = new HostLayers(inventory);
        for (const host of inventory.hosts.values()) layers.merged(host);
      });
      if (isFine) fine++;
      write(sources[name] ?? "", name);
    }
    expect(fine).toBeGreaterThan(0);
    expect(fine).toBeLessThan(runs / 4);
    expect(process.memoryUsage().heapUsed).toBeLessThan(heapBytes);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { loadInventory } from "../../../src/provisioning/inventory/load-inventory.ts";
import { matchPattern } from "../../../src/provisioning/inventory/match-pattern.ts";
import fc from "../../support/property.ts";
import { askPython } from "../../support/python.ts";
import { casesDir } from "./inventory-cases.ts";

const oracle = `
from ansible.parsing.dataloader import DataLoader
from ansible.inventory.manager import InventoryManager
manager = InventoryManager(loader=DataLoader(), sources=[data["source"]])
unknown = []
import ansible.inventory.manager as m
m.display.warning = lambda text, *rest: unknown.append(text)
result = []
for pattern in data["patterns"]:
    unknown.clear()
    manager.clear_pattern_cache()
    manager._hosts_patterns_cache = {}
    try:
        manager.subset(pattern if data["limits"] else None)
        hosts = [h.name for h in manager.get_hosts("all" if data["limits"] else pattern)]
    except Exception as error: hosts = None
    result.append(None if hosts is None or unknown else hosts)
`;

const names = [
  "a",
  "b",
  "c",
  "d",
  "e",
  "all",
  "d1",
  "d2",
  "e1",
  "a0",
  "a1",
  "f1",
  "ungrouped",
  "d*",
  "?1",
  "*",
  "[de]1",
  "[!d]*",
  "~[ad]",
  "~.*1",
];
const subscripts = ["", "", "", "", "[0]", "[-1]", "[1:2]", "[0:9]", "[1:]", "[0:0]"];
/** Ansible counts a host twice under a subscript when a glob matches it and its group: we count it once. */
const countsTwice = (name: string): boolean => /[*?[~]/.test(name);
const term = fc
  .tuple(fc.constantFrom("", "", "", "&", "!"), fc.constantFrom(...names), fc.constantFrom(...subscripts))
  .map(([sign, name, subscript]) => `${sign}${name}${countsTwice(name) ? "" : subscript}`);
const pattern = fc
  .tuple(fc.array(term, { minLength: 1, maxLength: 4 }), fc.constantFrom(",", ":", ", "))
  .map(([terms, separator]) => terms.join(separator));

/** Where Ansible warns or fails we refuse; where it answers we answer the same, in the same order. */
test("patterns choose the hosts that Ansible chooses", async () => {
  const source = join(casesDir, "diamond/hosts.ini");
  const patterns = fc.sample(pattern, { numRuns: 2000, seed: 11 });
  const theirs = askPython(oracle, { source, patterns, limits: false }) as (string[] | null)[];
  const inventory = await loadInventory([source]);
  const ours = patterns.map((each) => {
    try {
      return matchPattern(each, inventory);
    } catch (error) {
      if (error instanceof ProvisionError) return null;
      throw error;
    }
  });
  const different = patterns.flatMap((each, index) =>
    JSON.stringify(ours[index]) === JSON.stringify(theirs[index])
      ? []
      : [{ pattern: each, ours: ours[index], theirs: theirs[index] }],
  );
  expect(different).toEqual([]);
});

const people = `[web]
web[1:5]
Web1
[db]
db-1
db-2
[web-x]
a.example.com
b.example.com
[net]
10.0.0.1
10.0.0.22
fe80::1
[prod:children]
web
db
[stage:children]
web-x
net
[empty]
`;

/** As people write them; those that name nothing are warnings of Ansible's, and refused here. */
const written =
  "all * web web* web:db web,db web:&prod prod:!web !web:prod !web &web web:!web1 web:!web[0] web[0] web[-1] " +
  "web[1:2] web[1:] web[:2] web[0:99] web[9] web[3-] ~web\\d ~web[12] ~(web|db).* ~^db ~.*1$ ~b\\.ex web? " +
  "web[!12] *.example.com *1 10.0.0.* 10.0.0.1 fe80::1 fe80::1,web1 *:!prod all:!* prod:&web*:!~.*[34] stage:&net " +
  "stage,!net web,,db ,web web, :web web: ungrouped db-? db*[0] prod[0] prod[-1] prod[5:6] web-x[0] empty,web nope " +
  "nope,web web:!nope localhost localhost,web1 web1:web1 web2,web1 db,web web[0],web[2] ~ *x* ?one web!db web:& !all " +
  "&web:&db &prod:web db:&prod:&all @limit prod:@limit @limit:!db @nowhere";

/** Ansible takes groups below others in an order that differs from run to run: hosts are compared as sets. */
test.each([true, false])("what people write, as a limit: %s", async (limits) => {
  const dir = mkdtempSync(join(tmpdir(), "provision-patterns-"));
  writeFileSync(join(dir, "hosts"), people);
  writeFileSync(join(dir, "limit"), "web1\n\ndb\n");
  // In `hosts:` Ansible reads no files.
  const patterns = written.split(" ").filter((each) => limits || !each.includes("@"));
  const inFile = patterns.map((each) => each.replace("@limit", `@${dir}/limit`));
  const asked = { source: join(dir, "hosts"), patterns: inFile, limits };
  const theirs = askPython(oracle, asked) as (string[] | null)[];
  const inventory = await loadInventory(["hosts"], { cwd: dir });
  const named = new Set(inventory.hosts.keys());
  const chosenBy = (each: string): readonly string[] | null => {
    try {
      return matchPattern(each, inventory, { cwd: dir }).filter((host) => !limits || named.has(host));
    } catch (error) {
      if (error instanceof ProvisionError) return null;
      throw error;
    }
  };
  const table = (hosts: readonly (readonly string[] | null)[]): Record<string, string | undefined> =>
    Object.fromEntries(patterns.map((each, index) => [each, hosts[index]?.toSorted().join(" ")]));
  expect(table(patterns.map(chosenBy))).toEqual(table(theirs));
  rmSync(dir, { recursive: true });
});

import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { loadInventory } from "../../../src/provisioning/inventory/load-inventory.ts";
import { matchPattern } from "../../../src/provisioning/inventory/match-pattern.ts";
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
    try: hosts = [h.name for h in manager.get_hosts(pattern)]
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
  const theirs = askPython(oracle, { source, patterns }) as (string[] | null)[];
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

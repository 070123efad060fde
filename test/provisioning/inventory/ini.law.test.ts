import { expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { groupNamesOf, groupsOfHost } from "../../../src/provisioning/inventory/group-order.ts";
import type { Inventory } from "../../../src/provisioning/inventory/inventory.ts";
import { InventoryBuilder } from "../../../src/provisioning/inventory/inventory-builder.ts";
import { parseIni } from "../../../src/provisioning/inventory/parse-ini.ts";
import { toPlain } from "../../../src/provisioning/source/to-plain.ts";
import { iniLines } from "../../support/ini-texts.ts";
import fc from "../../support/property.ts";
import { askPython } from "../../support/python.ts";

/** Each text as Ansible reads it: null where it fails or warns. */
const oracle = `
import os, tempfile
from ansible.parsing.dataloader import DataLoader
from ansible.inventory.manager import InventoryManager
import ansible.inventory.manager as m, ansible.inventory.data as d
said = []
for display in (m.display, d.display): display.warning = lambda text, *rest, **more: said.append(text)
def read(text):
    said.clear()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "hosts.ini")
        with open(file, "w", newline="") as out: out.write(text)
        try:
            manager = InventoryManager(loader=DataLoader(), sources=[file])
            if any("parse" in each or "same name" in each for each in said): return None
            return {host.name: [sorted(group.name for group in host.get_groups() if group.name != "all"), host.vars, {
                group.name: [group.vars, group.depth, group.priority] for group in host.get_groups()}]
                for host in manager.get_hosts("all")}
        except Exception as error: return None
result = []
for text in data:
    found = read(text)
    if found is not None:
        for host in found.values():
            for kept in ("inventory_file", "inventory_dir"): host[1].pop(kept, None)
    result.append(found)
result = json.loads(json.dumps(result, default=str))
`;

function ours(inventory: Inventory): unknown {
  const plain = (
    vars: Inventory["hosts"] extends ReadonlyMap<string, infer H> ? (H & { vars: unknown })["vars"] : never,
  ) =>
    Object.fromEntries(
      [...vars].map(([name, variable]) => [name, variable.kind === "data" ? null : toPlain(variable.node)]),
    );
  return Object.fromEntries(
    [...inventory.hosts.values()].map((host) => [
      host.name,
      [
        groupNamesOf(inventory, host),
        plain(host.vars),
        Object.fromEntries(
          groupsOfHost(inventory, host).map((group) => [
            group.name,
            [plain(group.vars), group.depth, group.priority],
          ]),
        ),
      ],
    ]),
  );
}

/** What Ansible passes over without a word is refused here. */
const stricter = [
  'a "#" stands inside a word',
  "is given port",
  "is a host and a group",
  "is no whole number",
  "would hold itself",
  "an empty name",
  "is no key=value",
  "is no host and port",
];

test("nearly right inventories are read as Ansible reads them, or refused where Ansible fails", () => {
  const texts = fc.sample(iniLines, { numRuns: 1000, seed: 77 });
  const theirs = askPython(oracle, texts) as unknown[];
  const different = texts.flatMap((text, index) => {
    const expected = theirs[index] ?? null;
    try {
      const builder = new InventoryBuilder();
      parseIni(text, "hosts.ini", builder);
      const found = ours(builder.build([]));
      return JSON.stringify(sorted(found)) === JSON.stringify(sorted(expected))
        ? []
        : [{ text, found, expected }];
    } catch (error) {
      if (!(error instanceof ProvisionError)) throw error;
      const isStricter = stricter.some((part) => error.message.includes(part));
      return expected === null || isStricter ? [] : [{ text, found: error.message, expected }];
    }
  });
  expect(different).toEqual([]);
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inventoryCommand } from "../../src/cli/inventory.ts";
import { cases, casesDir, goldenDir, views, viewsOf } from "../provisioning/inventory/inventory-cases.ts";
import { capturedIo } from "../support/captured-io.ts";

async function printed(name: string, argv: readonly string[]): Promise<string> {
  const io = capturedIo({ cwd: join(casesDir, name) });
  const sources = (cases[name] ?? []).flatMap((source) => ["-i", source]);
  expect(await inventoryCommand([...sources, ...argv], io)).toBe(0);
  return io.output();
}

describe.each(Object.keys(cases))("provision inventory of %s", (name) => {
  test.each(viewsOf(name))("--%s prints what ansible-inventory prints", async (view) => {
    const golden = readFileSync(join(goldenDir, `${name}.${view}`), "utf8");
    expect(await printed(name, views[view] ?? [])).toBe(golden);
  });
});

import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { cases, casesDir, goldenDir, views, viewsOf } from "./inventory-cases.ts";

const run = promisify(execFile);
const update = process.env["PROVISION_UPDATE"] === "1";

async function oracle(name: string, view: readonly string[]): Promise<string> {
  const sources = (cases[name] ?? []).flatMap((source) => ["-i", source]);
  const env = { ...process.env, LC_ALL: "C.UTF-8", ANSIBLE_LOCALHOST_WARNING: "0" };
  const { stdout } = await run("ansible-inventory", [...sources, ...view], {
    cwd: join(casesDir, name),
    env,
  });
  return stdout;
}

/** The golden files are what ansible-inventory printed: PROVISION_UPDATE=1 asks it anew. */
describe.each(Object.keys(cases))("the golden text of %s", (name) => {
  test.each(viewsOf(name))("--%s is what ansible-inventory prints", async (view) => {
    const file = join(goldenDir, `${name}.${view}`);
    const printed = await oracle(name, views[view] ?? []);
    if (update) {
      mkdirSync(goldenDir, { recursive: true });
      writeFileSync(file, printed);
    }
    expect(await readFile(file, "utf8")).toBe(printed);
  });
});

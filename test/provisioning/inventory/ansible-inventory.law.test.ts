import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askPython } from "../../support/python.ts";
import { argumentsOf, cases, casesDir, goldenDir, views, viewsOf } from "./inventory-cases.ts";

const update = process.env["PROVISION_UPDATE"] === "1";

/** ansible-inventory itself, loaded once and forked for each command line: starting it anew takes seconds. */
const oracle = `
import os, tempfile
os.environ.update(LC_ALL="C.UTF-8", ANSIBLE_LOCALHOST_WARNING="0")
from ansible.cli.inventory import InventoryCLI
import ansible.plugins.loader, ansible.vars.manager, ansible.inventory.manager
result = []
for command in data:
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.chdir(command["cwd"])
            code = 1
            try: InventoryCLI(["ansible-inventory", *command["argv"]]).run()
            except SystemExit as ended: code = ended.code
            finally:
                sys.stdout.flush()
                os._exit(code or 0)
        os.waitpid(child, 0)
        said.seek(0)
        result.append(said.read().decode())
`;

const all = Object.keys(cases).flatMap((name) => viewsOf(name).map((view) => ({ name, view })));
const commands = all.map(({ name, view }) => ({
  cwd: join(casesDir, name),
  argv: [...argumentsOf(name), ...(views[view] ?? [])],
}));
const printed = askPython(oracle, commands) as string[];

/** The golden files are what ansible-inventory printed: PROVISION_UPDATE=1 asks it anew. */
describe("ansible-inventory prints the golden text of", () => {
  test.each(all.map((each, index) => ({ ...each, text: printed[index] ?? "" })))("$name --$view", (one) => {
    const file = join(goldenDir, `${one.name}.${one.view}`);
    if (update) {
      mkdirSync(goldenDir, { recursive: true });
      writeFileSync(file, one.text);
    }
    expect(one.text).not.toBe("");
    expect(existsSync(file) ? readFileSync(file, "utf8") : undefined).toBe(one.text);
  });
});

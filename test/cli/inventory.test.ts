import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inventoryCommand } from "../../src/cli/inventory.ts";
import {
  argumentsOf,
  cases,
  casesDir,
  goldenDir,
  views,
  viewsOf,
} from "../provisioning/inventory/inventory-cases.ts";
import { capturedIo } from "../support/captured-io.ts";

async function printed(name: string, argv: readonly string[]): Promise<string> {
  const io = capturedIo({ cwd: join(casesDir, name) });
  expect(await inventoryCommand([...argumentsOf(name), ...argv], io)).toBe(0);
  return io.output();
}

describe.each(Object.keys(cases))("provision inventory of %s", (name) => {
  test.each(viewsOf(name))("--%s prints what ansible-inventory prints", async (view) => {
    const golden = readFileSync(join(goldenDir, `${name}.${view}`), "utf8");
    expect(await printed(name, views[view] ?? [])).toBe(golden);
  });
});

const explained: readonly (readonly [string, readonly string[], string])[] = [
  [
    "the winner and what it overrode",
    ["--host", "w1", "--explain", "from"],
    `from of w1 is 'group_vars_all'
  set by    group_vars of group all, beside the inventory (inventory/group_vars/all.yml:1:7)
  overrides 'yaml', inventory vars of group all (inventory/02-second.yml:2:16)
  In a run, variables of blocks and tasks, facts, set_fact, register and include_vars can still win.
`,
  ],
  [
    "plays and roles, and that -e wins",
    ["--host", "w2", "--explain", "level", "-e", "level=9"],
    `level of w2 is '9'
  set by    extra vars (-e) (--extra-vars:1:1)
  overrides 4, vars of role r (../playbook/roles/r/vars/main.yml:1:8)
  overrides 3, vars of play "web servers" (../playbook/site.yml:3:18)
  overrides 1, defaults of role r (../playbook/roles/r/defaults/main.yml:1:8)
`,
  ],
];

describe("--explain", () => {
  test.each(explained)("names %s", async (_claim, argv, text) => {
    const playbook = join(casesDir, "playbook/site.yml");
    expect(await printed("folder", [...argv, "--playbook", playbook])).toBe(
      text.replaceAll("../playbook", join(casesDir, "playbook")),
    );
  });

  test("without a playbook here, what the package brings for other hosts says nothing", async () => {
    expect(await printed("folder", ["--host", "w1", "--explain", "from"])).toContain("from of w1 is");
  });

  test("of a name that nobody sets names what is near", async () => {
    const playbook = join(casesDir, "playbook/site.yml");
    const attempt = printed("folder", ["--host", "w1", "--explain", "levle", "--playbook", playbook]);
    await expect(attempt).rejects.toMatchObject({ fix: "--explain level" });
  });
});

describe("provision inventory", () => {
  test("refuses a host that is none, and a verb too many", async () => {
    await expect(printed("basics", ["--host", "wbe1"])).rejects.toMatchObject({ fix: 'write "web1"' });
    await expect(printed("basics", ["--list", "--graph"])).rejects.toThrow(
      "--list and --graph are both given",
    );
    await expect(printed("basics", [])).rejects.toThrow("nothing to print");
    await expect(printed("basics", ["--graph", "webb"])).rejects.toMatchObject({ code: "bad-usage" });
  });

  test("begins the tree at the group that is named", async () => {
    expect(await printed("basics", ["--graph", "web"])).toBe("@web:\n  |--web1\n  |--web2\n");
  });

  test("gives implicit localhost its local connection", async () => {
    expect(await printed("basics", ["--host", "localhost"])).toContain('"ansible_connection": "local"');
  });
});

describe("provision inventory", () => {
  const shown = async (argv: readonly string[]): Promise<string> => {
    const io = capturedIo({ cwd: join(casesDir, "basics") });
    expect(await inventoryCommand(["hosts.ini", ...argv], io)).toBe(0);
    return io.output();
  };

  test("shows what --limit leaves", async () => {
    expect(await shown(["--graph", "web", "-l", "web2"])).toBe("@web:\n  |--web2\n");
    const { web, _meta } = JSON.parse(await shown(["--list", "-l", "web[0]"]));
    expect(web.hosts).toEqual(["web1"]);
    expect(Object.keys(_meta.hostvars)).not.toContain("web2");
    await expect(shown(["--list", "-l", "wbe"])).rejects.toMatchObject({ fix: 'write "web"' });
  });

  test("writes into a file, as Ansible without a last line end", async () => {
    const folder = mkdtempSync(join(tmpdir(), "provision-output-"));
    const file = join(folder, "inventory.json");
    expect(await shown(["--list", "--output", file])).toBe("");
    expect(`${readFileSync(file, "utf8")}\n`).toBe(await shown(["--list"]));
    await expect(shown(["--list", "--output", folder])).rejects.toThrow("cannot be written (EISDIR)");
    rmSync(folder, { recursive: true });
  });

  test("writes no TOML that would lose something, and shows no vault value", async () => {
    await expect(printed("vault", ["--list", "--toml"])).rejects.toMatchObject({ fix: "-y" });
    await expect(printed("literals", ["--list", "--toml"])).rejects.toMatchObject({ code: "bad-usage" });
    expect(await printed("vault", ["--graph", "--vars"])).toContain("{s = a vault value}");
  });
});

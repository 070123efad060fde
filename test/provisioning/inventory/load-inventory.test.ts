import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { ProvisionError } from "../../../src/base/errors.ts";
import { HostLayers } from "../../../src/provisioning/inventory/host-layers.ts";
import { loadInventory } from "../../../src/provisioning/inventory/load-inventory.ts";
import { findVarsFiles, readVarsFile } from "../../../src/provisioning/inventory/vars-files.ts";

const root = mkdtempSync(join(tmpdir(), "provision-inventory-"));
afterAll(() => rmSync(root, { recursive: true }));

let count = 0;
/** Writes files into a folder of their own and gives its path. */
function filesIn(files: Readonly<Record<string, string>>): string {
  const folder = join(root, String(count++));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
    if (text.startsWith("#!") && !name.startsWith("plain")) chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

/** File, text, place, a part of the message. */
const mistakes: readonly (readonly [string, string, string, string])[] = [
  ["h.yml", "all:\n  hosts: [a, b]", "2:10", '"hosts" of group "all" is a list'],
  ["h.yml", "all:\n  hsots:\n    a:", "2:3", 'has no section "hsots"'],
  ["h.yml", "all:\n  hosts:\n    a: text", "3:8", 'host "a" is text'],
  ["h.yml", "all:\n  hosts:\n    1:", "3:5", "is no text"],
  ["h.yml", "1:\n  hosts:\n    a:", "1:1", "the group 1 is no text"],
  ["h.yml", "- all", "1:1", "it holds no groups"],
  ["h.yml", "plugin: aws_ec2", "1:9", "an inventory plugin"],
  ["h.yml", "a:\n  children:\n    b:\n      children:\n        a:", "3:5", "would hold itself"],
  ["h.yml", "all:\n  hosts:\n    a[1:]:", "3:5", "has no end"],
  ["h.yml", "all:\n  hosts:\n    a: {x: {{ y }}}", "3:12", "without quotes"],
  ["h.toml", "[all]", "1:1", "it is TOML"],
  ["plain", "#!/bin/sh\necho", "1:1", "a program and not executable"],
  ["h.sh", "#!/bin/sh\nexit 3", "1:1", '"--list" ended with 3'],
  ["h.sh", "#!/bin/sh\necho no json", "1:1", "printed no JSON object"],
  ["h.sh", '#!/bin/sh\necho \'{"g": {"hosts": "a"}}\'', "1:1", "no list of names"],
  ["h.sh", "#!/no/such/program\n", "1:1", "it did not run"],
  ["h.ini", "a\nb\u0000c", "2:2", "a NUL byte"],
  ["h.yml", "all:\n  hosts:\n    a\u0000b:", "3:6", "a NUL byte"],
  ["h.ini", `a\nh ${"a=1 ".repeat(30_000)}`, "2:1", "the line is too long"],
  ["h.ini", "h[1:300]-[1:300]", "1:1", "more than 50000 hosts"],
  ["h.ini", "$ANSIBLE_VAULT;1.1;AES256\n00", "1:1", "it is encrypted"],
];

describe("an inventory", () => {
  test.each(mistakes)("%s with %j is refused at %s", async (name, text, place, part) => {
    const folder = filesIn({ [name]: text });
    const error = await loadInventory([name], { cwd: folder }).then(
      () => undefined,
      (thrown: ProvisionError) => thrown,
    );
    expect(error?.message).toContain(part);
    expect(`${error?.span?.line ?? 1}:${error?.span?.column ?? 1}`).toBe(place);
  });

  test("that is no UTF-8 text is refused with its line", async () => {
    const folder = filesIn({ x: "" });
    writeFileSync(join(folder, "h.ini"), Buffer.from("[g]\nm\xfcnchen", "latin1"));
    await expect(loadInventory(["h.ini"], { cwd: folder })).rejects.toMatchObject({
      span: { line: 2, column: 2 },
    });
  });

  test("that is a folder of ignored files is refused, not empty", async () => {
    const folder = filesIn({ "hosts.ini": "a", "group_vars/all": "x: 1" });
    await expect(loadInventory([folder])).rejects.toMatchObject({
      fix: `name a file: -i ${folder}/hosts.ini`,
    });
  });

  test("knows where each host was named first, with variables or without", async () => {
    const folder = filesIn({ "a.ini": "[g]\nx\n[h]\nx k=1\n", "b.yml": "all:\n  hosts:\n    x:\n    y:" });
    const { hosts } = await loadInventory(["a.ini", "b.yml", "z,"], { cwd: folder });
    const places = [...hosts.values()].map(({ span }) => `${span?.file.replace(folder, "")}:${span?.line}`);
    expect(places).toEqual(["/a.ini:2", "/b.yml:4", "z,:1"]);
  });

  test("that gives a host another port later is refused, and the same one is not", async () => {
    const folder = filesIn({
      "a.ini": "x:22\n[g]\nx:22\ny",
      "b.ini": "x:23",
      "c.yml": "all: {hosts: {y:24: }}",
    });
    const port = async (...sources: string[]): Promise<unknown> => {
      const { hosts } = await loadInventory(sources, { cwd: folder });
      return hosts.get("x")?.vars.get("ansible_port");
    };
    expect(await port("a.ini")).toMatchObject({ node: { value: 22 } });
    await expect(port("a.ini", "b.ini")).rejects.toThrow(
      'host "x" is given port 23, and was named with port 22',
    );
    await expect(port("a.ini", "c.yml")).rejects.toMatchObject({ fix: "ansible_port=24" });
  });

  test("that is INI under a YAML ending says so", async () => {
    const folder = filesIn({ "h.yml": "[g]\na\n" });
    await expect(loadInventory(["h.yml"], { cwd: folder })).rejects.toMatchObject({ fix: "mv h.yml h.ini" });
  });

  test("takes the variables of several folders in the order of the sources, the playbook's last", async () => {
    const folder = filesIn({
      "a.ini": "h",
      "b.ini": "h",
      "group_vars/all": "k: top",
      "d/hosts": "h",
      "d/group_vars/all": "k: d",
    });
    const winner = async (sources: readonly string[], playbookDirs?: string[]): Promise<unknown> => {
      const inventory = await loadInventory(sources, { cwd: folder });
      const host = inventory.hosts.get("h");
      if (host === undefined) throw new Error("no host");
      return new HostLayers(inventory, { playbookDirs: playbookDirs ?? [] }).merged(host).get("k");
    };
    expect(await winner(["a.ini", "d"])).toMatchObject({ node: { value: "d" } });
    expect(await winner(["a.ini", "d", "b.ini"])).toMatchObject({ node: { value: "top" } });
    expect(await winner(["a.ini", "d"], [folder])).toMatchObject({ node: { value: "top" } });
  });

  test("is a file: links in a circle and devices are told, not waited for", async () => {
    const folder = filesIn({ x: "" });
    symlinkSync("circle", join(folder, "circle"));
    await expect(loadInventory(["circle"], { cwd: folder })).rejects.toMatchObject({ code: "missing-file" });
    await expect(loadInventory(["/dev/zero"])).rejects.toThrow("a pipe, a socket or a device");
    expect((await loadInventory(["/dev/null"])).hosts.size).toBe(0);
  });

  test("that is misspelt names the file that is near", async () => {
    const folder = filesIn({ "cluster.ini": "a" });
    await expect(loadInventory(["clutser.ini"], { cwd: folder })).rejects.toMatchObject({
      fix: 'write "cluster.ini"',
    });
  });

  test("may be encrypted, and its vars files too", async () => {
    const folder = filesIn({ "h.ini": "$ANSIBLE_VAULT;x\nweb", "group_vars/all": "$ANSIBLE_VAULT;x\nk: 1" });
    const decrypt = (text: string): string => text.split("\n").slice(1).join("\n");
    const inventory = await loadInventory([join(folder, "h.ini")], { decrypt });
    const host = inventory.hosts.get("web");
    if (host === undefined) throw new Error("no host");
    expect([...new HostLayers(inventory, { decrypt }).merged(host).keys()]).toEqual(["k"]);
    expect(() => new HostLayers(inventory).merged(host)).toThrow("no vault password");
  });

  test("without an ending is YAML or INI by its first line", async () => {
    const folder = filesIn({
      a: "# c\nall:\n  hosts:\n    y:",
      b: "# c\n[all]\ni x=1",
      c: '{"all": {"hosts": {"j": {}}}}',
    });
    const { hosts } = await loadInventory(["a", "b", "c"], { cwd: folder });
    expect([...hosts.keys()]).toEqual(["y", "i", "j"]);
  });
});

describe("vars files", () => {
  test("are found as Ansible finds them, folders by name", () => {
    const folder = filesIn({
      "group_vars/web/b.yml": "",
      "group_vars/web/a": "",
      "group_vars/web/.c.yml": "",
      "group_vars/web/d.txt": "",
      "group_vars/web/sub/e.json": "",
      "group_vars/db.yaml": "",
    });
    const found = (name: string) =>
      findVarsFiles(folder, "group_vars", name).map((path) => path.slice(folder.length));
    expect(found("web")).toEqual([
      "/group_vars/web/a",
      "/group_vars/web/b.yml",
      "/group_vars/web/sub/e.json",
    ]);
    expect(found("db")).toEqual(["/group_vars/db.yaml"]);
    expect(found("none")).toEqual([]);
    expect(found("../db")).toEqual([]);
  });

  test("of which Ansible would pass one over are refused", () => {
    const folder = filesIn({ "group_vars/web.yml": "a: 1", "group_vars/web/b.yml": "b: 1" });
    expect(() => findVarsFiles(folder, "group_vars", "web")).toThrow("stands beside it");
  });

  test("hold a map", () => {
    const folder = filesIn({ a: "- 1", b: "", c: "---\nx: 1" });
    expect(() => readVarsFile(join(folder, "a"))).toThrow("the file holds a list");
    expect(readVarsFile(join(folder, "b")).vars.size).toBe(0);
    expect([...readVarsFile(join(folder, "c")).vars.keys()]).toEqual(["x"]);
  });
});

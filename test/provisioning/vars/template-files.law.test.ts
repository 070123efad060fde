import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { renderTemplateFile } from "../../../src/provisioning/vars/render.ts";
import { contextOf } from "./contexts.ts";

const folder = join(import.meta.dirname, "../../cases/expressions/template-files");
const names = readdirSync(folder).filter((name) => name.endsWith(".j2"));
const out = mkdtempSync(join(tmpdir(), "provision-templates-"));
afterAll(() => rmSync(out, { recursive: true }));

const variables = {
  name: "web",
  l: [1, 2, 3],
  d: { b: 2, a: 1, nested: { x: "y" } },
  regex_test: "hello world",
  tree: [{ n: "a", c: [{ n: "b" }, { n: "c", c: [{ n: "d" }] }] }, { n: "e" }],
};

/** All of them at once: starting Ansible is what takes time. */
function ansible(): void {
  const playbook = join(out, "playbook.yml");
  const template = { src: `${folder}/{{ item }}`, dest: `${out}/{{ item }}` };
  const play = {
    hosts: "localhost",
    connection: "local",
    gather_facts: false,
    vars: variables,
    tasks: [{ template, loop: names }],
  };
  writeFileSync(playbook, JSON.stringify([play]));
  const run = spawnSync("ansible-playbook", ["-i", "localhost,", playbook], {
    encoding: "utf8",
    // Included files are looked for beside the playbook and in its templates.
    env: { ...process.env, PATH: `/usr/bin:/bin:${process.env.PATH}`, ANSIBLE_NOCOLOR: "1" },
  });
  if (run.status !== 0) throw new Error(run.stdout + run.stderr);
}

describe("a .j2 file is rendered as Ansible's module template renders it", () => {
  ansible();
  test.each(names)("%s", (name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const context = contextOf({ data: variables }, { searchPath: [folder] });
    const own = renderTemplateFile({ text, file: join(folder, name), language: "j2" }, context);
    expect(own).toBe(readFileSync(join(out, name), "utf8"));
  });
});

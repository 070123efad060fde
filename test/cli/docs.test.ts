import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { docsCommand } from "../../src/cli/docs.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { modulesMarkdown } from "../../src/provisioning/modules/module-docs.ts";

const page = join(import.meta.dirname, "../../docs/modules.md");

function reader(columns = 80): { readonly io: CliIo; text(): string } {
  let out = "";
  const io: CliIo = {
    stdout: (text) => {
      out += text;
    },
    stderr: () => undefined,
    env: {},
    isTTY: false,
    canAsk: false,
    columns,
    colour: false,
    cwd: "/",
    packageRoot: "/",
    prompt: () => Promise.reject(new Error("nobody is there")),
    readStdin: () => Promise.resolve(new Uint8Array()),
    signal: new AbortController().signal,
  };
  return { io, text: () => out };
}

describe("provision docs", () => {
  test("docs/modules.md says what the modules say (PROVISION_UPDATE=1 writes it anew)", async () => {
    const text = await modulesMarkdown();
    if (process.env.PROVISION_UPDATE === "1") writeFileSync(page, text);
    expect(readFileSync(page, "utf8")).toBe(text);
  });

  test("lists every module with its sentence", async () => {
    const { io, text } = reader();
    expect(await docsCommand([], io)).toBe(0);
    expect(text()).toMatch(/^add_host +Adds a host/);
    expect(text()).toMatch(/^wait_for_connection +Waits until/m);
  });

  test("shows arguments, kinds, defaults and an example of one, by any spelling", async () => {
    const { io, text } = reader();
    expect(await docsCommand(["ansible.builtin.fetch"], io)).toBe(0);
    expect(text()).toContain("FETCH\n");
    expect(text()).toContain("  src: path; required\n");
    expect(text()).toContain("  flat: bool; default false\n");
    expect(text()).toContain("EXAMPLE\n  - name: keep each host's log here\n");
  });

  test("keeps to the terminal's width", async () => {
    const { io, text } = reader(60);
    await docsCommand(["copy", "command"], io);
    const prose = text().split("EXAMPLE")[0] ?? "";
    expect(prose.split("\n").filter((line) => line.length > 60)).toEqual([]);
  });

  test("names the nearest module when there is none of that name", async () => {
    const { io } = reader();
    await expect(docsCommand(["coppy"], io)).rejects.toMatchObject({
      code: "unknown-module",
      fix: "provision docs copy",
    });
  });
});

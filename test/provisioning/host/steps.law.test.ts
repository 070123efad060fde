import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { compileStep, readStepResult } from "../../../src/provisioning/host/compile-step.ts";
import { limits } from "../../../src/provisioning/host/limits.ts";
import type { Step } from "../../../src/provisioning/host/step.ts";
import { runScript, shells } from "./shells.ts";

type WriteStep = Extract<Step, { do: "write" }>;
const root = mkdtempSync(join(tmpdir(), "provision-steps-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const all = Buffer.from([...Array(256).keys()]);

describe.each(shells)("steps in $name", ({ argv }) => {
  let folder = "";
  let count = 0;
  beforeEach(() => {
    folder = join(root, `${argv[0]}${count++} it's`);
    mkdirSync(folder, { recursive: true });
  });
  const perform = (step: Extract<Step, { do: "run" | "write" }>) => {
    const compiled = compileStep(step);
    const { from } = compiled.stream ?? {};
    const input = typeof from === "object" ? { stdin: from } : {};
    return readStepResult(step, runScript(argv, { ...compiled, ...input }));
  };
  const write = (name: string, bytes: Uint8Array | string, more: Partial<WriteStep> = {}) =>
    perform({
      do: "write",
      why: "test",
      path: join(folder, name),
      from: { bytes: Buffer.from(bytes) },
      ...more,
    });
  const mode = (name: string): string => (statSync(join(folder, name)).mode & 0o7777).toString(8);
  const read = (name: string): string => readFileSync(join(folder, name), "latin1");

  test("a file is written byte for byte, with the umask's mode, and nothing is left beside it", () => {
    expect(write("a b", all)).toMatchObject({ ok: true, code: 0 });
    expect(read("a b")).toBe(all.toString("latin1"));
    expect(mode("a b")).toBe((0o666 & ~process.umask()).toString(8));
    expect(readdirSync(folder)).toEqual(["a b"]);
  });

  test("an empty file is empty", () => {
    expect(write("empty", "").ok).toBe(true);
    expect(read("empty")).toBe("");
  });

  test("a large file is uploaded beside its target and adopted", () => {
    const large = Buffer.alloc(limits.inlineBytes + 1, 7);
    expect(write("large", large, { mode: "0600" }).ok).toBe(true);
    expect(readFileSync(join(folder, "large")).equals(large)).toBe(true);
    expect(readdirSync(folder)).toEqual(["large"]);
  });

  test("owner and mode of the old file stay", () => {
    writeFileSync(join(folder, "old"), "old", { mode: 0o640 });
    spawnSync("chown", ["daemon:adm", join(folder, "old")]);
    write("old", "new");
    expect(statSync(join(folder, "old"))).toMatchObject({ uid: 1, gid: 4 });
    expect(mode("old")).toBe("640");
  });

  test("owner, group and mode are set before the file is seen, setuid included", () => {
    write("new", "x", { owner: "daemon", group: "adm", mode: "4755" });
    expect(statSync(join(folder, "new"))).toMatchObject({ uid: 1, gid: 4 });
    expect(mode("new")).toBe("4755");
  });

  test("a link's target is written, or the link replaced", () => {
    writeFileSync(join(folder, "target"), "old");
    symlinkSync("target", join(folder, "link"));
    write("link", "through");
    expect([read("target"), readlinkSync(join(folder, "link"))]).toEqual(["through", "target"]);
    write("link", "instead", { follow: false });
    expect([read("target"), read("link"), statSync(join(folder, "link")).isFile()]).toEqual([
      "through",
      "instead",
      true,
    ]);
  });

  test("a failed validation leaves the old file and no other", () => {
    writeFileSync(join(folder, "conf"), "old");
    const result = write("conf", "new", { validate: "grep -q old %s" });
    expect(result).toMatchObject({ ok: false, code: 1 });
    expect(String(result.stderr)).toContain("validate failed with exit code 1");
    expect([read("conf"), readdirSync(folder)]).toEqual(["old", ["conf"]]);
    expect(write("conf", "new", { validate: "grep -q new %s" }).ok).toBe(true);
  });

  test("the old file is kept under Ansible's name", () => {
    writeFileSync(join(folder, "conf"), "old");
    const { backupPath = "" } = write("conf", "new", { backup: true });
    expect(backupPath).toMatch(/conf\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~$/);
    expect([readFileSync(backupPath, "utf8"), read("conf")]).toEqual(["old", "new"]);
  });

  test("a full disk leaves the old file", () => {
    const script = `mount -t tmpfs -o size=64k none "$1" && printf old >"$1/f" && shift && exec "$@"`;
    const step: WriteStep = {
      do: "write",
      why: "test",
      path: join(folder, "f"),
      from: { bytes: Buffer.alloc(100_000) },
    };
    const check = `; c=$?; printf '<%s>' "$c"; cat ${JSON.stringify(join(folder, "f"))}; ls -A ${JSON.stringify(folder)}`;
    const { script: sh } = compileStep(step);
    const words = ["-m", "sh", "-c", script, "sh", folder, ...argv, "-c", `(${sh}\n)${check}`];
    const result = spawnSync("unshare", words, { input: Buffer.alloc(100_000, 1) });
    expect(String(result.stdout)).toBe("<1>oldf\n");
    expect(String(result.stderr)).toMatch(/No space left on device/i);
    expect(existsSync(join(folder, "f"))).toBe(false);
  });

  test("a folder in the way, and a missing folder, are said", () => {
    mkdirSync(join(folder, "dir"));
    expect(String(write("dir", "x").stderr)).toContain("is a directory");
    expect(String(write("none/x", "x").stderr)).toContain("does not exist");
  });

  test("a run gets its words, environment, folder, umask and stdin", () => {
    const result = perform({
      do: "run",
      why: "test",
      argv: ["sh", "-c", 'printf "%s|" "$@" "$A" "$(pwd)" "$(umask)"; cat; exit 3', "sh", "it's", "", "$x"],
      env: { A: "b c'" },
      cwd: folder,
      umask: "027",
      stdin: all,
      okCodes: [3],
    });
    expect(result).toMatchObject({ ok: true, code: 3 });
    expect(Buffer.from(result.stdout).toString("latin1")).toBe(
      `it's||$x|b c'|${folder}|0027|${all.toString("latin1")}`,
    );
  });

  test("a missing program is 127", () => {
    expect(perform({ do: "run", why: "test", argv: ["no-such-program"] })).toMatchObject({
      ok: false,
      code: 127,
    });
  });
});

import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import {
  compileFiles,
  fileKind,
  type NewContent,
  readDone,
} from "../../../src/provisioning/host/compile-files.ts";
import { encodeHostText } from "../../../src/provisioning/host/host-text.ts";
import type { PathStat } from "../../../src/provisioning/host/question.ts";
import { shells } from "./shells.ts";

const root = mkdtempSync(join(tmpdir(), "provision-new-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const all = Buffer.from([...Array(256).keys()]);

describe.each(shells)("many files in $name", ({ argv }) => {
  let folder = "";
  let count = 0;
  beforeEach(() => {
    folder = join(root, `${argv[0]}${count++} it's`);
    mkdirSync(folder, { recursive: true });
  });
  const file = (name: string, bytes: Uint8Array | string, mode?: string): NewContent => ({
    before: "nothing",
    step: {
      do: "write" as const,
      why: name,
      path: join(folder, name),
      from: { bytes: Buffer.from(bytes) },
      ...(mode === undefined ? {} : { mode }),
    },
    bytes: Buffer.from(bytes),
  });
  const write = (files: readonly NewContent[]) => {
    // As bytes, as the transport sends it: content is no text.
    const [program = "sh", ...args] = argv;
    const ran = spawnSync(program, args, { input: encodeHostText(compileFiles(files)) });
    return [...readDone(files.length, { code: ran.status ?? -1, stdout: ran.stdout })];
  };
  const modeOf = (name: string): string => (statSync(join(folder, name)).mode & 0o7777).toString(8);

  test("are all there, byte for byte, with their mode, and nothing else is", () => {
    const names = ["a", "-n", "it's", "%s", "näme", " b ", "*", "c\\d"];
    expect(write(names.map((name) => file(name, Buffer.concat([Buffer.from(name), all]), "0640")))).toEqual(
      names.map((_, at) => at),
    );
    expect(readdirSync(folder).sort()).toEqual([...names].sort());
    for (const name of names) {
      expect(readFileSync(join(folder, name))).toEqual(Buffer.concat([Buffer.from(name), all]));
      expect(modeOf(name)).toBe("640");
    }
  });

  test("without a mode follow the umask; an empty one is a file too", () => {
    expect(write([file("a", ""), file("b", "b\n")])).toEqual([0, 1]);
    expect([modeOf("a"), modeOf("b")]).toEqual(["644", "644"]);
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("");
  });

  test.each([
    ["a file", () => writeFileSync(join(folder, "b"), "old")],
    ["a folder", () => mkdirSync(join(folder, "b"))],
    ["a link that leads nowhere", () => symlinkSync("nowhere", join(folder, "b"))],
  ])("none is written where %s stands already", (_what, make) => {
    make();
    expect(write([file("a", "a"), file("b", "b")])).toEqual([]);
    expect(readdirSync(folder)).toEqual(["b"]);
  });

  test("none is written when one of them cannot be, and nothing is left behind", () => {
    expect(write([file("a", "a", "0644"), file("b".repeat(300), "b", "0644")])).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  const over = (name: string, bytes: string): NewContent => ({
    ...file(name, bytes),
    before: { ...someStat, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, mode: 0o604 },
  });

  test("that stand there already are replaced whole, and keep owner and mode", () => {
    for (const name of ["a", "b"]) writeFileSync(join(folder, name), "old", { mode: 0o604 });
    const inode = statSync(join(folder, "a")).ino;
    expect(write([over("a", "new a"), over("b", "new b")])).toEqual([0, 1]);
    expect(["a", "b"].map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(["new a", "new b"]);
    expect([modeOf("a"), modeOf("b")]).toEqual(["604", "604"]);
    expect(statSync(join(folder, "a")).ino).not.toBe(inode);
    expect(readdirSync(folder).sort()).toEqual(["a", "b"]);
  });

  test.each([
    ["a folder", () => mkdirSync(join(folder, "b"))],
    ["a link", () => symlinkSync("a", join(folder, "b"))],
    ["nothing", () => undefined],
  ])("none is replaced where %s stands by now", (_what, make) => {
    writeFileSync(join(folder, "a"), "old");
    make();
    expect(write([over("a", "new"), over("b", "new")])).toEqual([]);
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("old");
  });

  test("none is written where there is no folder", () => {
    rmSync(folder, { recursive: true });
    expect(write([file("a", "a"), file("b", "b")])).toEqual([]);
  });
});

const someStat: PathStat = {
  ...{ exists: true, type: "file", mode: 0o644, uid: 0, gid: 0, owner: "root", group: "root", size: 1 },
  ...{ mtime: 0, atime: 0, ctime: 0, inode: 1, device: 1, nlink: 1 },
};

describe("files of one kind", () => {
  const step = { do: "write" as const, why: "w", path: "/a/b", from: { bytes: Buffer.from("") } };
  const kind = fileKind(step, "nothing");
  test("have folder, owner, group and mode in common", () => {
    expect(fileKind({ ...step, path: "/a/c" }, "nothing")).toBe(kind);
    expect(fileKind({ ...step, path: "/c/b" }, "nothing")).not.toBe(kind);
    expect(fileKind({ ...step, mode: "0600" }, "nothing")).not.toBe(kind);
    expect(fileKind(step, someStat)).not.toBe(kind);
    expect(fileKind(step, someStat)).toBe(fileKind({ ...step, mode: "0644" }, someStat));
    expect(fileKind(step, someStat)).not.toBe(fileKind(step, { ...someStat, uid: 7 }));
  });
  test.each([
    ["validated", { ...step, validate: "true %s" }, "nothing" as const],
    ["an upload", { ...step, from: { file: "/x", sha256: "", sizeBytes: 1 } }, "nothing" as const],
    ["kept beside the new one", { ...step, backup: true }, someStat],
    ["a link now", step, { ...someStat, type: "link" as const }],
  ])("are none of which one is %s", (_what, odd, before) => {
    expect(fileKind(odd, before)).toBeUndefined();
  });
});

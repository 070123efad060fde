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
  compileNewFiles,
  newFileKind,
  readNewFiles,
} from "../../../src/provisioning/host/compile-new-files.ts";
import { encodeHostText } from "../../../src/provisioning/host/host-text.ts";
import { shells } from "./shells.ts";

const root = mkdtempSync(join(tmpdir(), "provision-new-files-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const all = Buffer.from([...Array(256).keys()]);

describe.each(shells)("new files in $name", ({ argv }) => {
  let folder = "";
  let count = 0;
  beforeEach(() => {
    folder = join(root, `${argv[0]}${count++} it's`);
    mkdirSync(folder, { recursive: true });
  });
  const file = (name: string, bytes: Uint8Array | string, mode?: string) => ({
    step: {
      do: "write" as const,
      why: name,
      path: join(folder, name),
      from: { bytes: Buffer.from(bytes) },
      ...(mode === undefined ? {} : { mode }),
    },
    bytes: Buffer.from(bytes),
  });
  const write = (files: readonly ReturnType<typeof file>[]) => {
    // As bytes, as the transport sends it: content is no text.
    const [program = "sh", ...args] = argv;
    const ran = spawnSync(program, args, { input: encodeHostText(compileNewFiles(files)) });
    return [...readNewFiles(files.length, { code: ran.status ?? -1, stdout: ran.stdout })];
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

  test("none is written where there is no folder", () => {
    rmSync(folder, { recursive: true });
    expect(write([file("a", "a"), file("b", "b")])).toEqual([]);
  });
});

describe("files of one kind", () => {
  const step = { do: "write" as const, why: "w", path: "/a/b", from: { bytes: Buffer.from("") } };
  test("have folder, owner, group and mode in common", () => {
    expect(newFileKind({ ...step, path: "/a/c" })).toBe(newFileKind(step));
    expect(newFileKind({ ...step, path: "/c/b" })).not.toBe(newFileKind(step));
    expect(newFileKind({ ...step, mode: "0600" })).not.toBe(newFileKind(step));
  });
  test("are validated by nobody, and are no uploads", () => {
    expect(newFileKind({ ...step, validate: "true %s" })).toBeUndefined();
    expect(newFileKind({ ...step, from: { file: "/x", sha256: "", sizeBytes: 1 } })).toBeUndefined();
  });
});

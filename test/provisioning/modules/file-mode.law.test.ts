import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readMode, resolveMode } from "../../../src/provisioning/modules/file-mode.ts";
import fc from "../../support/property.ts";

const root = mkdtempSync(join(tmpdir(), "provision-mode-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const who = fc.constantFrom("u", "g", "o", "a", "ug", "go", "uo");
const rights = fc.constantFrom("", "r", "w", "x", "X", "rw", "rx", "rwx", "rwX", "s", "u", "g", "o");
const clause = fc.tuple(who, fc.constantFrom("+", "-", "="), rights).map((parts) => parts.join(""));
const clauses = fc.array(clause, { minLength: 1, maxLength: 3 }).map((list) => list.join(","));

test("letters mean what chmod makes of them", () => {
  const file = join(root, "file");
  const folder = join(root, "folder");
  writeFileSync(file, "");
  mkdirSync(folder);
  fc.assert(
    fc.property(clauses, fc.integer({ min: 0, max: 0o777 }), fc.boolean(), (letters, bits, isDirectory) => {
      // On folders chmod leaves s where = says otherwise; Ansible does not, and neither do we.
      fc.pre(!isDirectory || !(letters.includes("s") && letters.includes("=")));
      const path = isDirectory ? folder : file;
      chmodSync(path, bits);
      const real = spawnSync("chmod", [letters, path], { encoding: "utf8" });
      const read = readMode(letters);
      expect(real.status).toBe(0);
      if ("refused" in read) throw new Error(read.refused);
      expect(resolveMode(read.mode, { bits, isDirectory })).toBe(statSync(path).mode & 0o7777);
    }),
    { numRuns: 300 },
  );
});

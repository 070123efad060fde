import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { InventoryBuilder } from "../../../src/provisioning/inventory/inventory-builder.ts";
import { matchPattern } from "../../../src/provisioning/inventory/match-pattern.ts";
import { parseIni } from "../../../src/provisioning/inventory/parse-ini.ts";
import fc from "../../support/property.ts";

const builder = new InventoryBuilder();
const text =
  "[web]\nw1\nw2\nw3\n[db]\nd1\nd2\nw1\n[staging]\nw3\nd2\n[empty]\n[v6]\nfe80::1\n[dotted]\nw.example.com";
parseIni(text, "hosts.ini", builder);
const inventory = builder.build([]);

const folder = mkdtempSync(join(tmpdir(), "provision-patterns-"));
writeFileSync(join(folder, "limit"), "# those of yesterday\nw2\n\nd1\n!w1\n");
afterAll(() => rmSync(folder, { recursive: true }));

const chosen: readonly (readonly [string, string])[] = [
  ["all", "w1 w2 w3 d1 d2 fe80::1 w.example.com"],
  ["", "w1 w2 w3 d1 d2 fe80::1 w.example.com"],
  [",,", "w1 w2 w3 d1 d2 fe80::1 w.example.com"],
  ["web", "w1 w2 w3"],
  ["db,web", "d1 d2 w1 w2 w3"],
  ["web:db", "w1 w2 w3 d1 d2"],
  ["web:db,&staging", "w3 d2"],
  ["web:db,&staging,!db", "w3"],
  ["!staging:web", "w1 w2"],
  ["!web", "d1 d2 fe80::1 w.example.com"],
  ["&staging", "w3 d2"],
  ["web[0]", "w1"],
  ["web[-1]", "w3"],
  ["web[1:2]", "w2 w3"],
  ["web[1:]", "w2 w3"],
  ["web[0:99]", "w1 w2 w3"],
  ["empty", ""],
  ["empty[0]", ""],
  ["w?", "w1 w2 w3"],
  ["*.example.com", "w.example.com"],
  ["~w[12]$", "w1 w2"],
  ["fe80::1", "fe80::1"],
  ["localhost", "localhost"],
  ["127.0.0.1,w1", "127.0.0.1 w1"],
  ["@limit", "w2 d1"],
  ["w1,w1,web", "w1 w2 w3"],
  ["@limit:!d1", "w2"],
  ["w*[0]", "w1"],
];

const refused: readonly (readonly [string, string])[] = [
  ["wbe", 'no host and no group "wbe"'],
  ["web:!dbb", 'no host and no group "dbb"'],
  ["W1", 'no host and no group "W1"'],
  ["x*", '"x*" matches no host'],
  ["w[1:3]x", '"w[1:3]x" matches no host'],
  ["web[3-]", "is no slice"],
  ["web[9]", "beyond the end: there are 3 hosts"],
  ["~(", "is no regular expression"],
  ["@nowhere", "cannot be read (ENOENT)"],
  ["web,!", 'a "!" or "&" stands alone'],
  ["web:&", 'a "!" or "&" stands alone'],
  ["w[1:3]", "there is no such group"],
  ["web[-3:-1]", '"web[-3:-1]" matches no host'],
];

describe("a pattern", () => {
  test.each(chosen)("%j chooses %s", (pattern, hosts) => {
    expect(matchPattern(pattern, inventory, { cwd: folder }).join(" ")).toBe(hosts);
  });

  test.each(refused)("%j is refused: %s", (pattern, part) => {
    expect(() => matchPattern(pattern, inventory, { cwd: folder })).toThrow(part);
  });

  test("that is misspelt names what is near", () => {
    const attempt = () => matchPattern("stagign", inventory);
    expect(attempt).toThrow(expect.objectContaining({ fix: 'write "staging"' }));
  });

  test.each([
    ["w[1:3]", 'write "w*"'],
    ["wbe[0]", 'write "web" or "wbe*"'],
    ["web[1-2]", 'write "web[1:2]"'],
  ])("%j is answered with what to write", (pattern, fix) => {
    expect(() => matchPattern(pattern, inventory)).toThrow(expect.objectContaining({ fix }));
  });

  test("never crashes", () => {
    const unit = fc.constantFrom(..."wd12*?[]!&,:~()|^$\\.-@ ".split(""), "web", "all");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), (pattern) => {
        try {
          matchPattern(pattern, inventory, { cwd: folder });
        } catch (error) {
          expect(error).toBeInstanceOf(ProvisionError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

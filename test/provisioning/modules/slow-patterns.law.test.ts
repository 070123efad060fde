import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/base/json.ts";
import { LocalHost, localFacts } from "./local-host.ts";

/** A pattern whose work doubles with each character ends in words, in every module that matches one here. */
const folder = mkdtempSync(join(tmpdir(), "provision-slow-"));
const file = join(folder, "file");
const names = join(folder, "names");
mkdirSync(names);
writeFileSync(file, `${"a".repeat(40)}!\n`);
writeFileSync(join(names, `${"a".repeat(40)}!`), "");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const slow = "^(a+)+$";
const cases: readonly (readonly [string, JsonObject])[] = [
  ["lineinfile", { path: file, regexp: slow, line: "b" }],
  ["lineinfile", { path: file, insertafter: slow, line: "b" }],
  ["lineinfile", { path: file, regexp: slow, state: "absent" }],
  ["blockinfile", { path: file, insertbefore: slow, block: "b" }],
  ["replace", { path: file, regexp: slow }],
  ["replace", { path: file, regexp: "!", after: "^(a+)+b" }],
  ["find", { paths: names, patterns: [slow], use_regex: true }],
  ["assemble", { src: names, dest: join(folder, "whole"), regexp: slow }],
  ["wait_for", { path: file, search_regex: slow, timeout: 5 }],
];

describe("a pattern without end", () => {
  const host = new LocalHost({ shell: ["sh"], facts: localFacts(folder) });
  test.each(cases)("%s %j says so", async (module, args) => {
    const ran = await host.run(module, args);
    expect(ran.fail).toContain("its repetitions multiply");
    expect(ran.steps).toEqual([]);
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { InventoryBuilder } from "../../../src/provisioning/inventory/inventory-builder.ts";
import { parseIni } from "../../../src/provisioning/inventory/parse-ini.ts";
import { formatError } from "../../../src/provisioning/reporting/format-error.ts";
import { iniText } from "../../support/ini-texts.ts";
import fc from "../../support/property.ts";

function read(text: string) {
  const builder = new InventoryBuilder();
  parseIni(text, "hosts.ini", builder);
  return builder.build([]);
}

function refusal(text: string): ProvisionError {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

/** text, line:column, a part of the message. */
const mistakes: readonly (readonly [string, string, string])[] = [
  ["h a=b#c d=1", "1:6", '"#" stands inside a word'],
  ["h a = 1", "1:3", '"a" is no key=value'],
  ["h 'a b", "1:3", "a quote is opened"],
  ["h a=b\\", "1:6", "a backslash stands at the end"],
  ["[a b]\nh", "1:1", "is no section"],
  ["[web:var]\nx=1", "1:1", 'no section of kind "var"'],
  ["[web] ; why\nh", "1:1", "is no section"],
  ["[web:vars]\nx=1", "1:1", "declared nowhere"],
  ["[p:children]\nweb", "2:1", 'names group "web", which is declared nowhere'],
  ["[web]\n[web:vars]\njust text", "3:1", "is no key=value"],
  ["[web]\n[p:children]\nweb x=1", "3:1", "is no name of a group"],
  ["[a:children]\na", "2:1", "would hold itself"],
  ["[a:children]\nb\n[b:children]\na", "4:1", "would hold itself"],
  ["h[1:]", "1:1", "has no end"],
  ["h[001:10]", "1:1", "is padded"],
  ["h[5:1]", "1:1", "is greater"],
  ["h[Z:T]", "1:1", "stands after"],
  ["h[1:9:0]", "1:1", "the step"],
  ["h[a:9]", "1:1", 'goes from "a" to "9"'],
  ["h[1:99999999]", "1:1", "more than"],
  ["h[1:", "1:1", 'has no "]"'],
  ["h:ssh", "1:1", "is no host and port"],
  ["h:99999", "1:1", "there is no port"],
  ["---\nall:", "1:1", '"---" stands'],
  ["[web]\nh1\n[web:vars]\nansible_group_priority=high", "4:24", "no whole number"],
  ["[db]\ndb x=1", "2:1", "is a host and a group"],
];

describe("an INI inventory", () => {
  test.each(mistakes)("%j is refused at %s", (text, place, part) => {
    const { span, message } = refusal(text);
    expect(`${span?.line}:${span?.column} ${message}`).toContain(
      `${place} Cannot read inventory "hosts.ini": `,
    );
    expect(message).toContain(part);
  });

  test("tells all its mistakes at once, but none of what follows from one", () => {
    const { also, span } = refusal("h a b=1\n[web:\nw1 x\n[db]\nd[1:]\nd2 x=1#2\n");
    expect([span, ...also.map((each) => each.span)].map((each) => `${each?.line}:${each?.column}`)).toEqual([
      "1:3",
      "2:1",
      "5:1",
      "6:7",
    ]);
  });

  test("has each of its mistakes told in full", () => {
    const texts = mistakes.map(([text]) => formatError(refusal(text)));
    const file = join(import.meta.dirname, "../../golden/inventory-mistakes.txt");
    const told = `${texts.join("\n\n")}\n`;
    if (process.env["PROVISION_UPDATE"] === "1") writeFileSync(file, told);
    expect(told).toBe(readFileSync(file, "utf8"));
  });

  test("never crashes, and always says where, and shows that line", () => {
    fc.assert(
      fc.property(iniText, (text) => {
        let thrown: unknown;
        try {
          read(text);
        } catch (error) {
          thrown = error;
        }
        if (thrown === undefined) return;
        expect(thrown).toBeInstanceOf(ProvisionError);
        const first = thrown as ProvisionError;
        const lines = text.split("\n");
        const places = [first, ...first.also].map(({ span }) => span);
        for (const span of places) {
          const line = lines[(span?.line ?? 0) - 1]?.replace(/\r$/, "");
          expect(span?.file).toBe("hosts.ini");
          expect(span?.sourceLine).toBe(line);
          expect(span?.column).toBeLessThanOrEqual((line ?? "").length);
        }
        // Some mistakes come to light at the end, but none is told twice.
        const told = [first, ...first.also].map(
          ({ message, span }) => `${span?.line}:${span?.column} ${message}`,
        );
        expect(new Set(told).size).toBe(told.length);
      }),
      { numRuns: 1500 },
    );
  });

  test("names a group's host once, however often it stands there", () => {
    const inventory = read("[a]\nx\nx y=1\n[b]\nx");
    expect(inventory.groups.get("a")?.hosts).toEqual(["x"]);
    expect(inventory.hosts.get("x")?.groups).toEqual(["a", "b"]);
  });

  test("is read in time that grows with its length", () => {
    const cpuMs = (count: number): number => {
      const lines = Array.from({ length: count }, (_, index) => `host${index} rack=${index % 40} zone="a b"`);
      const before = process.cpuUsage();
      expect(read(`[all_of_them]\n${lines.join("\n")}`).hosts.size).toBe(count);
      return process.cpuUsage(before).user / 1000;
    };
    cpuMs(2_000);
    // Ten times as many lines; a hundred times the work would be quadratic.
    expect(cpuMs(20_000)).toBeLessThan(40 * Math.max(10, cpuMs(2_000)));
  });
});

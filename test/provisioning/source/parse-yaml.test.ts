import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { InventoryBuilder } from "../../../src/provisioning/inventory/inventory-builder.ts";
import { parseYamlInventory } from "../../../src/provisioning/inventory/parse-yaml-inventory.ts";
import { parseYaml } from "../../../src/provisioning/source/parse-yaml.ts";
import { entryOf, toPlain } from "../../../src/provisioning/source/to-plain.ts";
import { mutatedYaml } from "../../support/mutated-yaml.ts";
import fc from "../../support/property.ts";

const values: readonly (readonly [string, unknown])[] = [
  ["yes", true],
  ["Off", false],
  ["y", "y"],
  ["'yes'", "yes"],
  ["0644", 420],
  ["0o644", "0o644"],
  ["08", "08"],
  ["1_000", 1000],
  ["1:30", 90],
  ["1e3", "1e3"],
  ["1.5e+3", 1500],
  ["12345678901234567890", "12345678901234567890"],
  ["~", null],
  ["", null],
  ["{<<: {a: 1, b: 2}, a: 3}", { a: 3, b: 2 }],
  ["{<<: [{a: 1}, {a: 2, b: 2}]}", { a: 1, b: 2 }],
  ["!!str 1", "1"],
  ['!!int "7"', 7],
  ['{"\t": "é\\u00e9"}', { "\t": "éé" }],
  ["{__proto__: 1}", JSON.parse('{"__proto__": 1}')],
];

const mistakes: readonly (readonly [string, string, string])[] = [
  ["a: {{ x }}", "1:4", "begins with {{ without quotes"],
  ["a: 1\nb: 2\na: 3", "3:1", 'the key "a" stands twice'],
  ["a:\n\tb: 1", "2:1", "a tab indents"],
  ["a: b: c", "1:4", 'a second ": "'],
  ["- [x-{{ y }}.yml, z]", "1:6", "an item of this list ends here"],
  ["a: 'x", "1:4", "a single quote is opened"],
  ["a: [1, 2", "1:4", "not closed"],
  ["a: *b", "1:4", 'the alias "*b" has no anchor'],
  ["a: &x [*x]", "1:8", "inside its own anchor"],
  ["---\na: 1\n---\nb: 1", "3:1", "a second document"],
  ["a: !!python/object:os.system x", "1:4", "no tag"],
  ["a: !custom x", "1:4", "no tag"],
  ["a: <<\n<<: 1", "2:1", '"<<" merges a scalar'],
  ["[1]: x", "1:1", "a list stands as a key"],
  [`${"[".repeat(3000)}`, "1:102", "nested too deeply"],
  [`${"- ".repeat(3000)}x`, "1:203", "nested too deeply"],
  ["a: [1, 2\nb: 3\n", "1:4", '"[" is opened'],
  ["- x: [1,\n    2\n- y: 1\n", "1:6", '"[" is opened'],
  ["a: {b: 1\nc: 2\n", "1:4", '"{" is opened'],
  ["a: [1, [2, 3]\nb: c\n", "1:4", '"[" is opened'],
  ["a: {b: [1, 2}\nc: d\n", "1:8", '"[" is opened'],
  ["x: [1]\na: [\n", "2:4", '"[" is opened'],
  ["a: 'x\nb: y\n", "1:4", "a single quote is opened"],
  ['a: "x\n\n\nb: y\n', "1:4", "a double quote is opened"],
];

function refusal(text: string): ProvisionError {
  try {
    parseYaml(text, "x.yml");
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

const bomb = Array.from({ length: 30 }, (_, level) =>
  level === 0
    ? "a0: &a0 [x, x, x, x, x, x, x, x, x]"
    : `a${level}: &a${level} [${Array(9).fill(`*a${level - 1}`)}]`,
).join("\n");

describe("YAML", () => {
  test.each(values)("%s is read as Ansible reads it", (text, value) => {
    const root = parseYaml(`k: ${text}`, "x.yml");
    expect(toPlain(root)).toEqual({ k: value });
  });

  test("keeps what a tag says", () => {
    const root = parseYaml("a: !vault |\n  one\n  two\nb: !unsafe '{{ x }}'\nc: 1.0", "x.yml");
    if (root.kind !== "map") throw new Error("no map");
    expect(entryOf(root, "a")).toMatchObject({ tag: "!vault", value: "one\ntwo\n" });
    expect(entryOf(root, "b")).toMatchObject({ tag: "!unsafe", value: "{{ x }}" });
    expect(entryOf(root, "c")).toMatchObject({ float: true, value: 1 });
  });

  test("knows the place of every value", () => {
    const root = parseYaml("# c\r\na:\r\n  - b: [1, two]\r\n", "x.yml");
    const places: string[] = [];
    const walk = (node: typeof root): void => {
      places.push(`${node.kind} ${node.span.line}:${node.span.column}+${node.span.length}`);
      if (node.kind === "list") node.items.forEach(walk);
      if (node.kind === "map") for (const { value } of node.entries) walk(value);
    };
    walk(root);
    expect(places).toEqual([
      "map 2:1+2",
      "list 3:3+13",
      "map 3:5+11",
      "list 3:8+8",
      "scalar 3:9+1",
      "scalar 3:12+3",
    ]);
  });

  test.each(mistakes)("%j is refused at %s", (text, place, part) => {
    const { span, message, code } = refusal(text);
    expect(code).toBe("bad-yaml");
    expect(`${span?.line}:${span?.column}`).toBe(place);
    expect(message).toContain(part);
  });

  test("never multiplies aliases without end", () => {
    expect(refusal(bomb).message).toContain("its aliases multiply");
    const merges = Array.from(
      { length: 40 },
      (_, at) => `m${at}: &m${at} {${at > 0 ? `<<: *m${at - 1}, ` : ""}k${at}: 1}`,
    );
    expect(() => parseYaml(merges.join("\n"), "x.yml")).not.toThrow();
  });

  test("refuses a text that no hand wrote", () => {
    expect(refusal(`a: ${"x".repeat(3_000_000)}`).message).toContain("characters");
  });
});

test("1,000 mutated files are an inventory or an error with its place, never anything else", () => {
  const before = process.memoryUsage().heapUsed;
  fc.assert(
    fc.property(mutatedYaml, (text) => {
      try {
        parseYamlInventory(parseYaml(text, "x.yml"), "x.yml", new InventoryBuilder());
      } catch (error) {
        expect(error).toBeInstanceOf(ProvisionError);
        expect((error as ProvisionError).span?.line).toBeGreaterThan(0);
      }
    }),
    { numRuns: 1000 },
  );
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(300_000_000);
});

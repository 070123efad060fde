import { describe, expect, test } from "vitest";
import {
  choice,
  defineArgs,
  flag,
  list,
  map,
  mode,
  secretsOf,
  text,
  whole,
} from "../../../src/provisioning/modules/arguments.ts";
import { loadModule } from "../../../src/provisioning/modules/index.ts";
import { splitWords } from "../../../src/provisioning/modules/split-words.ts";
import fc from "../../support/property.ts";

const schema = defineArgs({
  name: text("x", { required: true, aliases: ["pkg"] }),
  on: flag("x", { default: false }),
  count: whole("x"),
  items: list("x"),
  pairs: map("x"),
  mode: mode("x"),
  upgrade: choice(["no", "yes", "dist"])("x", { default: "no" }),
});
const read = (given: unknown) => {
  const result = schema.safeParse(given);
  return result.success
    ? result.data
    : result.error.issues.map(({ path, message }) => [...path, message].join(": "));
};

describe("arguments", () => {
  test.each([
    ["yes", true],
    ["No", false],
    ["on", true],
    [1, true],
    ["0", false],
    [true, true],
  ])("%j is read as %j where a flag is wanted", (given, wanted) => {
    expect(read({ name: "x", on: given })).toMatchObject({ on: wanted });
  });

  test("lists come from commas, lists and single values", () => {
    expect(read({ name: "x", items: "a, b" })).toMatchObject({ items: ["a", "b"] });
    expect(read({ name: "x", items: ["a", 2] })).toMatchObject({ items: ["a", "2"] });
    expect(read({ name: "x", items: 7 })).toMatchObject({ items: ["7"] });
    expect(read({ name: "x", items: "" })).toMatchObject({ items: [] });
  });

  test("maps come from maps, JSON and pairs", () => {
    expect(read({ name: "x", pairs: '{"a": 1}' })).toMatchObject({ pairs: { a: 1 } });
    expect(read({ name: "x", pairs: "a=1 b=2" })).toMatchObject({ pairs: { a: "1", b: "2" } });
  });

  test("null counts as not given", () => {
    expect(read({ name: "x", on: null, count: null })).toMatchObject({ on: false });
    expect(read({ name: null })).toEqual(["name: is required"]);
  });

  test("an alias stands for its name, but not beside it", () => {
    expect(read({ pkg: "x" })).toMatchObject({ name: "x" });
    expect(read({ pkg: "x", name: "y" })).toContain('name: is given twice, also as "pkg"');
  });

  test("YAML's booleans stand for the words of a choice", () => {
    expect(read({ name: "x", upgrade: true })).toMatchObject({ upgrade: "yes" });
    expect(read({ name: "x", upgrade: false })).toMatchObject({ upgrade: "no" });
    expect(read({ name: "x", upgrade: "all" })).toEqual(['upgrade: wants one of no, yes, dist, not "all"']);
  });

  test.each([644, 755, 600, 1777, 400, 440])("the decimal number %j is refused as a mode", (given) => {
    expect(read({ name: "x", mode: given })).toEqual([expect.stringContaining(`"0${given}"`)]);
  });

  test.each([0o644, 0o755, 0o600, 0o640, 0o777, 0o700, 0o664])(
    "%j, as YAML makes it of octal digits, is a mode",
    (given) => {
      expect(read({ name: "x", mode: given })).toMatchObject({ mode: { kind: "octal", bits: given } });
    },
  );

  test("passwords are named as secrets", async () => {
    const { args } = await loadModule("user");
    const given = args.parse({ name: "x", password: "$6$salt$hash", ssh_key_passphrase: "open" });
    expect(secretsOf(args, given)).toEqual(["$6$salt$hash", "open"]);
  });

  test("passwords in addresses and what stands in telling headers are secrets too", () => {
    const args = defineArgs({ repo: text("Where."), headers: map("What goes along.") });
    const headers = { Authorization: "Bearer abc", "X-Api-Key": "key1", Accept: "text/plain" };
    const given = args.parse({ repo: "https://bob:p%40ss@example.com/r.git", headers });
    expect(secretsOf(args, given)).toEqual(["p%40ss", "p@ss", "abc", "key1"]);
  });

  test("whatever is given, there is an answer and no exception", () => {
    fc.assert(fc.property(fc.jsonValue(), (given) => void read(given)));
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("name", "on", "count", "items", "pairs", "mode", "upgrade"),
          fc.jsonValue(),
        ),
        (given) => void read(given),
      ),
    );
  });
});

describe("words of a command", () => {
  test("quoting each word and splitting gives the words back", () => {
    const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const split = splitWords(words.map(quoted).join(" "));
        expect("words" in split && split.words.map((word) => word.text)).toEqual(words);
      }),
    );
  });

  test("a quote that is not closed is refused", () => {
    expect(splitWords("echo 'a")).toEqual({ refused: "a ' is never closed" });
  });
});

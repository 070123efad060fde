import { describe, expect, test } from "vitest";
import { ErrorCollector, ProvisionError } from "../../src/base/errors.ts";
import { nearest } from "../../src/base/nearest.ts";
import { shellQuote } from "../../src/base/shell-quote.ts";

describe("did you mean", () => {
  test.each([
    ["stat", ["state", "mode"], "state"],
    ["tempalte", ["template", "copy"], "template"],
    ["COPY", ["copy"], "copy"],
    ["x", ["yy", "zzz"], undefined],
    ["something", ["else"], undefined],
    ["", ["a"], "a"],
  ])("%j among %j is %s", (given, candidates, wanted) => {
    expect(nearest(given, candidates)).toBe(wanted);
  });
});

describe("an error collector", () => {
  const error = (state: string): ProvisionError =>
    new ProvisionError({ code: "bad-usage", action: "try", state });

  test("throws all that it gathered as one, in order", () => {
    const collector = new ErrorCollector();
    collector.attempt(() => {
      throw error("one");
    });
    collector.add(new ProvisionError({ code: "bad-usage", action: "try", state: "two" }, [error("three")]));
    expect(() => collector.throwIfAny()).toThrow(
      expect.objectContaining({
        state: "one",
        also: [expect.objectContaining({ state: "two" }), expect.anything()],
      }),
    );
  });

  test("never swallows a defect, and says nothing when nothing is wrong", () => {
    const collector = new ErrorCollector();
    expect(() =>
      collector.attempt(() => {
        throw new TypeError("a defect");
      }),
    ).toThrow(TypeError);
    expect(collector.attempt(() => 5)).toBe(5);
    collector.throwIfAny();
  });
});

test("a quoted word is one word to sh, whatever it holds", () => {
  expect(["a", "", "a b", "it's", "$x", "a\nb"].map(shellQuote)).toEqual([
    "a",
    "''",
    "'a b'",
    `'it'\\''s'`,
    "'$x'",
    "'a\nb'",
  ]);
});

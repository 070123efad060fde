import { describe, expect, test } from "vitest";
import { boundedRegexps, regexpLimitMs } from "../../src/base/bounded-regexp.ts";
import fc from "../support/property.ts";

const long = "a".repeat(40);

describe("a time limit for regular expressions", () => {
  test("repetitions that multiply end in words that name the expression", () => {
    const slow = "^(a+)+$";
    const regexp = new RegExp(slow);
    const done = boundedRegexps([slow, "plain"], long.length, () => regexp.test(`${long}!`));
    expect(done).toEqual({
      refused: `the regular expression "${slow}" takes more than ${regexpLimitMs} ms on this text: its repetitions multiply`,
    });
  });

  test("what cannot take long has no limit, and costs none", () => {
    const plain = [["^a=", 1_000_000] as const, ["a+", 1999] as const, ["(a+)+", 15] as const];
    for (const [source, chars] of plain)
      expect(boundedRegexps([source], chars, () => 7)).toEqual({ made: 7, cpuMs: 0 });
  });

  test("limited or not, what comes of it is the same", () => {
    fc.assert(
      fc.property(fc.constantFrom("a", "a+b*", "(a|b)+", "a?b{2}"), fc.string(), (source, text) => {
        const work = () => [...text.matchAll(new RegExp(source, "gv"))].map(([found]) => found);
        expect(boundedRegexps([source], text.length, work)).toMatchObject({ made: work() });
      }),
    );
  });
});

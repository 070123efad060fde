import { describe, expect, test } from "vitest";
import { pythonRegExp, pythonReplacement } from "../../src/base/python-regexp.ts";

/** Pattern, flags, replacement, text, what python3's re.sub makes of it. */
const substitutions: readonly (readonly [string, string, string, string, string])[] = [
  ["two$", "m", "2", "one\r\ntwo\r\n", "one\r\ntwo\r\n"],
  ["two$", "m", "2", "one\ntwo\nthree", "one\n2\nthree"],
  ["^t", "m", "T", "x\rt\nt", "x\rt\nT"],
  ["o$", "", "0", "two\n", "tw0\n"],
  [".+", "", "x", "a\rb\u2028c\nd", "x\nx"],
  ["(?s)a.b", "", "x", "a\nb", "x"],
  ["\\w+", "", "w", "é1 ٣_", "w w"],
  ["(?a)\\w+", "", "w", "é1", "éw"],
  ["\\d", "", "D", "٣ 3", "D D"],
  ["\\s", "", "_", "a\u00a0b\u001cc\ufeff", "a_b_c\ufeff"],
  ["\\bß\\b", "", "x", "ß sß", "x sß"],
  ["[]a]", "", "x", "a]b", "xxb"],
  ["[^]a]", "", "x", "a]b", "a]x"],
  ["[[]", "", "x", "a[b", "axb"],
  ["[\\w-]+", "", "x", "a-b.c", "x.x"],
  ["[\\W\\n]", "", "x", "a-b", "axb"],
  ["a{,2}b", "", "x", "aab", "x"],
  ["a\\[b\\]{c}", "", "x", "a[b]{c}", "x"],
  ["a\\-b\\ c\\@d", "", "x", "a-b c@d", "x"],
  ["(?P<n>b)(?P=n)", "", "<\\g<n>>", "abb", "a<b>"],
  ["(?x) a \\s b # comment", "", "x", "a b", "x"],
  ["(?#comment)a", "", "x", "a", "x"],
  ["(?i:a)b", "", "x", "AbAB", "xAB"],
  ["(?m:^)b", "", "x", "a\nb", "a\nx"],
  ["\\Aa|b\\Z", "m", "x", "a\na b\nb", "x\na b\nx"],
  ["\\x61\\u0062\\143", "", "x", "abc", "x"],
  ["^.$", "m", "1", "😀", "1"],
  ["(t)(x)?", "", "[\\1\\2\\g<0>]", "t", "[tt]"],
  ["a", "", "\\t\\\\\\.\\101", "a", "\t\\\\.A"],
  ["(a)", "", "\\g<1>0", "a", "a0"],
];

describe("means what Python's re means", () => {
  test.each(substitutions)("%s, flags %s, by %s", (pattern, flags, template, text, want) => {
    const compiled = pythonRegExp(pattern, `g${flags}`);
    if ("refused" in compiled) throw new Error(compiled.refused);
    const replacement = pythonReplacement(template, compiled.regexp);
    if ("refused" in replacement) throw new Error(replacement.refused);
    const parts = text.replace(compiled.regexp, (...found: unknown[]) => {
      const last = found.at(-1);
      const groups = typeof last === "object" && last !== null ? { groups: last } : {};
      return replacement.expand(Object.assign(found as unknown as RegExpMatchArray, groups));
    });
    expect(parts).toBe(want);
  });
});

test.each([
  ["(", "unterminated group"],
  ["a\\q", "there is no escape \\q"],
  ["a++b", "possessive quantifiers (a++) are not understood"],
  ["(a)(?(1)b|c)", "conditions, (?(1)…), are not understood"],
  ["(?>a)", "atomic groups, (?>…), are not understood"],
  ["a(?i)b", "flags such as (?i) stand at the beginning"],
  ["[a", "a class, [, has no end"],
  ["[\\w-z]", "a range needs two characters"],
  ["*", "nothing to repeat"],
  ["a\\", "it ends with a backslash"],
])("%s is refused: %s", (pattern, why) => {
  expect(pythonRegExp(pattern)).toEqual({ refused: `"${pattern}" is not a regular expression: ${why}` });
});

test.each([
  ["\\2", "names a group"],
  ["\\10", "names a group"],
  ["\\g<x>", "names a group"],
  ["\\d", "means nothing"],
  ["a\\", "means nothing"],
])("the replacement %s of (a) is refused", (template, why) => {
  expect(pythonReplacement(template, /(a)/v)).toEqual({ refused: expect.stringContaining(why) as string });
});

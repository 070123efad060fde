import { describe, expect, test } from "vitest";
import { splitKeyValues } from "../../../src/provisioning/source/split-key-values.ts";

const cases: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ["src=a dest=/b", { src: "a", dest: "/b" }, ""],
  ['msg="a b" x=1', { msg: "a b", x: "1" }, ""],
  ["msg='it\"s' x=", { msg: 'it"s', x: "" }, ""],
  ["msg={{ a + 'b c' }} x={{ y }}", { msg: "{{ a + 'b c' }}", x: "{{ y }}" }, ""],
  ["msg={% if a %}b{% endif %} x=1", { msg: "{% if a %}b{% endif %}", x: "1" }, ""],
  ["path=/a=b", { path: "/a=b" }, ""],
  ['line="a=\\"b c\\""', { line: 'a="b c"' }, ""],
  ["regexp='^\\s*x'", { regexp: "^\\s*x" }, ""],
  ["text=a\\nb", { text: "a\nb" }, ""],
  ["file.yml a=1", { a: "1" }, "file.yml"],
  ["a=1\n  b=2", { a: "1", b: "2" }, ""],
  ["it's here", {}, "it's here"],
];

describe("key=value text", () => {
  test.each(cases)("%j", (text, pairs, rest) => {
    const split = splitKeyValues(text);
    if ("problem" in split) throw new Error(split.problem);
    expect(Object.fromEntries(split.pairs.map(({ key, value }) => [key, value]))).toEqual(pairs);
    expect(split.rest).toBe(rest);
  });

  test("keeps a command as it is, its own options apart", () => {
    const only = new Set(["chdir", "creates"]);
    const split = splitKeyValues('FOO=bar echo "a  b" x=1 chdir=/tmp | cat', only);
    expect(split).toMatchObject({
      rest: 'FOO=bar echo "a  b" x=1  | cat',
      pairs: [{ key: "chdir", value: "/tmp" }],
    });
  });

  test.each([
    ['a="b', "open-quote"],
    ["a={{ b", "open-braces"],
  ])("%j is refused: %s", (text, problem) => {
    expect(splitKeyValues(text)).toMatchObject({ problem });
  });
});

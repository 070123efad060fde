import { describe, expect, test } from "vitest";
import {
  checkCondition,
  checkNode,
  checkTemplateFile,
  dependencies,
  namesUsed,
  namesUsedInExpression,
} from "../../../src/provisioning/vars/names-used.ts";
import { contextOf, nodeOf, span } from "./contexts.ts";

const names = (text: string): string[] => [...namesUsed(nodeOf(text)).names].sort();

describe("the names that are used", () => {
  test.each<[string, readonly string[]]>([
    ["{{ a + b.c[d] }}", ["a", "b", "d"]],
    ["{{ a | default(b) | map('x', k=c) }}", ["a", "b", "c"]],
    [
      "{% for x in xs if x > low %}{{ x }}{{ loop.index }}{{ y }}{% endfor %}{{ x }}",
      ["low", "x", "xs", "y"],
    ],
    ["{% set a = b %}{{ a }}", ["b"]],
    ["{% if c %}{% set a = 1 %}{% endif %}{{ a }}", ["c"]],
    ["{% macro m(p, q=d) %}{{ p }}{{ q }}{{ e }}{% endmacro %}{{ m(f) }}", ["d", "e", "f"]],
    ["{{ range(n) }}{{ lookup('items', l) }}{{ omit }}", ["l", "n"]],
    ["{% with a = b %}{{ a }}{{ c }}{% endwith %}", ["b", "c"]],
    ["no template", []],
    ["{{ broken", []],
  ])("%s: %j", (text, expected) => expect(names(text)).toEqual(expected));

  test.each<[string, boolean]>([
    ["a + b", false],
    ["now().year", true],
    ["lookup('pipe', 'date')", true],
    ["lookup(kind, 'x')", true],
    ["query('sequence', 'end=3')", false],
    ["[1, 2] | random", true],
    ["hostvars[name].ip", true],
    ["'/x' is file", true],
  ])("%s is impure: %s", (expression, impure) => {
    expect(namesUsedInExpression(expression).impure).toBe(impure);
  });

  test("are followed through lazy variables", () => {
    const { scope } = contextOf({
      templates: { a: "{{ b }}", b: ["{{ c }}", "{{ a }}"], d: "{{ now() }}" },
      data: { c: "{{ e }}" },
    });
    const found = dependencies(nodeOf({ k: "{{ a }}" }), scope);
    expect([[...found.names].sort(), found.impure]).toEqual([["a", "b", "c"], false]);
    expect(dependencies(nodeOf("{{ d }}"), scope).impure).toBe(true);
  });
});

describe("a check without values", () => {
  test("finds every unknown filter, test and lookup of a node, and broken syntax", () => {
    const errors = checkNode(
      nodeOf({ a: ["{{ x | uper }}", "{{ x is defned }} {{ lookup('fiel') }}"], b: "{{ x", c: "{{ fine }}" }),
    );
    expect(errors.map((error) => [error.state, error.fix])).toEqual([
      ['there is no filter "uper"', 'write "upper" instead of "uper"'],
      ['there is no test "defned"', 'write "defined" instead of "defned"'],
      ['there is no lookup "fiel"', 'write "file" instead of "fiel"'],
      ['"}}" is missing', 'write "}}" where it ends'],
    ]);
  });
  test("reads conditions and template files", () => {
    expect(checkCondition("a == 'b' and c is nothing", span)).toHaveLength(1);
    expect(checkCondition("a == '{{ b }}'", span)).toEqual([]);
    expect(checkTemplateFile("x.j2", "a\n{% if x %}\n").map(({ state }) => state)).toEqual([
      '"endif" is missing',
    ]);
  });
});

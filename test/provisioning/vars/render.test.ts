import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import type { JsonValue } from "../../../src/base/json.ts";
import { expandLoop } from "../../../src/provisioning/vars/loops.ts";
import {
  dropOmitted,
  evaluateCondition,
  evaluateExpression,
  render,
  renderTemplateFile,
  renderText,
} from "../../../src/provisioning/vars/render.ts";
import { contextOf, nodeOf, span } from "./contexts.ts";

const data = {
  n: 1,
  word: "hello",
  list: [3, 1, 2],
  map: { a: { b: "deep" }, "8080": "port" },
  evil: "{{ n }}",
  off: "false",
  nil: null,
};
const context = contextOf({
  data,
  templates: {
    next: "{{ n + 1 }}",
    conf: { port: "{{ n }}", url: "http://h:{{ conf.port }}", bad: "{{ nope }}" },
    round: "{{ about }}",
    about: "{{ round }}",
    broken: "{{ missing.x }}",
    items: ["{{ n }}", { k: "{{ word }}" }],
  },
});
const at = (text: string): JsonValue => renderText(text, span, context);
function refusal(work: () => unknown): ProvisionError {
  try {
    work();
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("a string", () => {
  test.each<[string, JsonValue]>([
    ["{{ n }}", 1],
    ["{{ list }}", [3, 1, 2]],
    ["{{ nil }}", null],
    ["a{{ nil }}b", "ab"],
    ["{{ n }}{{ n }}", "11"],
    ["{{ n }}\n", "1\n"],
    ["{{ list }}\n", [3, 1, 2]],
    ["x {{ n }}\n\n", "x 1\n\n"],
    ["[{{ n }}]", "[1]"],
    ["{% if n %}{{ list }}{% endif %}", [3, 1, 2]],
    ["plain { text }", "plain { text }"],
    ["{{ 4 / 2 }}|{{ 3 // 2 }}|{{ 7 % 4 }}", "2.0|1|3"],
    ["{{ 'x' * n }}{{ ',' if false }}", "x"],
    ["{{ map['8080'] }}{{ map[8080] }}", "portport"],
    ["{{ word[1:3] ~ list[-1] }}", "el2"],
    ["{{ 'a\\1' }}", "a\\1"],
  ])("%j is %j", (text, value) => expect(at(text)).toEqual(value));

  test("that came as data is never rendered again", () => {
    expect(at("{{ evil }}")).toBe("{{ n }}");
    expect(at("{{ [evil, evil] | join }}")).toBe("{{ n }}{{ n }}");
  });

  test("of an unsafe node stays as it is", () => {
    expect(render({ kind: "scalar", value: "{{ n }}", tag: "!unsafe", span }, context)).toBe("{{ n }}");
  });
});

describe("a lazy variable", () => {
  test("is rendered when it is used, lists and mappings through", () => {
    expect(at("{{ next }}")).toBe(2);
    expect(at("{{ items }}")).toEqual([1, { k: "hello" }]);
  });
  test("may use a member of itself, and a bad sibling does no harm", () => {
    expect(at("{{ conf.url }}")).toBe("http://h:1");
  });
  test("that refers to itself is refused with the circle", () => {
    expect(refusal(() => at("{{ round }}")).message).toContain("round → about → round");
  });
  test("that needs what is undefined is undefined itself", () => {
    expect(at("{{ broken is defined }}")).toBe(false);
    expect(at("{{ broken | default('x') }}")).toBe("x");
    const error = refusal(() => at("{{ broken }}"));
    expect(error.code).toBe("undefined-variable");
    expect(error.message).toBe('Cannot render the variable "broken": "missing" is undefined');
  });
});

test("append() grows a template's own list, never one that came as data", () => {
  expect(at("{% set l = [] %}{% for x in list %}{% do l.append(x) %}{% endfor %}{{ l }}")).toEqual([3, 1, 2]);
  expect(at("{% set l = list | list %}{% set _ = l.append(4) %}{{ l | length }}{{ list | length }}")).toBe(
    "43",
  );
  expect(refusal(() => at("{{ list.append(4) }}")).state).toContain("others read");
  expect(refusal(() => at("{{ map.update({'x': 1}) }}")).state).toContain("came as data");
  expect(data.list).toEqual([3, 1, 2]);
});

describe("nothing but data can be reached", () => {
  test.each([
    "{{ ''.constructor }}",
    "{{ list.constructor }}",
    "{{ map.__proto__ }}",
    "{{ map['constructor'] }}",
    "{{ map.hasOwnProperty }}",
    "{{ word.__class__ }}",
    "{{ range.constructor }}",
    "{{ ''.constructor.constructor('return process')() }}",
    "{{ list | map(attribute='constructor') | list }}",
    "{{ map | attr('__proto__') }}",
    "{{ 'x'.format.__globals__ }}",
    "{{ '{0.constructor}'.format(word) }}",
    "{{ process }}",
    "{{ globalThis }}",
    "{{ constructor }}",
    "{{ list | constructor }}",
    "{{ 1 is constructor }}",
    "{{ lookup('constructor') }}",
    "{{ namespace.constructor }}",
    "{{ dict(a=1).constructor }}",
  ])("%s is refused", (text) => {
    expect(refusal(() => at(text)).code).toMatch(/bad-expression|undefined-variable/);
  });

  test("a key named __proto__ is a key like any other", () => {
    const value = at("{{ {'__proto__': {'x': 1}} }}") as Record<string, JsonValue>;
    expect(Object.hasOwn(value, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

describe("what goes too far is refused", () => {
  test.each([
    "{{ 'x' * 100000000 }}",
    "{{ range(100000000) }}",
    "{{ [0] * 100000000 }}",
    "{{ 9 ** 999999 }}",
    "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    `{{ ${"(".repeat(5000)}1${")".repeat(5000)} }}`,
    "{{ '%999999999d' % 1 }}",
    "{{ 'a' | center(999999999) }}",
  ])("%s", (text) => {
    expect(refusal(() => at(text)).code).toBe("bad-expression");
  });
});

describe("a condition", () => {
  test.each<[string | boolean, boolean]>([
    [true, true],
    ["n == 1", true],
    ["n == 1 and word", true],
    ["off", false],
    ["not nil", true],
    ["list", true],
    ["'lo' in word", true],
    ["word is match('^h\\w+$')", true],
    ["{{ n == 2 }}", false],
    ["word == '{{ word }}'", true],
    ["{{ n }} == 1", true],
    ["nope is defined and nope.x", false],
    ["nope is not defined", true],
    ["next == 2", true],
  ])("%s is %s", (expression, value) => {
    expect(evaluateCondition(expression, span, context)).toBe(value);
  });
  test("with an undefined name is refused", () => {
    const error = refusal(() => evaluateCondition("wrod == 'x'", span, context));
    expect([error.code, error.fix]).toEqual(["undefined-variable", 'write "word" instead of "wrod"']);
  });
  test("a bare expression keeps its type", () => {
    expect(evaluateExpression("list | sort", span, context)).toEqual([1, 2, 3]);
  });
});

describe("the place of a mistake", () => {
  const folder = mkdtempSync(join(tmpdir(), "provision-render-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const placed = (source: string, value: string, line: number, column: number): string => {
    const file = join(folder, "tasks.yml");
    writeFileSync(file, source);
    const error = refusal(() => renderText(value, { file, line, column }, context));
    return `${error.span?.line}:${error.span?.column}+${error.span?.length}`;
  };

  test("is the word in a quoted string", () => {
    expect(placed('a: "x {{ nope }}"\n', "x {{ nope }}", 1, 4)).toBe("1:10+4");
  });
  test("is the line and column in a block", () => {
    expect(placed("a: |\n    one\n    {{ n }} {{ nope }}\n", "one\n{{ n }} {{ nope }}\n", 1, 4)).toBe(
      "3:16+4",
    );
  });
  test("is the line of a folded block", () => {
    expect(placed("a: >-\n  one\n  {{ nope }}\n", "one {{ nope }}", 1, 4)).toBe("3:6+4");
  });
  test("is the line of a template file", () => {
    const request = { text: "a\nb {{ nope }}\n", file: "x.j2", language: "j2" } as const;
    const error = refusal(() => renderTemplateFile(request, context));
    expect([error.span?.file, error.span?.line, error.span?.column]).toEqual(["x.j2", 2, 6]);
  });
});

describe("loops", () => {
  const loop = (form: string, over: JsonValue): readonly JsonValue[] =>
    expandLoop({ form, over: nodeOf(over) }, context);
  test.each<[string, JsonValue, JsonValue]>([
    ["loop", "{{ list }}", [3, 1, 2]],
    ["loop", ["{{ n }}", [2]], [1, [2]]],
    ["items", ["{{ list }}", 4, [[5]]], [3, 1, 2, 4, [5]]],
    ["items", "list", [3, 1, 2]],
    ["items", "one", ["one"]],
    ["dict", { a: 1 }, [{ key: "a", value: 1 }]],
    ["sequence", "start=0 end=6 stride=3", ["0", "3", "6"]],
    ["sequence", "count=2 format=n%02x", ["n01", "n02"]],
    [
      "together",
      [
        ["a", "b"],
        [1, 2],
      ],
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
    [
      "nested",
      [["a"], [1, 2]],
      [
        ["a", 1],
        ["a", 2],
      ],
    ],
    [
      "indexed_items",
      ["a", "b"],
      [
        [0, "a"],
        [1, "b"],
      ],
    ],
    ["subelements", [[{ n: 1, l: ["x"] }], "l"], [[{ n: 1 }, "x"]]],
    ["flattened", [1, [2, [3]]], [1, 2, 3]],
  ])("with_%s of %j gives %j", (form, over, items) => {
    expect(loop(form, over)).toEqual(items);
  });
  test("a mapping under loop names the way out", () => {
    expect(refusal(() => loop("loop", { a: 1 })).fix).toContain("dict2items");
  });
});

test("omit leaves out what it is given to", () => {
  const node = nodeOf({ a: "{{ nope | default(omit) }}", b: 1, c: ["{{ omit }}", 2] });
  expect(dropOmitted(render(node, context))).toEqual({ b: 1, c: [2] });
});

describe("hostvars", () => {
  const other = contextOf({ data: { ip: "10.0.0.2" }, templates: { url: "http://{{ ip }}" } });
  const here = contextOf(
    { data: { ip: "10.0.0.1" } },
    {
      hosts: {
        names: () => ["a", "b"],
        context: (name) => (name === "b" ? other : name === "a" ? here : undefined),
      },
    },
  );
  test("renders in the other host's own scope", () => {
    expect(renderText("{{ hostvars['b'].url }}", span, here)).toBe("http://10.0.0.2");
    expect(renderText("{{ hostvars | list }}", span, here)).toEqual(["a", "b"]);
    expect(renderText("{{ ['a', 'b'] | map('extract', hostvars, 'ip') | join(',') }}", span, here)).toBe(
      "10.0.0.1,10.0.0.2",
    );
  });
  test("of a host that is not there is undefined", () => {
    expect(renderText("{{ hostvars.c is defined }}", span, here)).toBe(false);
  });
});

test("a template file: include, import, extends, its own syntax line", () => {
  const folder = mkdtempSync(join(tmpdir(), "provision-templates-"));
  writeFileSync(join(folder, "base.j2"), "<{% block body %}base{% endblock %}>");
  writeFileSync(join(folder, "macros.j2"), "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}");
  writeFileSync(join(folder, "part.j2"), "part {{ word }}");
  const run = (text: string): string =>
    renderTemplateFile({ text, file: join(folder, "main.j2"), language: "j2" }, context);
  expect(run("{% extends 'base.j2' %}{% block body %}own, {{ super() }}{% endblock %}")).toBe("<own, base>");
  expect(run("{% import 'macros.j2' as m %}{{ m.twice(n) }}")).toBe("11");
  expect(run("{% from 'macros.j2' import twice as t %}{{ t('x') }}")).toBe("xx");
  expect(run("{% include 'part.j2' %}{% include 'none.j2' ignore missing %}")).toBe("part hello");
  expect(
    run(
      "#jinja2: lstrip_blocks: True, variable_start_string: '[[', variable_end_string: ']]'\n  {% if n %}\n[[ word ]] {{ x }}\n  {% endif %}\n",
    ),
  ).toBe("hello {{ x }}\n");
  rmSync(folder, { recursive: true });
});

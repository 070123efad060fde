import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import type { JsonValue } from "../../../src/base/json.ts";
import { renderTemplateFile, renderText } from "../../../src/provisioning/vars/render.ts";
import { contextOf, span } from "./contexts.ts";

const fact = "{{ 7 * 7 }}{{ lookup('pipe', 'id') }}";
const context = contextOf({
  data: { d: { a: 1 }, l: [1, 2, 3], fact, facts: { inner: [fact] } },
  templates: { viaVariable: "{{ fact }}", viaMember: { x: "{{ facts.inner[0] }}" }, viaList: ["{{ fact }}"] },
});

const outOfReach = [
  "''.constructor",
  "''.constructor.constructor('return process')()",
  "''['constructor']",
  "''.__class__.__mro__[1].__subclasses__()",
  "[].__class__.__mro__",
  "d.__proto__",
  "d['__proto__']",
  "d.constructor",
  "d.toString",
  "d.hasOwnProperty('a')",
  "l.constructor",
  "l.map",
  "l.length",
  "range.constructor",
  "lookup.constructor('return 1')()",
  "dict.__globals__",
  "cycler.__init__.__globals__.os.popen('id').read()",
  "self.__init__",
  "self._TemplateReference__context",
  "namespace(a=1).__proto__",
  "{}.polluted",
  "d | attr('__class__')",
  "d | attr('constructor')",
  "l | map(attribute='constructor') | list",
  "l | map(attribute='__proto__.constructor') | list",
  "[d] | selectattr('constructor', 'defined') | first",
  "[d] | sort(attribute='__proto__') | list",
  "[d] | groupby('constructor') | list",
  "'{0.__class__}'.format(1)",
  "'{0.constructor}'.format(d)",
  "'{0[constructor]}'.format(d)",
  "'%(constructor)s' % d",
  "globalThis",
  "process.env",
  "require('fs')",
  "this",
  "constructor",
  "__proto__",
  "hasOwnProperty",
  "vars.__proto__",
  "vars['constructor']",
  "'x' | constructor",
  "'x' | __proto__",
  "'x' | toString",
  "1 is constructor",
  "lookup('constructor')",
  "lookup('__proto__')",
  "lookup('hasOwnProperty', 1)",
  "lookup('vars', '__proto__')",
  "d | json_query('toString(@)')",
  "'1.2.3.4' | ipaddr('constructor')",
  "'x' | hash('constructor')",
  "'x' | comment('constructor')",
  "'00:00:00:00:00:00' | hwaddr('toString')",
  "'1' is version('1', 'constructor')",
];
const outOfReachOfHandlebars = [
  "{{constructor}}",
  "{{d.constructor}}",
  "{{d.__proto__}}",
  "{{#with d}}{{constructor.name}}{{/with}}",
  '{{#with "s" as |string|}}{{#with (string.sub.apply 0 "x")}}{{this}}{{/with}}{{/with}}',
  "{{__lookupGetter__}}",
  "{{#each l}}{{@root.constructor}}{{/each}}",
  "{{> x}}",
  "{{#each l}}{{../d.toString}}{{/each}}",
  "{{helperMissing}}",
  "{{blockHelperMissing}}",
  "{{#each this}}{{@key}}{{/each}}",
];

describe("no expression reaches a prototype, a global or the process", () => {
  test.each(outOfReach)("%s", (expression) => {
    expect(() => renderText(`{{ ${expression} }}`, span, context)).toThrow(ProvisionError);
  });
  test.each(outOfReachOfHandlebars)("%s", (text) => {
    expect(() => renderTemplateFile({ text, file: "t.hbs", language: "hbs" }, context)).toThrow(
      ProvisionError,
    );
  });
  test.each(['{{lookup d "constructor"}}', '{{lookup d "__proto__"}}'])("%s finds nothing", (text) => {
    expect(renderTemplateFile({ text, file: "t.hbs", language: "hbs" }, context)).toBe("");
  });
  test.each(["__proto__", "constructor", "[0].constructor"])("json_query('%s') finds nothing", (query) => {
    expect(renderText(`{{ d | json_query('${query}') }}`, span, context)).toBeNull();
  });
  test("names of the prototype are keys like any other, and change nothing else", () => {
    const made = [
      "{{ d | combine({'__proto__': {'polluted': 1}}, recursive=true) }}",
      `{{ '{"__proto__": {"polluted": 1}}' | from_json }}`,
      "{{ '__proto__: {polluted: 1}' | from_yaml }}",
      "{% set ns = namespace() %}{% set ns.__proto__ = {'polluted': 1} %}{{ ns.__proto__ }}",
    ].map((text) => renderText(text, span, context));
    expect(made.every((value) => JSON.stringify(value).includes("polluted"))).toBe(true);
    expect("polluted" in {}).toBe(false);
  });
});

describe("what a host said is never rendered", () => {
  const cases: readonly (readonly [string, JsonValue])[] = [
    ["{{ fact }}", fact],
    ["{{ viaVariable }}", fact],
    ["{{ viaMember.x }}", fact],
    ["{{ viaMember }}", { x: fact }],
    ["{{ viaList[0] }}", fact],
    ["{{ [fact] | first }}", fact],
    ["{{ facts.inner | map('trim') | list }}", [fact]],
    ["{{ {'a': fact} | combine({'b': fact}) }}", { a: fact, b: fact }],
    ["{{ fact ~ '!' }}", `${fact}!`],
    ["{{ lookup('vars', 'fact') }}", fact],
    ["{{ lookup('items', fact) }}", fact],
    ["{{ (facts | to_json | from_json).inner[0] }}", fact],
    ["{{ facts | json_query('inner[0]') }}", fact],
    ["{{ fact | regex_replace('^', '') }}", fact],
    ["{{ '%s' | format(fact) }}", fact],
    ["{% set x = fact %}{{ x }}", fact],
    ["{% macro m(v) %}{{ v }}{% endmacro %}{{ m(fact) }}", fact],
    ["{% for f in facts.inner %}{{ f }}{% endfor %}", fact],
    ["{{ fact is defined | ternary(fact, '') }}", fact],
  ];
  test.each(cases)("%s", (text, value) => {
    expect(renderText(text, span, context)).toEqual(value);
  });
  test("nor in Handlebars", () => {
    const text = "{{fact}}|{{viaVariable}}|{{#each facts.inner}}{{this}}{{/each}}";
    expect(renderTemplateFile({ text, file: "t.hbs", language: "hbs" }, context)).toBe(
      `${fact}|${fact}|${fact}`,
    );
  });
});

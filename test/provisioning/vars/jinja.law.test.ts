import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { renderTemplateFile } from "../../../src/provisioning/vars/render.ts";
import fc from "../../support/property.ts";
import { contextOf } from "./contexts.ts";

const variables = {
  i: 7,
  j: -3,
  z: 0,
  f: 2.5,
  s: "Hello World",
  e: "",
  t: "a,b;c\n d",
  u: "ünï😀",
  yes: true,
  no: false,
  nil: null,
  l: [3, 1, 2],
  m: ["b", "a", "C"],
  n: [1, [2, "x"], { k: null }],
  o: [],
  d: { b: 2, a: "one", c: [1, 2] },
  r: [
    { n: "x", v: 2 },
    { n: "y", v: 1 },
    { n: "x", v: 3 },
  ],
};

interface Answer {
  readonly text?: string;
  readonly error?: string;
  readonly code?: string;
}

function oracle(templates: readonly string[]): readonly Answer[] {
  const script = join(import.meta.dirname, "jinja-oracle.py");
  const run = spawnSync("/usr/bin/python3", [script], {
    input: JSON.stringify({ templates, variables }),
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as readonly Answer[];
}

function ours(text: string): Answer {
  try {
    const context = contextOf({ data: variables });
    return { text: renderTemplateFile({ text, file: "t.j2", language: "j2" }, context) };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return { error: error.message, code: error.code };
  }
}

/** Where we differ on purpose. */
function isMeant(template: string, python: Answer, own: Answer): boolean {
  // Text filters take what is no text, unique and "in" take what is no key; in Python they fail.
  const lenient = [
    /for \+=: '\w+' and 'str'/,
    /has no attribute 'splitlines'/,
    /has no len\(\)/,
    /can only concatenate tuple/,
    /unhashable type/,
    // Ours takes the blank of an "if" without "else" for empty text, also in filters, and slices constants late.
    /the inline if-expression/,
    /has no element slice/,
    // Keys of JSON are text before they are put in order.
    /'<' not supported between instances of 'int' and 'str'/,
    /not JSON serializable/,
  ];
  if (lenient.some((pattern) => pattern.test(python.error ?? ""))) return true;
  // truncate measures a list by its items and cuts it as text.
  if (/truncate/.test(template)) return true;
  // A list with an undefined item does not print "Undefined", and escaped text is text like any other.
  if (/Undefined|Markup\(/i.test(python.text ?? "")) return true;
  // A list in text is refused where letters would be taken for items.
  if (/the text looks like/.test(own.error ?? "")) return true;
  // A slice of what has none is an error at once, also where Jinja only notes it as undefined.
  if (/cannot be sliced/.test(own.error ?? "")) return true;
  // "is none", "is string" … of what is undefined, and an attribute that no item has, are errors.
  const isUndefined = own.code === "undefined-variable" && python.error === undefined;
  return isUndefined && / is | in |\{'a'|attribute=|attr\(|groupby|select| % |\| items/.test(template);
}

/** A file ends with as many newlines as its template, as Ansible sees to. */
function asFile(text: string, template: string): string {
  const ends = (one: string): number => /\n*$/.exec(one)?.[0].length ?? 0;
  return text + "\n".repeat(Math.max(0, ends(template) - ends(text)));
}

function differences(templates: readonly string[]): string[] {
  const wanted = oracle(templates);
  return templates.flatMap((template, index) => {
    const [python, own] = [wanted[index] ?? {}, ours(template)];
    if (isMeant(template, python, own)) return [];
    const same =
      python.error === undefined ? own.text === asFile(python.text ?? "", template) : own.error !== undefined;
    return same ? [] : [`${template}\n  jinja: ${JSON.stringify(python)}\n  ours:  ${JSON.stringify(own)}`];
  });
}

const pick = (...values: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...values);
const join2 = (arbitraries: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...arbitraries).map((parts) => parts.join(""));

const atoms = pick(
  ...Object.keys(variables),
  "0",
  "1",
  "2",
  "-1",
  "10",
  "1.5",
  "2.0",
  "1e3",
  "100000000000000000000",
  "true",
  "False",
  "none",
  "'x'",
  '"it\'s"',
  "'a' 'b'",
  "''",
  "'%s|%5.2f'",
  "[]",
  "{}",
  "()",
  "[1, 2.0, 'x']",
  "(1, 'a')",
  "{'k': [1], 2: 'z'}",
  "d.a",
  "d['b']",
  "d.c[1]",
  "n[1][1]",
  "s[0]",
  "s[-1]",
  "u[3]",
  "l[5]",
  "d.nope",
  "nope",
  "r[0].n",
);

const filters = pick(
  "default('q')",
  "d('q', true)",
  "length",
  "upper",
  "lower",
  "title",
  "capitalize",
  "trim",
  "list",
  "first",
  "last",
  "sort",
  "sort(reverse=true)",
  "reverse | list",
  "unique | list",
  "join('-')",
  "join",
  "string",
  "int",
  "int(5)",
  "float",
  "abs",
  "round",
  "round(1)",
  "round(1, 'floor')",
  "sum",
  "min",
  "max",
  "replace('l', 'L')",
  "map('upper') | list",
  "map('string') | list",
  "select | list",
  "reject('none') | list",
  "batch(2) | list",
  "slice(2) | list",
  "center(15)",
  "indent(2)",
  "indent(2, true)",
  "wordcount",
  "truncate(5)",
  "dictsort",
  "items | list",
  "tojson",
  "escape",
  "map(attribute='n') | list",
  "selectattr('v', 'gt', 1) | list",
  "rejectattr('n', 'equalto', 'x') | list",
  "sum(attribute='v')",
  "groupby('n') | list",
  "wordwrap(6)",
  "format(i, f)",
  "sort(attribute='v')",
  "count",
  "map('default', 'q') | list",
  "select('string') | list",
  "min(attribute='v')",
  "striptags",
  "filesizeformat",
);
const tests = pick(
  "defined",
  "undefined",
  "none",
  "string",
  "number",
  "integer",
  "float",
  "mapping",
  "iterable",
  "sequence",
  "boolean",
  "true",
  "false",
  "odd",
  "even",
  "divisibleby 2",
  "in l",
  "in s",
  "eq 7",
  "ne 'x'",
  "lt 3",
  "ge(2)",
  "sameas none",
  "lower",
  "upper",
  "not defined",
  "not none",
  "not in m",
);
const methods = pick(
  ".upper()",
  ".lower()",
  ".strip()",
  ".split()",
  ".split(',')",
  ".split('l', 1)",
  ".rsplit(' ', 1)",
  ".replace('o', '0')",
  ".startswith('H')",
  ".endswith(('d', 'x'))",
  ".find('o')",
  ".count('l')",
  ".title()",
  ".zfill(15)",
  ".center(20, '*')",
  ".ljust(14) ~ '|'",
  ".rjust(14)",
  ".items() | list",
  ".keys() | list",
  ".values() | list",
  ".get('a')",
  ".get('zz', 5)",
  ".index(1)",
  ".partition(' ')",
  ".splitlines()",
  ".isdigit()",
  ".isalpha()",
  ".swapcase()",
  ".capitalize()",
  ".join(['a', 'b'])",
  ".format(1, a=2)",
  ".strip('Hd')",
  ".isupper()",
  ".rpartition('o')",
);
const slices = pick(
  "[1:]",
  "[:2]",
  "[::-1]",
  "[-2:]",
  "[::2]",
  "[1:3]",
  "[5:1:-1]",
  "[0]",
  "[-1]",
  "[10]",
  "['a']",
  "[i]",
);
const binary = pick(
  " + ",
  " - ",
  " * ",
  " / ",
  " // ",
  " % ",
  " ~ ",
  " == ",
  " != ",
  " < ",
  " <= ",
  " > ",
  " >= ",
  " in ",
  " not in ",
  " and ",
  " or ",
);

const { expression } = fc.letrec<{ expression: string; small: string }>((tie) => ({
  small: fc.oneof(
    { maxDepth: 2 },
    atoms,
    tie("expression").map((inner) => `(${inner})`),
  ),
  expression: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    atoms,
    join2([tie("small"), binary, tie("small")]),
    join2([tie("small"), binary, tie("small"), binary, tie("small")]),
    join2([tie("small"), fc.constant(" | "), filters]),
    join2([tie("small"), fc.constant(" | "), filters, fc.constant(" | "), filters]),
    join2([tie("small"), fc.constant(" is "), tests]),
    join2([tie("small"), methods]),
    join2([tie("small"), slices]),
    join2([fc.constant("not "), tie("small")]),
    join2([pick("-", "+"), tie("small")]),
    join2([tie("small"), fc.constant(" if "), tie("small"), fc.constant(" else "), tie("small")]),
    join2([tie("small"), fc.constant(" if "), tie("small")]),
    join2([fc.constant("["), tie("small"), fc.constant(", "), tie("small"), fc.constant("]")]),
    join2([fc.constant("{'a': "), tie("small"), fc.constant("}")]),
    join2([pick("2", "-2", "f", "i", "j"), fc.constant(" ** "), pick("2", "3", "0", "-1", "1.0")]),
  ),
}));

/** Printing an iterator or a method shows an address in Python; ours shows the list, or an error. */
const hasNoAddress = (template: string): boolean => !/\| (?:reverse|items)(?! \| list)/.test(template);

const blank = pick("", " ", "\n", "  \n");
const open = pick("{%", "{%-", "{%+");
const close = pick("%}", "-%}", "+%}");
const tag = (body: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  join2([open, fc.constant(" "), body, fc.constant(" "), close]);
const k = (text: string): fc.Arbitrary<string> => fc.constant(text);
const { template } = fc.letrec<{ template: string; part: string }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 3 },
    pick(
      "text",
      "a b\n",
      "{# note #}",
      "{#- note -#}\n",
      "\\n",
      "{% raw %}{{ x }}{% endraw %}\n",
      "{{ i }}\n",
      "{{- i -}}",
      "{{ loop.index }}",
      "{{ x }}",
    ),
    join2([k("{{ "), expression, k(" }}")]),
    join2([
      tag(join2([k("if "), expression])),
      tie("template"),
      tag(k("else")),
      tie("template"),
      tag(k("endif")),
    ]),
    join2([
      tag(join2([k("if "), expression])),
      tie("template"),
      tag(join2([k("elif "), expression])),
      tie("template"),
      tag(k("endif")),
    ]),
    join2([
      tag(join2([k("for x in "), pick("l", "m", "o", "d", "s", "range(3)", "r", "[]", "nope")])),
      tie("template"),
      tag(k("endfor")),
    ]),
    join2([
      tag(k("for x in l if x > 1")),
      k("{{ loop.index }}/{{ loop.length }}{{ loop.last }}{{ loop.previtem | default('-') }}"),
      tie("template"),
      tag(k("else")),
      k("none"),
      tag(k("endfor")),
    ]),
    join2([tag(k("for k, v in d.items()")), k("{{ k }}={{ v }},"), tag(k("endfor"))]),
    join2([tag(join2([k("set x = "), expression])), tie("template")]),
    join2([tag(k("set x")), tie("template"), tag(k("endset")), k("[{{ x }}]")]),
    join2([tag(k("set x | upper")), tie("template"), tag(k("endset")), k("[{{ x }}]")]),
    join2([tag(join2([k("with x = "), expression])), tie("template"), tag(k("endwith"))]),
    join2([tag(k("filter upper")), tie("template"), tag(k("endfilter"))]),
    join2([
      tag(k("macro mac(x, y=2, *z)")).map((text) => text.replace(", *z", "")),
      tie("template"),
      k("{{ x }}{{ y }}"),
      tag(k("endmacro")),
      k("{{ mac(1) }}{{ mac(x=l, y=3) }}"),
    ]),
    join2([
      tag(k("macro mac(x)")),
      k("<{{ caller() }}>"),
      tag(k("endmacro")),
      tag(k("call mac(1)")),
      tie("template"),
      tag(k("endcall")),
    ]),
    join2([
      k("{% set ns = namespace(n=0) %}{% for q in l %}{% set ns.n = ns.n + q %}"),
      tie("template"),
      k("{% endfor %}{{ ns.n }}"),
    ]),
    join2([
      k("{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}"),
      tie("template"),
      k("{% if loop.index > 1 %}{% break %}{% endif %}{% endfor %}"),
    ]),
    join2([
      tag(k("block b1")).map((text) => text.replace("b1", `b${Math.abs(hash(text))}`)),
      k("in"),
      tag(k("endblock")),
    ]),
  ),
  template: fc
    .array(fc.oneof(tie("part"), blank), { minLength: 0, maxLength: 3 })
    .map((parts) => parts.join("")),
}));
const hash = (text: string): number =>
  [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) | 0, 7);

const seed = Number(process.env.PROVISION_TEST_SEED ?? 20261121);
const runs = process.env.PROVISION_TEST_LONG === "1" ? 40_000 : 4_000;

describe("Python's jinja2 and ours", () => {
  test("agree on random expressions", () => {
    const samples = fc.sample(expression, { numRuns: runs, seed }).filter(hasNoAddress);
    expect(differences(samples.map((text) => `{{ ${text} }}`)).slice(0, 20)).toEqual([]);
  });

  test("agree on random templates", () => {
    const samples = fc.sample(template, { numRuns: runs, seed }).filter(hasNoAddress);
    expect(differences(samples).slice(0, 20)).toEqual([]);
  });
});

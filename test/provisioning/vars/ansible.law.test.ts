import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import type { JsonObject, JsonValue } from "../../../src/base/json.ts";
import { renderText } from "../../../src/provisioning/vars/render.ts";
import fc from "../../support/property.ts";
import { contextOf, span } from "./contexts.ts";
import { filterExamples, lookupExamples, testExamples } from "./expression-examples.ts";

interface Answer {
  readonly text?: string;
  readonly error?: string;
}
const folder = join(import.meta.dirname, "../../cases/expressions");

function ansible(templates: readonly string[], variables: JsonObject = {}): readonly Answer[] {
  const run = spawnSync("/usr/bin/python3", [join(import.meta.dirname, "ansible-oracle.py")], {
    input: JSON.stringify({ templates, variables, folder }),
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, ANSIBLE_DEPRECATION_WARNINGS: "0", TZ: "UTC" },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as readonly Answer[];
}

test("Ansible prints what our examples say", () => {
  const asked = [...filterExamples, ...testExamples, ...lookupExamples].filter(
    ({ differs }) => differs === undefined,
  );
  const answers = ansible(
    asked.map(({ expression, asked: full = expression }) => `<{{ ${full} }}>`),
    { groups: { web: ["a", "b", "c"] } },
  );
  const different = asked.flatMap(({ expression, prints }, index) => {
    const { text, error } = answers[index] ?? {};
    return text === `<${prints}>`
      ? []
      : [`${expression}: ${JSON.stringify(prints)}, Ansible: ${error ?? JSON.stringify(text)}`];
  });
  expect(different).toEqual([]);
});

/** What our side prints for the same string, or that it refuses it. */
function ours(text: string, variables: JsonObject): Answer {
  try {
    return { text: String(renderText(text, span, contextOf({ data: variables }, { searchPath: [folder] }))) };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return { error: error.message };
  }
}
function differences(templates: readonly string[], variables: JsonObject): string[] {
  const wanted = ansible(templates, variables);
  return templates.flatMap((template, index) => {
    const own = ours(template, variables);
    const theirs = wanted[index] ?? {};
    const same = theirs.error === undefined ? own.text === theirs.text : own.error !== undefined;
    return same
      ? []
      : [`${template}\n  Ansible: ${JSON.stringify(theirs)}\n  ours:    ${JSON.stringify(own)}`];
  });
}

const words = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.string({ maxLength: 8, unit: fc.constantFrom(..."ab :#-'\"[]{},&*!|>%@`\n\ty0.1~?=") }),
  fc.constantFrom(
    "yes",
    "null",
    "~",
    "1",
    "1.5",
    "0x1f",
    "1e3",
    "01",
    "=",
    "<<",
    "",
    " ",
    "a: b",
    "- a",
    "#x",
    "ü",
    "a\nb",
    "a\n",
    "2026-01-01",
    "1:20",
    "é\tx",
    "it's",
    "!x",
  ),
);
const values: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    words,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom(0.5, -2.25, 1e-7, 1.5e300),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b1", "key name", "yes", "x:y"), tie("value"), { maxKeys: 3 }),
  ),
})).value as fc.Arbitrary<JsonValue>;

test("JSON and YAML come out as Ansible writes them", () => {
  const samples = fc.sample(values, { numRuns: 400, seed: 7 });
  const variables = Object.fromEntries(samples.map((value, index) => [`v${index}`, value]));
  const forms = ["to_json", "to_nice_json", "to_yaml", "to_nice_yaml"];
  const templates = samples.flatMap((_value, index) => forms.map((form) => `<{{ v${index} | ${form} }}>`));
  expect(differences(templates, variables).slice(0, 12)).toEqual([]);
});

test("strings of playbooks that trip people up print what Ansible prints", () => {
  const variables = {
    n: 1,
    f: 2.5,
    s: "a.b",
    l: [1, 2],
    d: { k: "v", n: null },
    path: "/etc/x.conf",
    hosts: ["h1", "h2"],
  };
  const templates = [
    "x {{ n }}\n",
    "{% if n %}\nyes\n{% endif %}\n",
    "{%- for h in hosts %}{{ h }}:2181{% if not loop.last %},{% endif %}{% endfor %}",
    "{{ s | regex_replace('\\.', '-') }}x",
    "{{ s.split('.')[1] }}x",
    "{{ 'a\\nb' }}x",
    "{{ path | regex_search('[^/]+$') }}x",
    "{{ path | regex_search('nope') }}x",
    "{{ d.n }}x",
    "{{ d.k | default('q') }}x",
    "{{ d.zz | default('q') }}x",
    "{{ d.zz.y | default('q') }}x",
    "{{ hosts | map('regex_replace', '^', 'zk://') | join(',') }}x",
    "{{ hosts | map('regex_replace', '$', ':2181') | join(',') }}x",
    "{{ l | sum / 2 }}x",
    "{{ (n | int) + 1 }}x",
    "{{ '%02d' | format(n) }}x",
    "{{ '{{' }}x",
    "{{ d | dict2items | map(attribute='key') | list }}x",
    "{{ l | zip(hosts) | list }}x",
    "{{ dict(hosts | zip(l)) }}x",
    "{{ hosts[1:] + ['z'] }}x",
    "{{ 'h1' in hosts }}x",
    "{{ hosts.index('h2') + 1 }}x",
    "{{ d.items() | list }}x",
    "{{ f | round | int }}x",
    "{{ f | int }}x",
    "{{ 7 // 2 }}{{ 7 % 3 }}{{ -7 // 2 }}x",
    "{{ 1 == 1.0 }}x",
    "{{ '1' == 1 }}x",
    "{{ [] == false }}x",
    "{{ none }}x",
    "{{ true and 'a' }}x",
    "{{ hosts | length > 1 | ternary('a', 'b') }}x",
    "{{ (hosts | length > 1) | ternary('a', 'b') }}x",
    "{{ d | combine({'k': 'w'}) }}x",
    "{{ [d, {'k': 2}] | combine }}x",
    "{{ l | map('pow', 2) | list }}x",
    "{{ 'a,b' .split(',') | last }}x",
    "{{ 10 | human_readable }}x",
    "{{ 1536 * 1024 | int }}x",
    "{{ '1K' | human_to_bytes }}x",
    "{{ 'x' | hash('md5') | truncate(5, true, '') }}x",
    "{{ l | first }}{{ l | last }}{{ l | max }}x",
    "{{ hosts | join(' ') | upper | quote }}x",
    "{{ [1, [2, [3, [4]]]] | flatten(1) }}x",
    "{{ '1.2.10' is version('1.2.9', '>') }}x",
    "{{ '1.2' is version('1.2.0', '==', strict=true) }}x",
    "{{ hosts | symmetric_difference(['h1']) }}x",
    "{{ 'on' | bool }}{{ 'nope' | bool }}{{ 1 | bool }}x",
    "{{ ' a b ' | trim | replace(' ', '') }}x",
    "{{ lookup('items', hosts) }}x",
    "{{ lookup('sequence', 'end=2') }}x",
    "{{ query('dict', d) | length }}x",
    "{{ lookup('env', 'HOME') | length > 0 }}x",
    "{% set x = l | length %}{{ x * 2 }}",
    "{% macro m(a, b='q') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}",
    "{{ hosts | select('match', 'h1') | list }}x",
    "{{ [{'a': 1}, {'b': 2}] | selectattr('a', 'defined') | list }}x",
    "{{ [{'a': 1}, {'a': 3}] | map(attribute='a') | sum }}x",
    "{{ [3, 1] | sort | first }}x",
    "{{ 'A' | lower ~ 'B' }}x",
    "{{ 'abc'[::-1] }}x",
    "{{ 'a' if n == 1 else 'b' }}x",
    "{{ ('a', 'b') | join }}x",
    "{{ 1.0 }}{{ 1e3 }}{{ 10 ** 2 }}x",
    "{{ l + hosts }}x",
    "{{ 'a' ~ n ~ f }}x",
    "{{ d['k'] }}{{ d.get('zz', 5) }}x",
    "{{ hosts | random(seed='x') | length }}x",
    "{{ '2026-01-02' | to_datetime('%Y-%m-%d') }}x",
    "{{ 'a=b' | urlencode }}{{ 'a/b c' | urlencode }}x",
    "{{ 'x' | b64encode | b64decode }}x",
    "{{ s | comment }}x",
    "{{ s | comment('cblock') }}x",
    "{{ s | comment('plain', prefix='#####', postfix='#####') }}x",
    "{{ '{\"a\": [1, 2]}' | from_json | to_json }}x",
    "{{ nope }}",
    "{{ d.k.z.y }}",
    "{{ 'a' + 1 }}",
    "{{ l | nosuch }}",
    "{{ n is nosuch }}",
    "{{ undefined_function() }}",
    "{{ 1 / 0 }}",
    "{{ l[7] }}",
    "{{ hosts | extract }}",
    "{{ nope | mandatory }}",
  ];
  expect(differences(templates, variables)).toEqual([]);
});

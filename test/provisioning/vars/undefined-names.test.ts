import { expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { evaluateCondition, renderText } from "../../../src/provisioning/vars/render.ts";
import type { RenderContext } from "../../../src/provisioning/vars/render-context.ts";
import { contextOf } from "./contexts.ts";

const other = contextOf({ data: { inventory_hostname: "h2" } });
const context: RenderContext = contextOf(
  {
    data: {
      app: { name: "web", port: 80 },
      result: { changed: false, skipped: true, skip_reason: "Conditional result was False" },
      listed: "['a', 'b']",
      mapped: "{'a': 1}",
    },
    templates: { conf: { dir: "{{ app.direktory }}/x" }, path: "{{ conf.dir }}/y" },
  },
  { hosts: { names: () => ["h1", "h2"], context: (name) => (name === "h2" ? other : undefined) } },
);

/** What is said of a string at column 6 of its line: column, state, why and fix. */
function said(text: string, condition = false): string {
  const span = { file: "gone.yml", line: 3, column: 6, sourceLine: `msg: ${text}` };
  try {
    if (condition) evaluateCondition(text, span, context);
    else renderText(text, span, context);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    const { state, why, fix } = error;
    return [`${error.span?.column}: ${state}`, ...[why, fix].filter((part) => part !== undefined)].join(
      " | ",
    );
  }
  throw new Error("nothing was refused");
}

test.each([
  ["{{ appp }}", '9: "appp" is undefined | write "app" instead of "appp"'],
  ["{{ app.nmae }}", '13: there is no key "nmae" among "name", "port" | write "name" instead of "nmae"'],
  ["{{ app['nmae'] }}", '14: there is no key "nmae" among "name", "port" | write "name" instead of "nmae"'],
  [
    "{{ conf.dir }}",
    '1: there is no key "direktory" among "name", "port" | if it may be missing: put | default(…) behind it',
  ],
  [
    "{{ path }}",
    '1: there is no key "direktory" among "name", "port" | it is needed by "path" | if it may be missing: put | default(…) behind it',
  ],
  [
    "{{ result.stdout }}",
    '16: there is no key "stdout": the task that registered it was skipped | if it may be missing: put | default(…) behind it',
  ],
  [
    "{{ hostvars['h3'].x }}",
    '19: the inventory has no host "h3" | add a line "h3" to the inventory, or mend the name',
  ],
  [
    "{{ hostvars.h2.port }}",
    '21: host "h2" has no variable "port" | if it may be missing: put | default(…) behind it',
  ],
  ["{{ listed | join(',') }}", "18: the text looks like a list but is text | write | from_yaml behind it"],
  ["{{ listed[0] }}", "15: the text looks like a list but is text | write | from_yaml behind it"],
  ["{{ listed | length }}", "18: the text looks like a list but is text | write | from_yaml behind it"],
  [
    "{{ mapped.a }}",
    '16: the text looks like a mapping but is text, so it has no "a" | write | from_yaml behind it',
  ],
  [
    "{{ ansible_distribution }}",
    '9: "ansible_distribution" is undefined | it is a fact, and the facts of this host were not gathered, or not this part of them | take "gather_facts: false" out of the play, or run the module "setup" before',
  ],
  [
    "{{ ansible_distributon }}",
    '9: "ansible_distributon" is undefined | no fact has that name | write "ansible_distribution" instead of "ansible_distributon"',
  ],
  [
    "{{ ansible_python_version }}",
    '9: "ansible_python_version" is undefined | hosts need no Python here, so nothing is known of it | guard it: ansible_python_version | default(…)',
  ],
])("%s: %s", (text, message) => {
  expect(said(text)).toBe(message);
});

test.each([
  ["app.name == web", "18: \"web\" is undefined | if it is text, write 'web'"],
  ["'{{ app.name }}' == web", "26: \"web\" is undefined | if it is text, write 'web'"],
])("in a condition, %s: %s", (text, message) => {
  expect(said(text, true)).toBe(message);
});

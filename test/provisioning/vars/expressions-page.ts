/** docs/expressions.md as text. */
import {
  type Example,
  filterExamples,
  lookupExamples,
  testAliases,
  testExamples,
} from "./expression-examples.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", "⏎");
const code = (text: string): string => (text === "" ? "" : `\`${cell(text)}\``);

function table(examples: readonly Example[]): string {
  const rows = examples.map(
    ({ name, says, expression, prints }) =>
      `| ${code(name)} | ${cell(says)} | ${code(expression)} | ${code(prints)} |`,
  );
  return ["| name | gives | example | prints |", "|---|---|---|---|", ...rows].join("\n");
}

export function expressionsPage(): string {
  const aliases = Object.entries(testAliases).map(([alias, name]) => `\`${alias}\` = \`${name}\``);
  return `# Expressions

Strings in playbooks, inventories and variable files may hold Jinja: \`{{ expression }}\`, \`{% statement %}\`,
\`{# comment #}\`. \`when\`, \`until\`, \`changed_when\`, \`failed_when\` and \`assert\` take a bare expression. Template files that end
in \`.j2\` are Jinja, those that end in \`.hbs\` are Handlebars.

The language is Jinja 3.1 with Python's meaning: an empty list is false, \`1 == "1"\` is false, \`3 / 2\` is 1.5, \`%\` formats
text. All statements are there: if, for, set, with, macro, call, filter, block, extends, include, import, raw, do, break,
continue.

## What to know

- A string that is one expression alone keeps its type: \`"{{ ports }}"\` is a list, \`"{{ 80 }}"\` a number, \`"port {{ ports }}"\`
  is text. Ansible makes text of numbers, and guesses that text like \`[1, 2]\` is a list. Here text stays text: to walk over such
  text is an error that names \`from_yaml\`. \`{% if a %}True{% else %}False{% endif %}\` gives a truth value, as there.
- A name that is undefined is an error with its file, line and column, unless \`default\` or \`is defined\` guards it. An inline
  \`if\` without \`else\` gives nothing.
- Variables are rendered when they are used. One that refers to itself is an error that shows the circle. A member is rendered
  without its siblings, so \`conf.port\` may be used within \`conf\`.
- What a host said (facts, registered results) and what lookups read is never rendered, however it looks.
- In \`{{ }}\` of a playbook a backslash stands for itself, as YAML has read it already: \`regex_replace('(a)', '\\1')\`. In
  template files and conditions write \`'\\\\1'\`, as in Python.
- A random number, a shuffled list or a password drawn with a seed is the one that Ansible draws. \`to_nice_yaml\` folds lines
  as PyYAML does. A file taken in by \`include\` ends without its last newline, a rendered file as its template ends.
- Names may carry their collection: \`ansible.builtin.\`, \`ansible.utils.\`, \`community.general.\` and the like. \`json_query\` is JMESPath.
- Conditions: \`-e flag=false\` gives text; a condition takes the words no, false, off and 0 for what they mean.
- Nothing but data can be reached: no attribute of Python's or JavaScript's objects, no file and no command except through the
  lookups below.
- Limits: 8 MiB of text, 2,000,000 steps (rounds of loops, members written or compared), 1,000,000 items in a list that is made,
  100 templates deep, half a second for one regular expression.

## Filters

${table(filterExamples)}

## Tests

${table(testExamples)}

Second names: ${aliases.join(", ")}.

## Lookups

\`lookup(…)\` gives text or one value, \`query(…)\` (or \`q\`) always a list. Each is also a loop: \`with_sequence\`, \`with_dict\`, …

${table(lookupExamples)}

## Functions

\`range\`, \`dict\`, \`namespace\`, \`cycler\`, \`joiner\`, \`now(utc=false, fmt=…)\`, \`undef(hint=…)\`; the names \`omit\` (leave the argument
out), \`vars\` and \`hostvars\`.

## Handlebars

Nothing is escaped. \`{{name}}\` of something unknown is an error; \`{{default name "x"}}\` and \`{{#if (defined name)}}\` guard it. A
member that may be missing may stand in \`if\` and \`unless\`. Blocks: if, unless, each (with \`@index\`, \`@key\`, \`@first\`, \`@last\`,
\`as |item key|\`), with. Helpers: lookup, default, defined, join, json (\`indent=2\`), eq, ne, lt, lte, gt, gte, and, or, not, add,
subtract, multiply, length, lower, upper, replace, concat, indent. Inside \`each\` a variable is \`{{../name}}\`.
`;
}

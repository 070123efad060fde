/** A random playbook as the files that a user would have written. */

import type { Fields, RandomPlaybook } from "./random-playbooks.ts";

/** Hosts that run by themselves must leave each other alone: who comes first is chance, ahead or not. */
const isApart = (fields: Fields): boolean =>
  !/sh }}|delegate|other|hostvars|run_once|add_host|group_by|play_hosts|outside|included|lazy0/.test(
    JSON.stringify(fields),
  );

const line = (fields: Fields, indent = 4): string => `${" ".repeat(indent)}- ${JSON.stringify(fields)}`;

const handlers = [
  { name: "h", shell: "echo handled >> {{ d }}/handled" },
  {
    name: "h2",
    copy: { content: "{{ v | default('one') }}", dest: "{{ d }}/y" },
    listen: "topic",
    notify: "h",
  },
  ...["x", "y", "z", "d/x", "d/y", "l", "l/z", "d"].map((item) => ({
    name: `h ${item}`,
    shell: `echo ${item} >> {{ d }}/handled`,
  })),
];

export function playbookText({ plays }: RandomPlaybook): string {
  return plays
    .map(({ hosts, statements, serial, strategy, keywords }) =>
      [
        // One host at a time within a task: two hosts of one machine may race for a path otherwise, ahead or not.
        ...(strategy === "linear"
          ? [`- hosts: ${JSON.stringify(hosts)}`, "  throttle: 1"]
          : ["- hosts: a:c", `  strategy: ${strategy === "at once" ? "linear" : strategy}`]),
        ...(serial === 0 ? [] : [`  serial: ${serial}`]),
        ...Object.entries(keywords)
          .filter(([name]) => strategy === "linear" || !/fail|fatal/.test(name))
          .map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
        "  tasks:",
        ...(strategy === "linear" ? statements : statements.filter(isApart)).map((fields) => line(fields)),
        "    - meta: noop",
        "  handlers:",
        ...handlers.map((fields) => line(fields)),
      ].join("\n"),
    )
    .join("\n");
}

export const filesOf = ({ included }: RandomPlaybook): Readonly<Record<string, string>> => ({
  "included.yml": included.map((fields) => line(fields, 0)).join("\n"),
  from: "from the controller\n",
  // More than a message's text holds.
  large: "large\n".repeat(50_000),
  "t.j2": "{{ inventory_hostname }} {{ v | default('none') }} {{ lazy2 | basename }}\n",
});

/** a and b are one machine. `lazy2` is three levels away from what tasks set. */
export const inventoryOf = ({ hasGone }: RandomPlaybook): string =>
  [
    "[all]",
    "a ansible_host=one other=b",
    "b ansible_host=one other=c",
    "c ansible_host=two other=a",
    ...(hasGone ? ["gone ansible_host=gone other=a"] : []),
    "[g_x]",
    "b",
    "[all:vars]",
    "ansible_connection=local",
    "lazy0=x",
    'lazy1="{{ lazy0 }}"',
    'lazy2="{{ d }}/{{ lazy1 }}"',
    "",
  ].join("\n");

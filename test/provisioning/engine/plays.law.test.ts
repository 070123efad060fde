import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  failures,
  inNewFolders,
  outcomes,
  type PlaybookText,
  runText,
  shown,
} from "../../support/run-playbook.ts";

let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

const three = "[web]\na\nb\nc\n[all:vars]\nansible_connection=local\n";
const run = (playbook: string, rest: Partial<PlaybookText> = {}) =>
  runText({ playbook, extraVars: [`d=${dir}`], ...rest });
const read = (name: string): string => readFileSync(join(dir, name), "utf8");
const play = (rest: string): string => `- hosts: all\n  gather_facts: false\n${rest}`;

describe("order", () => {
  test("every host ends a task before the next one begins (R7)", async () => {
    const ran = await run(
      play(`  tasks:
    - shell: "sleep 0.{{ {'a': 3, 'b': 1, 'c': 0}[inventory_hostname] }}; echo one {{ inventory_hostname }} >> {{ d }}/log"
    - shell: "echo two {{ inventory_hostname }} >> {{ d }}/log"
`),
      { inventory: three },
    );
    expect(ran.summary.exitCode).toBe(0);
    const words = read("log")
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0]);
    expect(words).toEqual(["one", "one", "one", "two", "two", "two"]);
  });

  test("pre_tasks, handlers, roles, tasks, handlers, post_tasks, handlers", async () => {
    const ran = await run(
      play(`  pre_tasks:
    - command: echo
      notify: h
    - debug: {msg: pre}
  tasks:
    - debug: {msg: task}
    - command: echo
      notify: [h, first]
  post_tasks:
    - debug: {msg: post}
  handlers:
    - name: first
      debug: {msg: first handler}
    - name: h
      debug: {msg: handler}
`),
    );
    expect(shown(ran)).toEqual([
      "a: pre",
      "a: handler",
      "a: task",
      "a: first handler",
      "a: handler",
      "a: post",
    ]);
  });

  test("serial goes batch by batch, a failed batch ends the run", async () => {
    const ran = await run(
      play(`  serial: [1, 2]
  tasks:
    - name: t
      command: "false"
`),
      { inventory: three },
    );
    expect(outcomes(ran)).toEqual(["t a failed"]);
    expect(ran.summary.exitCode).toBe(2);
  });

  test("free lets each host run by itself", async () => {
    await run(
      play(`  strategy: free
  tasks:
    - shell: "{{ 'sleep 0.3' if inventory_hostname == 'a' else 'true' }}; echo one {{ inventory_hostname }} >> {{ d }}/log"
    - shell: "echo two {{ inventory_hostname }} >> {{ d }}/log"
`),
      { inventory: three },
    );
    expect(read("log").trim().split("\n").at(-1)).toBe("two a");
  });

  test("rolling takes hosts one at a time and stops at the first that fails", async () => {
    const ran = await run(
      play(`  tasks:
    - name: roll
      rolling: 1
      block:
        - shell: "echo start {{ inventory_hostname }} >> {{ d }}/log"
        - shell: "{{ 'false' if inventory_hostname == 'b' else 'true' }}"
        - shell: "echo end {{ inventory_hostname }} >> {{ d }}/log"
    - shell: "echo after {{ inventory_hostname }} >> {{ d }}/log"
`),
      { inventory: three },
    );
    expect(read("log").trim().split("\n")).toEqual(["start a", "end a", "start b"]);
    expect(ran.summary.stopped).toContain('b did not come back from rolling "roll"');
  });
});

describe("failures", () => {
  test("rescue catches, always runs, the host goes on", async () => {
    const ran = await run(
      play(`  tasks:
    - block:
        - name: breaks
          command: "false"
        - debug: {msg: not reached}
      rescue:
        - debug: {msg: "{{ ansible_failed_task.name }} {{ ansible_failed_result.rc }}"}
      always:
        - debug: {msg: always}
    - debug: {msg: after}
`),
    );
    expect(shown(ran)).toEqual(["a: breaks 1", "a: always", "a: after"]);
    expect(ran.summary.recap[0]).toMatchObject({ failed: 0, rescued: 1 });
    expect(ran.summary.exitCode).toBe(0);
  });

  test("any_errors_fatal ends the play for all, after the task", async () => {
    const ran = await run(
      play(`  any_errors_fatal: true
  tasks:
    - name: t
      command: "{{ 'false' if inventory_hostname == 'b' else 'true' }}"
    - name: never
      command: "true"
`),
      { inventory: three },
    );
    expect(outcomes(ran)).toEqual(["t a changed", "t b failed", "t c changed"]);
    expect(ran.summary.stopped).toContain("any_errors_fatal");
  });

  test.each([
    [34, "goes on"],
    [33, "stops"],
  ])("max_fail_percentage %i of three hosts with one failed %s", async (limit, what) => {
    const ran = await run(
      play(`  max_fail_percentage: ${limit}
  tasks:
    - name: t
      command: "{{ 'false' if inventory_hostname == 'b' else 'true' }}"
    - name: next
      command: "true"
`),
      { inventory: three },
    );
    expect(outcomes(ran).includes("next a changed")).toBe(what === "goes on");
  });

  test("an undefined variable fails the task at its place, other hosts go on", async () => {
    const ran = await run(
      play(`  tasks:
    - name: t
      debug: {msg: "{{ nope }}"}
      when: inventory_hostname == "a"
    - name: next
      command: "true"
`),
      { inventory: three },
    );
    expect(failures(ran)[0]).toContain('"nope" is undefined');
    expect(outcomes(ran)).toContain("next b changed");
    expect(ran.summary.failedHosts).toEqual(["a"]);
  });

  test("ignore_errors, failed_when and changed_when", async () => {
    const ran = await run(
      play(`  tasks:
    - {name: one, command: "false", ignore_errors: true}
    - {name: two, command: echo bad, register: r, failed_when: "'bad' in r.stdout", ignore_errors: true}
    - {name: three, command: "false", register: r, failed_when: r.rc > 1}
    - {name: four, command: echo, changed_when: false}
`),
    );
    expect(outcomes(ran)).toEqual(["one a ignored", "two a ignored", "three a changed", "four a ok"]);
  });

  test("until tries again and says how often", async () => {
    const ran = await run(
      play(`  tasks:
    - name: t
      shell: "echo x >> {{ d }}/tries; [ $(wc -l < {{ d }}/tries) -ge 3 ]"
      register: r
      until: r.rc == 0
      retries: 5
      delay: 0
    - debug: {msg: "{{ r.attempts }}"}
`),
    );
    expect(shown(ran)).toEqual(["a: 3"]);
  });
});

describe("variables", () => {
  test("set_fact in a loop sees what the item before set", async () => {
    const ran = await run(
      play(`  tasks:
    - set_fact: {x: "{{ x | default([]) + [item] }}"}
      loop: [1, 2, 3]
    - debug: {msg: "{{ x }}"}
`),
    );
    expect(shown(ran)[0]).toContain("1");
    expect(shown(ran)[0]?.replace(/\s/g, "")).toContain("[1,2,3]");
  });

  test("what run_once learnt is everybody's (R14)", async () => {
    const ran = await run(
      play(`  tasks:
    - command: echo {{ inventory_hostname }}
      run_once: true
      register: r
    - debug: {msg: "{{ r.stdout }}"}
`),
      { inventory: three },
    );
    expect(shown(ran).sort()).toEqual(["a: a", "b: a", "c: a"]);
  });

  test("facts are gathered only where something uses them", async () => {
    const without = await run("- hosts: all\n  tasks:\n    - command: echo\n");
    const withThem = await run("- hosts: all\n  tasks:\n    - debug: {msg: '{{ ansible_facts.kernel }}'}\n");
    expect(shown(withThem)[0]).toMatch(/a: \d/);
    expect(without.summary.exitCode).toBe(0);
  });

  test("include_tasks in a loop, with its variables, for those whose condition holds", async () => {
    const ran = await run(
      play(`  tasks:
    - include_tasks: inner.yml
      loop: [1, 2]
      vars: {x: "v{{ item }}"}
      when: inventory_hostname != "b"
`),
      { inventory: three, files: { "inner.yml": "- debug: {msg: '{{ x }}'}\n" } },
    );
    expect(shown(ran).sort()).toEqual(["a: v1", "a: v2", "c: v1", "c: v2"]);
  });

  test("group_by and add_host make hosts for later plays", async () => {
    const ran = await run(
      `${play(`  tasks:
    - group_by: {key: "is_{{ inventory_hostname }}"}
    - add_host: {name: new, groups: [fresh], ansible_connection: local, colour: red}
`)}- hosts: is_b:fresh
  gather_facts: false
  tasks:
    - debug: {msg: "{{ colour | default('none') }} {{ group_names | join(',') }}"}
`,
      { inventory: three },
    );
    expect(shown(ran).sort()).toEqual(["b: none is_b,web", "new: red fresh"]);
  });
});

describe("waves and strangers", () => {
  test("wait_for_connection waits for the first connection too", async () => {
    const ran = await run(
      play(`  tasks:
    - {name: w, wait_for_connection: {timeout: 1}}
`),
      { inventory: "a ansible_host=127.0.0.1 ansible_port=1 ansible_user=x\n" },
    );
    expect(outcomes(ran)).toEqual(["w a unreachable"]);
    expect(ran.summary.exitCode).toBe(4);
  });
});

describe("choosing", () => {
  test("tags, --start-at-task and meta end_host", async () => {
    const text = play(`  tasks:
    - {name: one, command: echo, tags: [x]}
    - {name: two, command: echo, tags: [always]}
    - {name: three, command: echo}
`);
    expect(outcomes(await run(text, { request: { tags: { only: ["x"], skip: [] } } }))).toEqual([
      "one a changed",
      "two a changed",
    ]);
    expect(outcomes(await run(text, { request: { startAtTask: "two" } }))).toEqual([
      "two a changed",
      "three a changed",
    ]);
  });

  test("meta: end_host is no failure", async () => {
    const ran = await run(
      play(`  tasks:
    - meta: end_host
      when: inventory_hostname == "b"
    - {name: t, command: echo}
`),
      { inventory: three },
    );
    expect(outcomes(ran)).toEqual(["t a changed", "t c changed"]);
    expect(ran.summary.exitCode).toBe(0);
  });
});

describe("hosts out of reach", () => {
  test("they are left out, the others go on, and the exit code is 4", async () => {
    const ran = await run(play("  tasks:\n    - {name: t, command: echo}\n"), {
      inventory: "a ansible_connection=local\nb ansible_host=127.0.0.1 ansible_port=1 ansible_user=x\n",
    });
    expect(ran.summary.exitCode).toBe(4);
    expect(outcomes(ran)).toEqual(["t a changed"]);
    expect(ran.summary.recap.map(({ host, unreachable }) => [host, unreachable])).toContainEqual(["b", 1]);
  });

  test("interrupted: exit code 130", async () => {
    const controller = new AbortController();
    const ran = await run(
      play("  tasks:\n    - {name: t, command: sleep 20}\n    - {name: u, command: echo}\n"),
      {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === "task-progress") controller.abort();
        },
      },
    );
    expect(ran.summary.exitCode).toBe(130);
    expect(outcomes(ran).some((line) => line.startsWith("u"))).toBe(false);
  });
});

test("an included file whose tags cannot be rendered fails the hosts that include it, and no others", async () => {
  const ran = await run(
    play(`  tasks:
    - {name: bring, include_tasks: part.yml, when: inventory_hostname == 'b'}
    - {name: next, command: "true"}
`),
    {
      inventory: three,
      files: { "part.yml": "- {name: inner, command: 'true', tags: '{{ inventory_hostname }}'}\n" },
    },
  );
  expect(outcomes(ran)).toEqual(["bring b failed", "next a changed", "next c changed"]);
  expect(failures(ran)).toEqual([expect.stringMatching(/render tags: "inventory_hostname" is undefined/)]);
});

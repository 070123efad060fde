import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newFolder, runText } from "../../support/run-playbook.ts";

/** What the host prints: it would run a command on the controller if anything rendered it. */
const playbook = (canary: string): string => `- hosts: all
  gather_facts: false
  vars:
    lazy: "{{ out.stdout }}"
  tasks:
    - command: printf '%s' "{{ '{{' }} lookup('pipe', 'touch ${canary}') }}"
      register: out
    - assert: {that: ["'lookup' in out.stdout"]}
    - set_fact: {a: "{{ out.stdout }}", b: {x: "{{ out.stdout }}"}, "c{{ 1 }}": "{{ lazy }}"}
    - debug: {msg: "{{ a }} {{ b.x }} {{ c1 }} {{ lazy }} {{ b }}"}
    - debug: {msg: "{{ item }}"}
      loop: ["{{ out.stdout }}"]
    - debug: {msg: "{{ item }}"}
      with_items: "{{ [out.stdout] }}"
    - debug: {msg: "{{ v }} {{ w.y }} {{ l[0] }}"}
      vars:
        v: "{{ out.stdout }}"
        w: "{{ {'x': 1} | combine({'y': out.stdout}) }}"
        l: ["{{ out.stdout }}"]
    - copy: {content: "{{ out.stdout }}", dest: "{{ d }}/evil"}
    - slurp: {src: "{{ d }}/evil"}
      register: read
    - set_fact: {content: "{{ read.content | b64decode }}"}
    - debug: {msg: "{{ content }} {{ lookup('file', d ~ '/evil') }}"}
    - add_host: {name: other, evil: "{{ out.stdout }}", ansible_connection: local}
    - debug: {msg: "{{ hostvars['other'].evil }} {{ hostvars[inventory_hostname].a }} {{ vars.a }}"}
    - group_by: {key: "g_{{ a | hash('md5') }}"}
    - template: {src: echo.j2, dest: "{{ d }}/echoed"}
    - template: {src: echo.hbs, dest: "{{ d }}/echoed.hbs"}
    - debug: {msg: "{{ lookup('template', 'echo.j2') }} {{ lookup('vars', 'a') }} {{ query('items', a) }}"}
    - debug: {msg: told}
      when: [a == out.stdout, out.stdout is search('lookup')]
      changed_when: a is defined
      failed_when: a == ''
    - fail: {msg: "{{ a }}"}
      ignore_errors: true
      register: failed
    - debug: {msg: "{{ failed.msg }}", verbosity: "{{ a | length * 0 }}"}
    - debug: {var: a}
    - name: "named {{ a }}"
      debug: {msg: "{{ a | from_yaml_all if false else a | to_json | from_json }}"}
    - assert: {that: "a == content and lazy == a and l2[0] == a"}
      vars: {l2: "{{ [a] | map('trim') | list }}"}
`;

test("what a host said is never rendered, whatever way it goes through a play", async () => {
  const dir = newFolder();
  const canary = join(dir, "rendered");
  const ran = await runText({
    playbook: playbook(canary),
    extraVars: [`d=${dir}`],
    files: {
      "echo.j2": '{{ a }}{% set z = a %}{{ z }}{% include "part.j2" %}',
      "part.j2": "{{ b.x }}",
      "echo.hbs": "{{a}}",
    },
  });
  expect(ran.summary.exitCode).toBe(0);
  expect(existsSync(canary)).toBe(false);
  rmSync(dir, { recursive: true });
});

/**
 * A child process: whole projects (inventory, variables, vault, ansible.cfg, playbook, role, templates), each with one
 * file spoilt, read by the command line as a user would have it read. Prints what it saw and the most memory it took.
 *
 *   node test/support/mutated-projects.ts FIRST LAST
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runCommandLine } from "../../src/cli/main.ts";
import { encryptVault } from "../../src/provisioning/vars/vault/vault.ts";
import { capturedIo } from "./captured-io.ts";

export interface Seen {
  readonly runs: number;
  readonly fine: number;
  readonly peakBytes: number;
  readonly slowestMs: number;
  /** Seed, file and what was said. */
  readonly bad: readonly string[];
}

const password = "sesame";
const vaulted = encryptVault(Buffer.from("secret: hidden\nother: {a: 1}\n"), {
  id: "default",
  password: () => Buffer.from(password),
});

export const project: Readonly<Record<string, string>> = {
  "ansible.cfg":
    "[defaults]\ninventory = hosts.ini\nroles_path = roles\nforks = 5\ntimeout = 10\n\n[ssh_connection]\nssh_args = -o ControlMaster=auto\n",
  "hosts.ini":
    "web[1:3].example.com ansible_port=22\n[web]\nweb[1:3].example.com a=1 b='two words'\n[db]\ndb1 zoo_id=1\n[all:children]\nweb\ndb\n[web:vars]\nx={'a': [1, 2]}\n",
  "group_vars/all.yml":
    'port: 80\nname: "{{ inventory_hostname }}-{{ port }}"\nlist: [1, 2, 3]\nusers:\n  - {name: ann, groups: [a, b]}\n  - {name: bob}\n',
  "group_vars/web/vault.yml": vaulted,
  "host_vars/db1.yml": "---\ndirs: &dirs\n  - /a\n  - /b\nmore: *dirs\ntext: |\n  two\n  lines\n",
  "site.yml":
    '- hosts: web:&all\n  become: true\n  vars_files: [vars.yml]\n  roles:\n    - {role: app, port: 81, tags: [x]}\n  tasks:\n    - name: say\n      debug: {msg: "{{ users | map(attribute=\'name\') | join(\', \') }}"}\n      when: port == 80 and name is defined\n      loop: "{{ list }}"\n      register: said\n    - block:\n        - command: ls {{ item }}\n          with_items: ["/a", "/b"]\n          changed_when: false\n      rescue:\n        - fail: msg=no\n  handlers:\n    - {name: again, service: {name: x, state: restarted}}\n- import_playbook: more.yml\n',
  "more.yml":
    '- hosts: db\n  gather_facts: no\n  serial: [1, 50%]\n  tasks:\n    - include_tasks: extra.yml\n    - copy: {content: "{{ text }}", dest: /tmp/x, mode: "0644"}\n      notify: none such\n      ignore_errors: yes\n  handlers:\n    - {name: none such, command: \'true\'}\n',
  "extra.yml": '- set_fact: {y: "{{ [1, 2] | sum }}"}\n- assert: {that: [y == 3, "y is number"]}\n',
  "vars.yml": "deep: {a: {b: {c: [1, {d: e}]}}}\n",
  "roles/app/tasks/main.yml":
    '- name: config\n  template: {src: app.conf.j2, dest: /etc/app.conf, mode: "0644"}\n  notify: restart app\n- template: {src: app.hbs, dest: /etc/app.hbs}\n- lineinfile: {path: /etc/hosts, line: "127.0.0.1 x", regexp: \'^127\\.\'}\n',
  "roles/app/handlers/main.yml": "- name: restart app\n  service: name=app state=restarted\n",
  "roles/app/defaults/main.yml": "port: 8080\nopts: {a: 1}\n",
  "roles/app/meta/main.yml": "dependencies: [{role: base, tags: [base]}]\n",
  "roles/base/tasks/main.yml": "- ping:\n",
  "roles/app/templates/app.conf.j2":
    "{% for user in users %}\n{{ user.name | upper }} {{ user.groups | default([]) | join(',') }}\n{% endfor %}\n{% if port > 80 %}high{% else %}low{% endif %}\n",
  "roles/app/templates/app.hbs": "{{#each users}}{{name}}{{/each}} {{port}}\n",
};

const insertions = [
  ..."{}[]:,-#&*!|>'\"%@`?\t\n\u0000é=\u2028\ufeff",
  ..."{{ |{% if %}| }}|- |: |<<: *a\n|&a [*a, *a]|!vault |\n|\n    |[9:1]|[1:999999999]|[g:vars]\n|ansible_port=x".split(
    "|",
  ),
  ..."include_tasks: site.yml|block:\n|loop: |when: (|hosts: ~[|serial: -1|y: 1e999|{{ 9 ** 9 ** 9 }}|{{ 'a' * 999999999 }}".split(
    "|",
  ),
  ..."{{ range(999999999) | list }}|{% for a in range(99999999) %}{% endfor %}|!!binary |!!python/object:os.system|$ANSIBLE_VAULT;1.1;AES256\n".split(
    "|",
  ),
];

/** Always the same sequence for the same seed: a failure is found again by its number. */
function numbers(seed: number): (limit: number) => number {
  let state = (Math.imul(seed, 2_654_435_761) + 12_345) >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function spoilt(text: string, upTo: (limit: number) => number): string {
  let made = text;
  for (let edits = 1 + upTo(4); edits > 0; edits--) {
    const at = upTo(made.length + 1);
    const end = Math.min(made.length, at + 1 + upTo(40));
    const kind = upTo(6);
    if (kind === 0) made = made.slice(0, at) + made.slice(end);
    else if (kind === 1) made = made.slice(0, end) + made.slice(at);
    else if (kind === 2) made = made.slice(end) + made.slice(0, at);
    else made = made.slice(0, at) + (insertions[upTo(insertions.length)] ?? "") + made.slice(at);
  }
  return made;
}

const writeAll = (folder: string): void => {
  for (const [name, text] of Object.entries(project)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  writeFileSync(join(folder, "password"), password);
};

async function look(folder: string, argv: readonly string[]): Promise<{ code: number; text: string }> {
  const io = capturedIo({ cwd: folder, env: { HOME: folder }, packageRoot: folder });
  const code = await runCommandLine([...argv, "--vault-password-file", "password"], io);
  return { code, text: io.errors() };
}

/** What is said is ours: no stack, no defect, a place or at least a reason. */
const isBad = ({ code, text }: { code: number; text: string }): boolean =>
  code === 0 ? false : !/error\[[a-z-]+\]\n\S/.test(text) || /error\[defect\]|\n\s+at .*:\d+:\d+/.test(text);

async function seeMutated(first: number, last: number): Promise<Seen> {
  const folder = mkdtempSync(join(tmpdir(), "provision-spoilt-"));
  const names = Object.keys(project);
  const bad: string[] = [];
  let [fine, slowestMs] = [0, 0];
  writeAll(folder);
  for (let seed = first; seed <= last; seed++) {
    const upTo = numbers(seed);
    const name = names[seed % names.length] ?? "";
    const path = join(folder, name);
    writeFileSync(path, spoilt(readFileSync(path, "utf8"), upTo));
    const startedAt = performance.now();
    const isVars = /_vars|hosts|\.cfg/.test(name) && seed % 2 === 0;
    const seen = await look(folder, isVars ? ["inventory", "--list"] : ["--syntax-check"]);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    if (seen.code === 0) fine++;
    if (isBad(seen)) bad.push(`${seed} ${name}: ${seen.text.slice(0, 400)}`);
    writeFileSync(path, project[name] ?? "");
  }
  rmSync(folder, { recursive: true, force: true });
  // In KiB.
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  return { runs: last - first + 1, fine, peakBytes, slowestMs, bad };
}

if (import.meta.main) {
  const [first = "1", last = "100"] = process.argv.slice(2);
  process.stdout.write(JSON.stringify(await seeMutated(Number(first), Number(last))));
}

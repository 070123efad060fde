import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { failures, inNewFolders, outcomes, type PlaybookText, runText } from "../../support/run-playbook.ts";

/** What newer and older Ansibles understand than the one that the recorded playbooks are held against. */
let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

const play = (tasks: string, head = "  gather_facts: false\n"): string =>
  `- hosts: all\n${head}  tasks:\n${tasks}`;
/** What debug tasks say, one after the other. */
async function said(text: PlaybookText): Promise<string[]> {
  const { events } = await runText(text);
  return events.flatMap((event) => (event.type === "show" ? [event.text] : []));
}

describe("spellings of before Ansible 2.9", () => {
  test("tests stand as filters", async () => {
    const tasks = `    - {command: "true", register: t}
    - {command: "false", register: f, ignore_errors: true}
    - {debug: {msg: "{{ t|success }} {{ f|failed }} {{ t|changed }} {{ t|skipped }}"}}
    - {debug: {msg: "{{ '1.10'|version_compare('1.9', '>') }} {{ 'abc'|match('a') }}"}}
    - {debug: {msg: both}, when: t|success and not f|success}
`;
    expect(await said({ playbook: play(tasks) })).toEqual(["True True True False", "True True", "both"]);
  });
});

describe("a loop", () => {
  test("ends after the item that break_when names", async () => {
    const tasks = `    - {command: "test {{ item }} -lt 2", loop: [1, 2, 3], register: r, ignore_errors: true, loop_control: {break_when: r is failed}}
    - {debug: {msg: "{{ r.results | map(attribute='item') | list }}"}}
`;
    expect(await said({ playbook: play(tasks) })).toEqual([
      "[1,2]".replace(",", ",\n  ").replace("[", "[\n  ").replace("]", "\n]"),
    ]);
  });
});

describe("what a play says of its facts", () => {
  beforeEach(() => {
    mkdirSync(join(dir, "own"));
    writeFileSync(join(dir, "own/site.fact"), '{"rack": 7}');
  });
  const look =
    '    - {debug: {msg: "{{ ansible_interfaces is defined }} {{ ansible_mounts is defined }} {{ ansible_kernel is defined }} {{ (ansible_local | default({})).site.rack | default(0) }}"}}\n';

  test.each([
    ["gather_subset: [network]", "True False True 0"],
    ["gather_subset: ['!network']", "False True True 0"],
    ["gather_subset: [min, mounts]", "False True True 0"],
    ["gather_subset: '!all,local'\n  fact_path: '{{ d }}/own'", "False False True 7"],
  ])("%s", async (head, facts) => {
    const playbook = play(look, `  ${head}\n`);
    expect(await said({ playbook, extraVars: [`d=${dir}`] })).toEqual([facts]);
  });

  test("what one play left out comes in the next that wants it", async () => {
    const playbook = play(look, "  gather_subset: [network]\n") + play(look, "");
    expect(await said({ playbook })).toEqual(["True False True 0", "True True True 0"]);
  });

  test("facts that there are not are refused", async () => {
    const playbook = play(look, "  gather_subset: [netwrok]\n");
    await expect(runText({ playbook })).rejects.toThrow('there are no facts called "netwrok"');
  });
});

describe("vars_prompt", () => {
  test("keeps the hash of a password, and masks the password", async () => {
    const secrets = new Set<string>();
    const playbook = play(
      `    - {debug: {msg: "{{ secret == 'hunter2' | password_hash('sha512', 'abcdefgh', rounds=656000) }}"}}\n`,
      "  gather_facts: false\n  vars_prompt: [{name: secret, prompt: Which?, encrypt: sha512_crypt, salt: abcdefgh}]\n",
    );
    const request = { prompt: () => Promise.resolve("hunter2"), secrets };
    expect(await said({ playbook, request })).toEqual(["true"]);
    expect([...secrets]).toContain("hunter2");
  });
});

describe("a role's arguments", () => {
  test("are held against its specification before it does anything", async () => {
    mkdirSync(join(dir, "roles/web/tasks"), { recursive: true });
    mkdirSync(join(dir, "roles/web/meta"), { recursive: true });
    writeFileSync(join(dir, "roles/web/tasks/main.yml"), "- {name: acts, command: 'true'}\n");
    writeFileSync(
      join(dir, "roles/web/meta/argument_specs.yml"),
      "argument_specs: {main: {options: {http_port: {type: int, required: true}}}}\n",
    );
    const playbook = "- hosts: all\n  gather_facts: false\n  roles: [{role: web, http_port: many}]\n";
    const ran = await runText({ playbook, folder: dir });
    expect(failures(ran)[0]).toContain("http_port is many, and wants a whole number");
    expect(outcomes(ran)).toEqual(["Validating arguments against arg spec 'main' a failed"]);
  });
});

describe("a handler of a role", () => {
  test("runs once, by however many ways the role came", async () => {
    mkdirSync(join(dir, "roles/web/tasks"), { recursive: true });
    mkdirSync(join(dir, "roles/web/handlers"), { recursive: true });
    const task = "- {command: 'true', notify: restart}\n";
    writeFileSync(join(dir, "roles/web/tasks/main.yml"), task);
    writeFileSync(join(dir, "roles/web/tasks/other.yml"), task);
    writeFileSync(join(dir, "roles/web/handlers/main.yml"), "- {name: restart, debug: {msg: restarted}}\n");
    const tasks = `    - import_role: {name: web}
    - include_role: {name: web, tasks_from: other}
    - meta: flush_handlers
`;
    expect(await said({ playbook: play(tasks), folder: dir })).toEqual(["restarted"]);
  });

  test("sees the variables that its role was brought with, in its name too", async () => {
    mkdirSync(join(dir, "roles/unit/tasks"), { recursive: true });
    mkdirSync(join(dir, "roles/unit/handlers"), { recursive: true });
    mkdirSync(join(dir, "roles/unit/defaults"), { recursive: true });
    writeFileSync(join(dir, "roles/unit/defaults/main.yml"), "unit: none\n");
    writeFileSync(
      join(dir, "roles/unit/tasks/main.yml"),
      "- {command: 'true', notify: ['restart {{ unit }}', reload]}\n",
    );
    writeFileSync(
      join(dir, "roles/unit/handlers/main.yml"),
      "- {name: 'restart {{ unit }}', debug: {msg: 'restart {{ unit }}'}}\n- {name: reload, debug: {msg: 'reload {{ unit }}'}}\n",
    );
    const playbook = `- hosts: all
  gather_facts: false
  roles: [{role: unit, unit: r}]
  tasks:
    - {include_role: {name: unit}, vars: {unit: "{{ item }}"}, loop: [x, y]}
    - {import_role: {name: unit}, vars: {unit: i}}
`;
    const text = { playbook, folder: dir };
    expect((await said(text)).sort()).toEqual(
      [
        "reload i",
        "reload r",
        "reload x",
        "reload y",
        "restart i",
        "restart r",
        "restart x",
        "restart y",
      ].sort(),
    );
  });
});

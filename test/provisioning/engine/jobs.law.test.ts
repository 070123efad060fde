import { describe, expect, test } from "vitest";
import { inNewFolders, outcomes, type PlaybookText, runText, shown } from "../../support/run-playbook.ts";

let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

const aliases = "a ansible_connection=local\nb ansible_connection=local\n";
const run = (tasks: string, rest: Partial<PlaybookText> = {}) =>
  runText({
    playbook: `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`,
    extraVars: [`d=${dir}`],
    ...rest,
  });

describe("jobs", () => {
  test("async with poll 0 goes on, async_status finds it done", async () => {
    const ran = await run(
      `    - {name: start, shell: "sleep 0.3; echo done", async: 20, poll: 0, register: job}
    - name: wait
      async_status: {jid: "{{ job.ansible_job_id }}"}
      register: r
      until: r.finished
      retries: 20
      delay: 1
    - debug: {msg: "{{ r.stdout | trim }}"}
`,
    );
    expect(shown(ran)).toEqual(["a: done"]);
  });

  test("R11: no answer that was asked ahead is believed while a job lives on the machine", async () => {
    const ran = await run(`    - {name: job, shell: "sleep 0.3; printf x > {{ d }}/f", async: 20, poll: 0}
    - {name: look, stat: {path: "{{ d }}/none"}}
    - {name: time goes by, debug: {msg: "{{ lookup('pipe', 'sleep 0.8') }}"}}
    - {name: write, copy: {content: x, dest: "{{ d }}/f"}}
`);
    expect(outcomes(ran).at(-1)).toBe("write a ok");
  });

  test("R11: no answer that was asked ahead is believed while one lives that was started by another name", async () => {
    const ran = await run(
      `    - {name: job, shell: "sleep 0.3; printf x > {{ d }}/f", async: 20, poll: 0, when: inventory_hostname == "a"}
    - {name: look, stat: {path: "{{ d }}/none"}}
    - {name: time goes by, debug: {msg: "{{ lookup('pipe', 'sleep 0.8') }}"}, run_once: true}
    - {name: write, copy: {content: x, dest: "{{ d }}/f"}}
`,
      { inventory: aliases },
    );
    expect(outcomes(ran).slice(-2)).toEqual(["write a ok", "write b ok"]);
  });

  test("R11: nor what was learnt while it lived, once it has ended", async () => {
    const ran =
      await run(`    - {name: job, shell: "sleep 0.3; printf x > {{ d }}/f", async: 20, poll: 0, register: j}
    - {name: look, stat: {path: "{{ d }}/f"}}
    - {name: time goes by, debug: {msg: "{{ lookup('pipe', 'sleep 0.8') }}"}}
    - {name: ended, async_status: {jid: "{{ j.ansible_job_id }}"}, register: j}
    - {name: look again, stat: {path: "{{ d }}/f"}, register: s}
    - {name: there, assert: {that: j.finished and s.stat.exists}}
`);
    expect(outcomes(ran).at(-1)).toBe("there a ok");
  });
});

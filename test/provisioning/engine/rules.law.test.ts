import { readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import { newFolder, outcomes, type PlaybookText, runText, shown } from "../../support/run-playbook.ts";

let dir = "";
beforeEach(() => {
  dir = newFolder();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const aliases = "a ansible_connection=local\nb ansible_connection=local\n";
const run = (tasks: string, rest: Partial<PlaybookText> = {}) =>
  runText({
    playbook: `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`,
    extraVars: [`d=${dir}`],
    ...rest,
  });

/** Each case is such that asking ahead and believing it, without the rule, gives another end. */
describe("answers that were asked ahead are not believed", () => {
  test("R0: when the task turns out to mean another file", async () => {
    const ran = await run(`    - {name: look, stat: {path: "{{ d }}"}}
    - {name: decide, set_fact: {target: "{{ d }}/second"}}
    - {name: write, copy: {content: x, dest: "{{ target | default(d + '/first') }}"}}
`);
    expect(outcomes(ran).at(-1)).toBe("write a changed");
    expect(readFileSync(join(dir, "second"), "utf8")).toBe("x");
  });

  test("R1: after a step on the same machine under another name", async () => {
    const ran = await run(
      `    - {name: look, stat: {path: "{{ d }}"}}
    - {name: act, shell: "printf x > {{ d }}/f", when: inventory_hostname == "a"}
    - {name: write, copy: {content: x, dest: "{{ d }}/f"}, when: inventory_hostname == "b"}
`,
      { inventory: aliases },
    );
    expect(outcomes(ran)).toContain("write b ok");
  });

  test("R1: after a step by delegation", async () => {
    const ran = await run(
      `    - {name: look, stat: {path: "{{ d }}"}}
    - {name: act, shell: "printf x > {{ d }}/f", delegate_to: b, when: inventory_hostname == "a"}
    - {name: write, copy: {content: x, dest: "{{ d }}/f"}, when: inventory_hostname == "b"}
`,
      { inventory: aliases },
    );
    expect(outcomes(ran)).toContain("write b ok");
  });

  test("R2: of the world outside, which is asked once, and only when its task comes", async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end("ok");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const ran = await run(`    - {name: look, stat: {path: "{{ d }}"}, register: s}
    - {name: write, copy: {content: x, dest: "{{ d }}/f"}}
    - {name: first, uri: {url: "http://127.0.0.1:${port}/first"}}
    - {name: skipped, uri: {url: "http://127.0.0.1:${port}/skipped"}, when: not s.stat.exists}
    - {name: second, uri: {url: "http://127.0.0.1:${port}/second"}}
`);
    server.close();
    expect(ran.summary.exitCode).toBe(0);
    expect(asked).toEqual(["/first", "/second"]);
  });

  test("R3: of a command nothing is known before it ran", async () => {
    const ran = await run(`    - {name: first, command: "mkdir {{ d }}/x", args: {creates: "{{ d }}/x"}}
    - {name: second, command: "mkdir {{ d }}/x", args: {creates: "{{ d }}/x"}}
`);
    expect(outcomes(ran)).toEqual(["first a changed", "second a ok"]);
  });

  test("R4: of what a task registers, through other variables too", async () => {
    const ran = await run(`    - {name: ask, command: echo second, register: r}
    - name: write
      vars: {which: "{{ r.stdout }}", target: "{{ d }}/{{ which }}"}
      copy: {content: x, dest: "{{ target }}"}
`);
    expect(outcomes(ran)).toEqual(["ask a changed", "write a changed"]);
    expect(readFileSync(join(dir, "second"), "utf8")).toBe("x");
  });

  test("R5: a question that cannot be answered counts only when its task comes", async () => {
    const ran = await run(`    - {name: look, stat: {path: "{{ d }}"}}
    - {name: never, slurp: {src: "{{ d }}/absent"}, when: false}
    - {name: next, stat: {path: "{{ d }}"}}
`);
    expect(outcomes(ran)).toEqual(["look a ok", "never a skipped", "next a ok"]);
  });

  test("R8: after the step of an item before", async () => {
    const ran =
      await run(`    - {name: w, copy: {content: "{{ item }}", dest: "{{ d }}/f"}, loop: [one, one, two]}
`);
    expect(outcomes(ran)).toEqual(["w a changed", "w a[one] changed", "w a[one] ok", "w a[two] changed"]);
    expect(readFileSync(join(dir, "f"), "utf8")).toBe("two");
  });

  test("R9: by a handler, of how things were when it was notified", async () => {
    const ran = await run(`    - {name: notify, copy: {content: x, dest: "{{ d }}/g"}, notify: h}
    - {name: later, shell: "printf y > {{ d }}/f"}
  handlers:
    - {name: h, copy: {content: y, dest: "{{ d }}/f"}}
`);
    expect(outcomes(ran).at(-1)).toBe("h a ok");
  });

  test.skipIf(process.getuid?.() !== 0)(
    "R10: by shells of other users, which are opened anew after a command",
    async () => {
      const retired: string[] = [];
      let at = "";
      await run(
        `    - {name: other, stat: {path: /}, become: true, become_user: nobody}
    - {name: write, copy: {content: x, dest: "{{ d }}/f"}}
    - {name: command, command: "true"}
    - {name: other again, stat: {path: /tmp}, become: true, become_user: nobody}
`,
        {
          onEvent: (event) => {
            if (event.type === "task-start") at = event.task;
          },
          openSession: async (plan, signal) => {
            const session = await openSession(plan, signal);
            const retire = session.retireShells.bind(session);
            return Object.assign(session, {
              retireShells: () => {
                retired.push(at);
                return retire();
              },
            });
          },
        },
      );
      expect(retired).toEqual(["command"]);
    },
  );

  test("R11: while a job lives on the machine", async () => {
    const ran = await run(`    - {name: job, shell: "sleep 0.3; printf x > {{ d }}/f", async: 20, poll: 0}
    - {name: look, stat: {path: "{{ d }}/none"}}
    - {name: time goes by, debug: {msg: "{{ lookup('pipe', 'sleep 0.8') }}"}}
    - {name: write, copy: {content: x, dest: "{{ d }}/f"}}
`);
    expect(outcomes(ran).at(-1)).toBe("write a ok");
  });

  test("R14: of what run_once gives to the others", async () => {
    const ran = await run(
      `    - {name: once, set_fact: {who: "{{ inventory_hostname }}"}, run_once: true}
    - {name: tell, debug: {msg: "{{ who }}"}}
`,
      { inventory: aliases },
    );
    expect(shown(ran).sort()).toEqual(["a: a", "b: a"]);
  });
});

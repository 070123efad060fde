/**
 * Each rule of the engine (R0–R14) has a case that another end comes of when the rule is left out: each was seen to fail
 * so, by leaving it out. Cases that need whole runs or lost connections stand elsewhere:
 *
 * | rule | what leaving it out means | cases |
 * | --- | --- | --- |
 * | R0 use | the answer is taken for another question or user | here; answer-store.test.ts |
 * | R1 epoch | steps do not make answers stale | here; answer-store.test.ts |
 * | R2 reads | network mounts and URLs are asked ahead | here |
 * | R3 never ahead | commands, `until`, lookups that act | here |
 * | R4 unknowns | names that are set in between count as known | here |
 * | R5 silence | an ahead question's failure is told | here; question-frames.test.ts |
 * | R6 age | answers stay true over pauses and POSTs | here; answer-store.test.ts |
 * | R7 lockstep | a host goes on while others are at the task | plays.law.test.ts |
 * | R8 loops | an item does not see what the one before it did | here; loop-batch.law.test.ts |
 * | R9 handlers | they believe what was asked when they were notified (nothing looks into handlers; R1 keeps it too) | here |
 * | R10 credentials | shells of other users live on | here |
 * | R11 async | answers are believed while a job lives | jobs.law.test.ts |
 * | R12 check mode | "ok" after "would change" | here; check-mode.law.test.ts |
 * | R13 reconnect | a lost step counts as done, or is done twice | lost-connections.law.test.ts |
 * | R14 run_once | what it gives comes too late | here; plays.law.test.ts |
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import { inNewFolders, outcomes, type PlaybookText, runText, shown } from "../../support/run-playbook.ts";
import { canMakeWorlds, greetedWithoutMounts, makeWorld, withShells } from "../../support/small-world.ts";

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

/** The tasks during which something was sent that speaks of MARK. */
async function askedAt(tasks: string): Promise<string[]> {
  const asked: string[] = [];
  let at = "";
  await run(tasks, {
    onEvent: (event) => {
      if (event.type === "task-start") at = event.task;
    },
    openSession: async (plan, signal) =>
      withShells(await openSession(plan, signal), (shell) => ({
        user: shell.user,
        exchange: (frames) => {
          if (frames.some(({ script }) => script.includes("MARK"))) asked.push(at);
          return shell.exchange(frames);
        },
      })),
  });
  return asked;
}

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

  test("R0: when an item's source is what the item before it wrote", async () => {
    writeFileSync(join(dir, "f1"), "new");
    for (const name of ["f2", "f3"]) writeFileSync(join(dir, name), "old");
    const ran = await run(
      `    - {name: hand on, copy: {src: "{{ d }}/f{{ item }}", dest: "{{ d }}/f{{ item + 1 }}"}, loop: [1, 2]}
`,
    );
    expect(outcomes(ran)).toContain("hand on a[2] changed");
    expect(readFileSync(join(dir, "f3"), "utf8")).toBe("new");
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

  test.skipIf(!canMakeWorlds())("R1: of a machine without a machine-id, too", async () => {
    const world = await makeWorld(false);
    try {
      const ran = await run(
        `    - {name: look, stat: {path: "{{ d }}"}}
    - {name: act, shell: "printf x > {{ d }}/f", when: inventory_hostname == "a"}
    - {name: write, copy: {content: x, dest: "{{ d }}/f"}, when: inventory_hostname != "a"}
`,
        {
          inventory: "a ansible_host=one\nb ansible_host=one\nc ansible_host=two\n",
          openSession: world.openSession,
          extraVars: [`d=${world.d}`],
        },
      );
      expect(outcomes(ran)).toEqual(expect.arrayContaining(["write b ok", "write c changed"]));
    } finally {
      world.remove();
    }
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

  test.skipIf(!canMakeWorlds()).each([
    ["of a network mount, which another host changes too", "stat: {path: /}", true],
    ["of one that was mounted meanwhile", "shell: mount >/dev/null", false],
  ])("R2: %s", async (_what, first, isThereAtFirst) => {
    const world = await makeWorld();
    try {
      const ran = await run(
        `    - {name: first, ${first}}
    - {name: act, shell: "printf x > {{ sh }}/f", when: inventory_hostname == "a"}
    - {name: write, copy: {content: x, dest: "{{ sh }}/f"}, when: inventory_hostname == "c"}
`,
        {
          inventory: "a ansible_host=one\nc ansible_host=two\n",
          openSession: isThereAtFirst ? world.openSession : greetedWithoutMounts(world.openSession),
          extraVars: [`d=${world.d}`, `sh=${world.shared}`],
        },
      );
      expect(outcomes(ran)).toContain("write c ok");
    } finally {
      world.remove();
    }
  });

  test("R2: of what is asked at its turn only, a host's own paths too", async () => {
    const asked = await askedAt(`    - {name: look, stat: {path: "{{ d }}"}}
    - {name: wait, wait_for: {path: "{{ d }}/MARK", state: absent}}
`);
    expect(asked).toEqual(["wait"]);
  });

  test("R4: of what a name meant before a task gave it another value", async () => {
    const asked = await askedAt(`    - {name: first, set_fact: {target: MARK}}
    - {name: act, command: "true"}
    - {name: then, set_fact: {target: second}}
    - {name: last, stat: {path: "{{ d }}/{{ target }}"}}
`);
    expect(asked).toEqual([]);
  });

  test("R3: by a lookup that acts, not even where items of a loop go together", async () => {
    const loop = `    - name: write
      copy: {content: "{{ lookup('pipe', 'echo x >> ' ~ d ~ '/LOG; echo p') }}{{ item }}", dest: "{{ d }}/f{{ item }}"}
      loop: "{{ range(5) }}"
    - {name: coming, copy: {content: "{{ lookup('pipe', 'echo x >> ' ~ d ~ '/LOG; echo p') }}", dest: "{{ d }}/g"}, when: false}
`;
    await run(loop.replaceAll("LOG", "ahead"));
    await run(loop.replaceAll("LOG", "one"), { request: { askAhead: false } });
    expect(readFileSync(join(dir, "ahead"), "utf8")).toBe(readFileSync(join(dir, "one"), "utf8"));
  });

  test("R3: while waiting for it to become true", async () => {
    setTimeout(() => writeFileSync(join(dir, "f"), ""), 300);
    const ran = await run(
      `    - {name: wait, stat: {path: "{{ d }}/f"}, register: s, until: s.stat.exists, retries: 100, delay: 0.05}
`,
    );
    expect(outcomes(ran)).toEqual(["wait a ok"]);
  });

  test("R3: of a command nothing is known before it ran", async () => {
    const ran = await run(`    - {name: first, command: "mkdir {{ d }}/x", args: {creates: "{{ d }}/x"}}
    - {name: second, command: "mkdir {{ d }}/x", args: {creates: "{{ d }}/x"}}
`);
    expect(outcomes(ran)).toEqual(["first a changed", "second a ok"]);
  });

  test("R4: of what is another value each time: no item is done with one and then again with another", async () => {
    await run(
      `    - {name: w, copy: {content: "{{ 999999999 | random }}", dest: "{{ d }}/f{{ item }}", backup: true}, loop: [1, 2, 3]}
`,
    );
    expect(readdirSync(dir).sort()).toEqual(["f1", "f2", "f3"]);
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

  test("R5: what cannot be rendered fails its own task, not the one whose message it would have gone with", async () => {
    const ran = await run(`    - {name: act, command: "true"}
    - {name: bad, copy: {content: "{{ nope }}", dest: "{{ d }}/f"}}
`);
    expect(outcomes(ran)).toEqual(["act a changed", "bad a failed"]);
  });

  test("R5: an item that cannot be rendered fails by itself, not the one before it", async () => {
    const ran = await run(
      `    - {name: w, copy: {content: x, dest: "{{ d }}/{{ item.p }}"}, loop: [{p: f}, {q: g}, {p: h}]}
`,
    );
    expect(outcomes(ran)).toEqual([
      "w a failed",
      'w a[{"p":"f"}] changed',
      'w a[{"p":"h"}] changed',
      'w a[{"q":"g"}] failed',
    ]);
  });

  test("R6: after a pause, in which somebody else was at work", async () => {
    const ran = await run(
      `    - {name: look, stat: {path: "{{ d }}/f"}}
    - {name: wait, pause: {seconds: 0.01}}
    - {name: look again, stat: {path: "{{ d }}/f"}, register: s}
    - {name: there, assert: {that: s.stat.exists}}
`,
      {
        onEvent: (event) => {
          if (event.type === "task-start" && event.task === "wait") writeFileSync(join(dir, "f"), "");
        },
      },
    );
    expect(outcomes(ran).at(-1)).toBe("there a ok");
  });

  test("R6: after a request that made somebody else act", async () => {
    const server = createServer((_request, response) => {
      writeFileSync(join(dir, "f"), "");
      response.end("done");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const ran = await run(`    - {name: look, stat: {path: "{{ d }}/f"}}
    - {name: act, uri: {url: "http://127.0.0.1:${port}/", method: POST}}
    - {name: look again, stat: {path: "{{ d }}/f"}, register: s}
    - {name: there, assert: {that: s.stat.exists}}
`);
    server.close();
    expect(outcomes(ran).at(-1)).toBe("there a ok");
  });

  test("R8: of a second name of what an item before changes", async () => {
    const ran = await run(`    - {name: one, copy: {content: x, dest: "{{ d }}/f1", mode: "0644"}}
    - {name: two, file: {src: "{{ d }}/f1", dest: "{{ d }}/f2", state: hard}}
    - {name: both, file: {path: "{{ d }}/f{{ item }}", mode: "0600"}, loop: [1, 2]}
`);
    expect(outcomes(ran)).toEqual(expect.arrayContaining(["both a[1] changed", "both a[2] ok"]));
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

  test("R12: in check mode after a change that was not made, by whatever name the machine goes", async () => {
    mkdirSync(join(dir, "there"));
    const ran = await run(
      `    - {name: before, file: {path: "{{ d }}/there", state: directory}}
    - {name: change, copy: {content: x, dest: "{{ d }}/f"}, when: inventory_hostname == "a"}
    - {name: after, file: {path: "{{ d }}/there", state: directory}}
`,
      { inventory: aliases, request: { check: true } },
    );
    expect(existsSync(join(dir, "f"))).toBe(false);
    expect(outcomes(ran)).toEqual([
      "before a ok",
      "before b ok",
      "change a would-change",
      "change b skipped",
      "after a unsure",
      "after b unsure",
    ]);
  });

  test("R14: of what delegate_facts gives to another host", async () => {
    const ran = await run(
      `    - {name: give, set_fact: {who: "{{ inventory_hostname }}"}, delegate_to: b, delegate_facts: true, when: inventory_hostname == "a"}
    - {name: tell, debug: {msg: "{{ hostvars.b.who }} {{ who | default('nobody') }}"}}
`,
      { inventory: aliases },
    );
    expect(shown(ran).sort()).toEqual(["a: a nobody", "b: a a"]);
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

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import type { FrameResult, OpenSession } from "../../../src/provisioning/transport/session.ts";
import { losing as losingMessages, lostConnection } from "../../support/lost-connections.ts";
import { failures, inNewFolders, outcomes, runText, shown } from "../../support/run-playbook.ts";
import { canMakeWorlds, makeWorld, withShells } from "../../support/small-world.ts";

let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

/** Real sessions, but the message that holds `text` is carried out and its answer never arrives. Once. */
function losing(text: string, opened: { count: number }, open = openSession): OpenSession {
  let isLost = false;
  return async (plan, signal) => {
    opened.count++;
    return withShells(await open(plan, signal), (shell) => ({
      user: shell.user,
      exchange: async (frames): Promise<readonly FrameResult[]> => {
        const results = await shell.exchange(frames);
        if (isLost || !frames.some(({ script }) => script.includes(text))) return results;
        isLost = true;
        throw lostConnection();
      },
    }));
  };
}

const play = (tasks: string): string => `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`;

describe("a connection that ends in the middle (R13)", () => {
  test("an idempotent task asks again and goes on", async () => {
    const opened = { count: 0 };
    const ran = await runText({
      playbook: play(
        `    - {name: write, copy: {content: hello, dest: "{{ d }}/f"}}\n    - {name: next, command: "true"}\n`,
      ),
      extraVars: [`d=${dir}`],
      openSession: losing(".provision-", opened),
    });
    expect(readFileSync(join(dir, "f"), "utf8")).toBe("hello");
    expect(outcomes(ran)).toEqual(["write a changed", "next a changed"]);
    expect(opened.count).toBe(2);
  });

  test("what opening warns of is told once, however often it is opened", async () => {
    const opened = { count: 0 };
    const ran = await runText({
      playbook: play(`    - {copy: {content: hello, dest: "{{ d }}/f"}}\n`),
      extraVars: [`d=${dir}`],
      openSession: losing(".provision-", opened, async (plan, signal) => {
        plan.warn?.(`${plan.name} is not what it was`);
        return openSession(plan, signal);
      }),
    });
    const warnings = ran.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    expect([opened.count, warnings]).toEqual([2, ["a is not what it was"]]);
  });

  test("a loop whose items went in one message asks again for each, and writes none twice", async () => {
    const opened = { count: 0 };
    const ran = await runText({
      playbook: play(
        `    - {name: write, copy: {content: "{{ item }}", dest: "{{ d }}/f{{ item }}"}, loop: "{{ range(30) }}"}\n`,
      ),
      extraVars: [`d=${dir}`],
      openSession: losing(".provision-", opened),
    });
    for (let item = 0; item < 30; item++)
      expect(readFileSync(join(dir, `f${item}`), "utf8")).toBe(String(item));
    expect(readdirSync(dir)).toHaveLength(30);
    expect(outcomes(ran)).toContain("write a changed");
    expect(opened.count).toBe(2);
  });

  test("an item that was right before the lost message is not told as changed", async () => {
    writeFileSync(join(dir, "f1"), "1");
    const ran = await runText({
      playbook: play(
        `    - {name: write, copy: {content: "{{ item }}", dest: "{{ d }}/f{{ item }}"}, loop: [0, 1, 2]}\n`,
      ),
      extraVars: [`d=${dir}`],
      openSession: losing(".provision-", { count: 0 }),
    });
    expect(outcomes(ran).filter((line) => line.includes("["))).toEqual([
      "write a[0] changed",
      "write a[1] ok",
      "write a[2] changed",
    ]);
  });

  test("a command is not run twice: its host is unreachable, and nobody knows", async () => {
    const ran = await runText({
      playbook: play(`    - {name: once, shell: "echo run >> {{ d }}/log"}\n`),
      extraVars: [`d=${dir}`],
      openSession: losing("echo run", { count: 0 }),
    });
    expect(readFileSync(join(dir, "log"), "utf8")).toBe("run\n");
    expect(failures(ran)[0]).toContain("nobody knows");
    expect(outcomes(ran)).toEqual(["once a unreachable"]);
    expect(ran.summary.exitCode).toBe(4);
  });

  test.each([
    ["once", 1, "one"],
    ["in a loop, whose items share files", 3, "item"],
  ])("what finds its own result is done once (%s)", async (_how, times, what) => {
    for (const how of ["unsent", "in part", "unanswered"] as const) {
      for (const file of ["f", "g"]) writeFileSync(join(dir, file), "o\n");
      const tasks = {
        one: `    - {replace: {path: "{{ d }}/f", regexp: o, replace: oo}}\n`,
        item: `    - {replace: {path: "{{ d }}/{{ item }}", regexp: o, replace: oo}, loop: [f, g, f, f]}\n`,
      };
      const ran = await runText({
        playbook: play(tasks[what as "one" | "item"]),
        extraVars: [`d=${dir}`],
        openSession: losingMessages(openSession, [{ after: 1, how }]),
      });
      expect([how, ...failures(ran)]).toEqual([how]);
      expect([how, readFileSync(join(dir, "f"), "utf8")]).toEqual([how, `${"o".repeat(2 ** times)}\n`]);
    }
  });

  test.skipIf(!canMakeWorlds())(
    "a restart is not done twice: nobody knows, and the handler stays owed",
    async () => {
      const world = await makeWorld();
      try {
        const ran = await runText({
          playbook: `${play(`    - {service: {name: pvsvc, state: started}}
    - {name: change, copy: {content: x, dest: "{{ d }}/f"}, notify: again}\n`)}  handlers:
    - {name: again, service: {name: pvsvc, state: restarted}}
`,
          inventory: "a ansible_host=one\n",
          extraVars: [`d=${world.d}`],
          openSession: losing("restart", { count: 0 }, world.openSession),
        });
        expect(failures(ran)[0]).toContain("nobody knows");
        expect(world.snapshot()["one"]).toContain("restart\n1\n");
      } finally {
        world.remove();
      }
    },
  );

  test("a question that was lost is asked again", async () => {
    const ran = await runText({
      playbook: play(
        `    - {name: look, stat: {path: "{{ d }}"}, register: s}\n    - {name: ok, assert: {that: s.stat.isdir}}\n`,
      ),
      extraVars: [`d=${dir}`],
      openSession: losing(dir, { count: 0 }),
    });
    expect(outcomes(ran)).toEqual(["look a ok", "ok a ok"]);
  });

  test("handlers that the items of a lost message name run, each once", async () => {
    const ran = await runText({
      playbook: `${play(`    - {name: write, copy: {content: "{{ item }}", dest: "{{ d }}/f{{ item }}"}, loop: "{{ range(5) }}", notify: "h {{ item }}"}\n`)}  handlers:
${[0, 1, 2, 3, 4].map((item) => `    - {name: h ${item}, shell: "echo ${item} >> {{ d }}/handled"}\n`).join("")}`,
      extraVars: [`d=${dir}`],
      openSession: losing(".provision-", { count: 0 }),
    });
    expect(ran.summary.exitCode).toBe(0);
    expect(readFileSync(join(dir, "handled"), "utf8")).toBe("0\n1\n2\n3\n4\n");
  });

  test.each(["unsent", "unanswered"] as const)(
    "a handler's marker is on disk again before the step that is sent again (%s)",
    async (how) => {
      const name = `lost by test ${dir}`;
      mkdirSync(join(dir, "project"));
      const text = (ends: boolean) => ({
        folder: join(dir, "project"),
        playbook: `${play(`    - {name: change, copy: {content: x, dest: "{{ d }}/f"}, notify: ${name}}
    - {name: end, command: "${ends}"}
`)}  handlers:
    - {name: ${name}, debug: {msg: ran}}
`,
        extraVars: [`d=${dir}`],
      });
      const lost = await runText({
        ...text(false),
        openSession: losingMessages(openSession, [{ after: 1, how }]),
      });
      expect(outcomes(lost)).toEqual(["change a changed", "end a failed"]);
      expect(shown(await runText(text(true)))).toEqual(["a: ran"]);
    },
  );

  test("the marker of a handler that ran is off the disk, though the answer of who wrote it was lost", async () => {
    const name = `lost by test ${dir}`;
    const once = {
      folder: join(dir, "project"),
      playbook: `${play(`    - {name: change, copy: {content: x, dest: "{{ d }}/f"}, notify: ${name}}
`)}  handlers:
    - {name: ${name}, debug: {msg: ran}}
`,
      extraVars: [`d=${dir}`],
    };
    mkdirSync(once.folder);
    const lost = await runText({
      ...once,
      openSession: losingMessages(openSession, [{ after: 1, how: "unanswered" }]),
    });
    expect(shown(lost)).toEqual(["a: ran"]);
    expect(shown(await runText(once))).toEqual([]);
  });

  test("two that use one connection are both heard, and neither ends the other's new one", async () => {
    const first = losing("stat", { count: 0 });
    const ran = await runText({
      playbook: play(
        `    - {name: look, stat: {path: "{{ d }}"}, delegate_to: c}\n    - {name: slow, shell: "sleep 0.2; echo x >> {{ d }}/{{ inventory_hostname }}", delegate_to: c}\n`,
      ).replace("hosts: all", "hosts: a,b"),
      inventory: "a ansible_connection=local\nb ansible_connection=local\nc ansible_connection=local\n",
      extraVars: [`d=${dir}`],
      openSession: async (plan, signal) =>
        plan.name === "c" ? first(plan, signal) : openSession(plan, signal),
    });
    expect(failures(ran)).toEqual([]);
    expect(readFileSync(join(dir, "a"), "utf8")).toBe("x\n");
    expect(readFileSync(join(dir, "b"), "utf8")).toBe("x\n");
  });

  test("a shell that is opened anew for one is not taken from another in the middle of its step (R10)", async () => {
    const ran = await runText({
      playbook: play(
        `    - {name: step, shell: "sleep {{ 0.1 if inventory_hostname == 'a' else 0.4 }}", delegate_to: c, become: true, become_user: "{{ 'nobody' if inventory_hostname == 'a' else 'daemon' }}"}\n`,
      ).replace("hosts: all", "hosts: a,b"),
      inventory: "a ansible_connection=local\nb ansible_connection=local\nc ansible_connection=local\n",
    });
    expect(outcomes(ran)).toEqual(["step a changed", "step b changed"]);
  });

  test("a host that does not come back is unreachable, and the handler stays owed", async () => {
    let opens = 0;
    const inner = losing("echo change", { count: 0 });
    const ran = await runText({
      playbook: play(`    - {name: t, shell: "echo change >> {{ d }}/log", notify: h}\n`).replace(
        /$/,
        "  handlers:\n    - {name: h, shell: 'echo handled >> {{ d }}/handled'}\n",
      ),
      extraVars: [`d=${dir}`],
      openSession: async (plan, signal) => {
        if (++opens > 1)
          throw new ProvisionError({ code: "connection-refused", action: "connect", state: "gone" });
        return inner(plan, signal);
      },
    });
    expect(ran.summary.exitCode).toBe(4);
    expect(existsSync(join(dir, "handled"))).toBe(false);
  });

  test("a host that is lost while its markers are removed does not end the run of the others", async () => {
    let isGone = false;
    const ran = await runText({
      playbook: `${play('    - {name: change, copy: {content: x, dest: "{{ d }}/{{ inventory_hostname }}"}, notify: h}\n')}  post_tasks:
    - {name: after, debug: {msg: on}}
  handlers:
    - {name: h, command: "true"}
`,
      inventory: "a ansible_connection=local\nb ansible_connection=local\n",
      extraVars: [`d=${dir}`],
      openSession: async (plan, signal) => {
        if (plan.name === "b") return openSession(plan, signal);
        if (isGone)
          throw new ProvisionError({ code: "connection-refused", action: "connect", state: "gone" });
        return withShells(await openSession(plan, signal), (shell) => ({
          user: shell.user,
          exchange: async (frames) => {
            isGone ||= frames.some(({ script }) => script.includes("owed; fi\nrm -f"));
            if (isGone) throw lostConnection();
            return shell.exchange(frames);
          },
        }));
      },
    });
    expect(isGone).toBe(true);
    expect(outcomes(ran)).toEqual(expect.arrayContaining(["h a changed", "h b changed", "after b ok"]));
  });
});

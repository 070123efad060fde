import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import type {
  FrameResult,
  OpenSession,
  Session,
  Shell,
} from "../../../src/provisioning/transport/session.ts";
import { failures, newFolder, outcomes, runText } from "../../support/run-playbook.ts";

let dir = "";
beforeEach(() => {
  dir = newFolder();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const lost = (): ProvisionError =>
  new ProvisionError({ code: "connection-lost", action: 'go on on "a"', state: "the connection ended" });

/** Real sessions, but the message that holds `text` is carried out and its answer never arrives. Once. */
function losing(text: string, opened: { count: number }): OpenSession {
  let isLost = false;
  return async (plan, signal) => {
    opened.count++;
    const session: Session = await openSession(plan, signal);
    const wrap = (shell: Shell): Shell => ({
      user: shell.user,
      exchange: async (frames): Promise<readonly FrameResult[]> => {
        const results = await shell.exchange(frames);
        if (isLost || !frames.some(({ script }) => script.includes(text))) return results;
        isLost = true;
        throw lost();
      },
    });
    return new Proxy(session, {
      get: (target, key) => {
        if (key === "shell")
          return async (become: Parameters<Session["shell"]>[0]) => wrap(await target.shell(become));
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
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
});

import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import type { OpenSession, Shell } from "../../../src/provisioning/transport/session.ts";
import { inNewFolders, outcomes, runText } from "../../support/run-playbook.ts";

let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

/** How many messages went one behind the other, and what each held. */
function counting(): { readonly open: OpenSession; readonly messages: string[]; depth(): number } {
  const messages: string[] = [];
  let ended = 0;
  let depth = 0;
  const wrap = (shell: Shell): Shell => ({
    user: shell.user,
    exchange: async (frames) => {
      const own = ended + 1;
      messages.push(frames.map(({ script }) => script).join("\n"));
      depth = Math.max(depth, own);
      const results = await shell.exchange(frames);
      ended = Math.max(ended, own);
      return results;
    },
  });
  const open: OpenSession = async (plan, signal) => {
    const session = await openSession(plan, signal);
    const shells = new Map<Shell, Shell>();
    return new Proxy(session, {
      get(target, name) {
        if (name === "shell") {
          return async (become: Parameters<typeof target.shell>[0]) => {
            const shell = await target.shell(become);
            if (!shells.has(shell)) shells.set(shell, wrap(shell));
            return shells.get(shell);
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  return { open, messages, depth: () => depth };
}

const tasks = (items: readonly string[]): string =>
  `- hosts: all\n  gather_facts: false\n  tasks:\n${items.map((item) => `    - ${item}\n`).join("")}`;
const right = [
  'file: {path: "{{ d }}/a", state: directory}',
  'copy: {content: "x\\n", dest: "{{ d }}/b"}',
  'lineinfile: {path: "{{ d }}/b", line: x}',
];

describe("what a play asks first", () => {
  test("is under way together with the greeting", async () => {
    await runText({ playbook: tasks(right), extraVars: [`d=${dir}`] });
    const { open, depth, messages } = counting();
    const ran = await runText({ playbook: tasks(right), extraVars: [`d=${dir}`], openSession: open });
    expect(outcomes(ran).every((line) => line.endsWith(" ok"))).toBe(true);
    expect(messages).toHaveLength(2);
    expect(depth()).toBe(1);
  });

  test("is not asked twice, and what needs to know the host's home is asked in its turn", async () => {
    writeFileSync(join(dir, "b"), "x\n");
    const { open, messages } = counting();
    const home = 'stat: {path: "~"}';
    await runText({ playbook: tasks([...right, home]), extraVars: [`d=${dir}`], openSession: open });
    const about = (path: string): number => messages.filter((text) => text.includes(path)).length;
    expect(about(join(dir, "a"))).toBe(2);
    expect(messages.filter((text) => text.includes(userInfo().homedir)).length).toBeGreaterThan(0);
  });

  test("is asked again by another name of the same machine", async () => {
    mkdirSync(join(dir, "a"));
    const ran = await runText({
      playbook: `- hosts: all\n  gather_facts: false\n  serial: 1\n  tasks:\n    - {name: t, file: {path: "{{ d }}/{{ inventory_hostname }}", state: "{{ s }}"}}\n    - {name: u, file: {path: "{{ d }}/b", state: directory}}\n`,
      inventory:
        "a ansible_connection=local s=absent\nb ansible_connection=local s=directory ansible_user=other\n",
      extraVars: [`d=${dir}`],
    });
    expect(outcomes(ran)).toEqual(["t a changed", "u a changed", "t b ok", "u b ok"]);
  });
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inNewFolders, outcomes, type PlaybookText, runText } from "../../support/run-playbook.ts";

let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

const run = (playbook: string, rest: Partial<PlaybookText> = {}) =>
  runText({ playbook, extraVars: [`d=${dir}`], ...rest });
const play = (rest: string): string => `- hosts: all\n  gather_facts: false\n${rest}`;

describe("check mode", () => {
  test("nothing is changed, and what depends on a missing change is unsure (R12)", async () => {
    const ran = await run(
      play(`  tasks:
    - {name: dir, file: {path: "{{ d }}/new", state: directory}}
    - {name: inside, copy: {content: x, dest: "{{ d }}/new/f"}}
    - {name: cmd, command: echo hi, register: r}
    - {name: cond, debug: {msg: hi}, when: r.stdout == "hi"}
`),
      { request: { check: true } },
    );
    expect(existsSync(join(dir, "new"))).toBe(false);
    expect(ran.summary.exitCode).toBe(0);
    expect(outcomes(ran)[0]).toBe("dir a would-change");
    expect(outcomes(ran)).toContain("cond a unsure");
  });

  test("a condition is not met by a result that was not made, and the result is named (R12)", async () => {
    const ran = await run(
      play(`  tasks:
    - {name: dir, file: {path: "{{ d }}/new", state: directory}}
    - {name: look, stat: {path: "{{ d }}/new"}, register: looked}
    - {name: cmd, command: echo hi, register: other}
    - {name: there, debug: {msg: hi}, when: looked.stat.exists}
    - {name: lazily, vars: {far: "{{ looked.stat.exists }}"}, debug: {msg: hi}, when: far}
    - {name: never, debug: {msg: hi}, when: false}
    - {name: again, command: "true", register: u, until: u.rc == 0, retries: 2}
`),
      { request: { check: true } },
    );
    expect(outcomes(ran).slice(-4)).toEqual([
      "there a unsure",
      "lazily a unsure",
      "never a skipped",
      "again a would-change",
    ]);
    const said = ran.events.flatMap((event) =>
      event.type === "task-host" && event.status === "unsure" ? [event.message ?? ""] : [],
    );
    expect(said.filter((why) => why.includes("which check mode did not make"))).toEqual([
      "would depend on the result of looked, which check mode did not make",
      "would depend on the result of looked, which check mode did not make",
    ]);
  });
});

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { failures, inNewFolders, type PlaybookText, runText, shown } from "../../support/run-playbook.ts";

let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

const run = (playbook: string, rest: Partial<PlaybookText> = {}) =>
  runText({ playbook, extraVars: [`d=${dir}`], ...rest });
const play = (rest: string): string => `- hosts: all\n  gather_facts: false\n${rest}`;
const read = (name: string): string => readFileSync(join(dir, name), "utf8");

describe("handlers", () => {
  test("a handler runs once, in the order of definition, and only when something changed", async () => {
    const ran = await run(
      play(`  tasks:
    - copy: {content: x, dest: "{{ d }}/f"}
      notify: [second, topic]
    - copy: {content: x, dest: "{{ d }}/f"}
      notify: never
  handlers:
    - {name: first, debug: {msg: first}, listen: topic}
    - {name: second, debug: {msg: second}}
    - {name: never, debug: {msg: never}}
`),
    );
    expect(shown(ran)).toEqual(["a: first", "a: second"]);
  });

  test("an unknown handler is an error, and nothing was changed by its task", async () => {
    const ran = await run(
      play(`  tasks:
    - copy: {content: x, dest: "{{ d }}/f"}
      notify: restrat
  handlers:
    - {name: restart, debug: {msg: x}}
`),
    );
    expect(failures(ran)[0]).toContain('Cannot notify "restrat"');
    expect(existsSync(join(dir, "f"))).toBe(false);
  });

  test("a handler notified in a run that failed is owed, shown and run in the next", async () => {
    mkdirSync(join(dir, "project"));
    const name = `owed by test ${dir}`;
    const playbook = play(`  tasks:
    - name: change
      copy: {content: x, dest: "{{ d }}/f"}
      notify: ${name}
    - command: "{{ 'false' if fails | default(false) | bool else 'true' }}"
  handlers:
    - name: ${name}
      shell: "echo ran >> {{ d }}/handled"
`);
    const text = { folder: join(dir, "project") };
    const first = await run(playbook, { ...text, extraVars: [`d=${dir}`, "fails=true"] });
    expect(first.summary.exitCode).toBe(2);
    expect(existsSync(join(dir, "handled"))).toBe(false);
    const second = await run(playbook, text);
    expect(second.events).toContainEqual(
      expect.objectContaining({ type: "owed-handlers", handlers: [name] }),
    );
    expect(read("handled")).toBe("ran\n");
    const third = await run(playbook, text);
    expect(third.events.some(({ type }) => type === "owed-handlers")).toBe(false);
    expect(read("handled")).toBe("ran\n");
  });

  test("a handler that is owed runs after the task that mends what it failed of", async () => {
    mkdirSync(join(dir, "project"));
    const name = `mended by test ${dir}`;
    const playbook = play(`  pre_tasks:
    - debug: {msg: before}
  tasks:
    - name: configuration
      copy: {content: "{{ good | default('false') }}", dest: "{{ d }}/configuration"}
      notify: ${name}
    - debug: {msg: after}
  handlers:
    - name: ${name}
      shell: sh {{ d }}/configuration && echo ran >> {{ d }}/handled
`);
    const text = { folder: join(dir, "project") };
    expect((await run(playbook, text)).summary.exitCode).toBe(2);
    const second = await run(playbook, { ...text, extraVars: [`d=${dir}`, "good=true"] });
    expect(shown(second)).toEqual(["a: before", "a: after"]);
    expect(failures(second)).toEqual([]);
    expect(read("handled")).toBe("ran\n");
  });
});

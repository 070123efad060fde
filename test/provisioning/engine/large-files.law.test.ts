import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import type { Frame, OpenSession } from "../../../src/provisioning/transport/session.ts";
import { failures, newFolder, outcomes, runText, shown } from "../../support/run-playbook.ts";
import { withShells } from "../../support/small-world.ts";

let dir = "";
let source = "";
beforeEach(() => {
  dir = newFolder();
  source = join(dir, "source");
  writeFileSync(source, "large".repeat(200_000));
  for (const name of ["project", "to"]) mkdirSync(join(dir, name));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const play = (tasks: string): string => `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`;
const placed = (): string[] => readdirSync(join(dir, "to"));

/** Part of the file arrives, and then that happens. */
const beforeFill = (script: string, then: string): string =>
  script.replace("\nfill\n", () => `\nhead -c 70000 >"$t"; ${then}\nfill\n`);

/** The first `times` messages with a large file end the connection when part of the file has arrived. */
function cutOff(times: number): OpenSession {
  let left = times;
  return async (plan, signal) =>
    withShells(await openSession(plan, signal), (shell) => ({
      user: shell.user,
      exchange: (frames) => {
        const cut = (frame: Frame): Frame =>
          frame.stream !== undefined && left-- > 0
            ? {
                ...frame,
                script: beforeFill(frame.script, "kill -KILL $$"),
              }
            : frame;
        return shell.exchange(frames.map(cut));
      },
    }));
}

describe("a large file", () => {
  test("costs one message with all else that the task does", async () => {
    const ran = await runText({
      playbook: `${play('    - {name: change, copy: {src: "{{ d }}/source", dest: "{{ d }}/to/f", mode: "0640"}, notify: h}\n')}  handlers:
    - {name: h, debug: {msg: ran}}
`,
      extraVars: [`d=${dir}`],
    });
    expect(readFileSync(join(dir, "to/f"), "utf8")).toBe("large".repeat(200_000));
    expect(shown(ran)).toEqual(["a: ran"]);
    // Questions; marker, file; the marker's end.
    expect(ran.summary.recap[0]?.roundTrips).toBe(3);
  });

  test("whose connection ends on the way is sent again, and nothing of the first try is left", async () => {
    const ran = await runText({
      playbook: play('    - {name: change, copy: {src: "{{ d }}/source", dest: "{{ d }}/to/f"}}\n'),
      extraVars: [`d=${dir}`],
      openSession: cutOff(1),
    });
    expect(outcomes(ran)).toEqual(["change a changed"]);
    expect(readFileSync(join(dir, "to/f"), "utf8")).toBe("large".repeat(200_000));
    await vi.waitFor(() => expect(placed()).toEqual(["f"]), { timeout: 5_000 });
  });

  test("that never arrives leaves what was there, and the handler owed, for the marker came first", async () => {
    writeFileSync(join(dir, "to/f"), "old");
    const name = `owed by test ${dir}`;
    const text = (tasks: string) => ({
      folder: join(dir, "project"),
      playbook: `${play(tasks)}  handlers:
    - {name: ${name}, debug: {msg: ran}}
`,
      extraVars: [`d=${dir}`],
    });
    const change = `    - {name: change, copy: {src: "{{ d }}/source", dest: "{{ d }}/to/f"}, notify: ${name}}\n`;
    const lost = await runText({ ...text(change), openSession: cutOff(2) });
    expect(outcomes(lost)).toEqual(["change a unreachable"]);
    await vi.waitFor(() => expect(placed()).toEqual(["f"]), { timeout: 5_000 });
    expect(readFileSync(join(dir, "to/f"), "utf8")).toBe("old");
    expect(shown(await runText(text("    - debug: {msg: nothing}\n")))).toEqual(["a: nothing", "a: ran"]);
  });

  test("that is on its way when the run is interrupted leaves nothing, and nothing more begins", async () => {
    writeFileSync(join(dir, "big"), Buffer.alloc(20_000_000));
    const stop = new AbortController();
    const running = runText({
      playbook: play(`    - copy: {src: "{{ d }}/big", dest: "{{ d }}/to/f"}
    - file: {path: "{{ d }}/to/next", state: touch}
`),
      extraVars: [`d=${dir}`],
      signal: stop.signal,
      // The host writes slowly.
      openSession: async (plan, signal) =>
        withShells(await openSession(plan, signal), (shell) => ({
          user: shell.user,
          exchange: (frames) =>
            shell.exchange(
              frames.map((frame) => ({
                ...frame,
                script: beforeFill(frame.script, "sleep 1"),
              })),
            ),
        })),
    });
    await vi.waitFor(() => expect(placed()).toHaveLength(1), { timeout: 20_000 });
    stop.abort();
    const ran = await running;
    expect(ran.summary.exitCode).toBe(130);
    expect(failures(ran)).toEqual(["interrupted: it was ended on the host"]);
    await vi.waitFor(() => expect(placed()).toEqual([]), { timeout: 5_000 });
    expect(existsSync(join(dir, "to/f"))).toBe(false);
  });
});

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newFolder, outcomes, type PlaybookRun, runText } from "../../support/run-playbook.ts";

let dir = "";
beforeEach(() => {
  dir = newFolder();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const run = (task: string): Promise<PlaybookRun> =>
  runText({
    playbook: `- hosts: all\n  gather_facts: false\n  tasks:\n    - name: loop\n${task.replace(/^/gm, "      ")}\n`,
    extraVars: [`d=${dir}`],
  });
const roundTrips = ({ summary }: PlaybookRun): number => summary.recap[0]?.roundTrips ?? 0;
const itemStatuses = ({ events }: PlaybookRun): string[] =>
  events.flatMap((event) => (event.type === "task-host" && event.item !== undefined ? [event.status] : []));

describe("the items of a loop", () => {
  const many =
    'copy: {content: "{{ item }}", dest: "{{ d }}/{{ item }}", mode: "0640"}\nloop: "{{ range(300) }}"';

  test("are written in a handful of messages, however many they are", async () => {
    const ran = await run(many);
    expect(readdirSync(dir)).toHaveLength(300);
    expect(readFileSync(join(dir, "299"), "utf8")).toBe("299");
    expect(statSync(join(dir, "7")).mode & 0o777).toBe(0o640);
    expect(itemStatuses(ran)).toEqual(Array.from({ length: 300 }, () => "changed"));
    expect(roundTrips(ran)).toBeLessThan(6);
    expect(outcomes(await run(many))).not.toContain("loop a changed");
  });

  test("that are right already stand between those that are not", async () => {
    await run(many.replace("range(300)", "range(0, 300, 2)"));
    const ran = await run(many);
    expect(itemStatuses(ran)).toEqual(
      Array.from({ length: 300 }, (_, at) => (at % 2 === 0 ? "ok" : "changed")),
    );
    expect(roundTrips(ran)).toBeLessThan(6);
  });

  test("wait for each other where one is about what another one changes", async () => {
    const ran = await run(
      'file: {path: "{{ d }}/{{ item }}", state: directory, mode: "0750"}\nloop: [a, a/b, a/b/c, a]',
    );
    expect(itemStatuses(ran)).toEqual(["changed", "changed", "changed", "ok"]);
    expect(statSync(join(dir, "a/b/c")).mode & 0o777).toBe(0o750);
  });

  test("see that two names are one folder", async () => {
    mkdirSync(join(dir, "real"));
    symlinkSync("real", join(dir, "alias"));
    mkdirSync(join(dir, "other"));
    const ran = await run(
      'copy: {content: x, dest: "{{ d }}/{{ item }}/f"}\nloop: [other, real, alias, real]',
    );
    expect(itemStatuses(ran)).toEqual(["changed", "changed", "ok", "ok"]);
  });

  test("go on where one of them fails", async () => {
    mkdirSync(join(dir, "2"));
    mkdirSync(join(dir, "2/2"));
    const ran = await run(`${many.replace("range(300)", "range(5)")}\nignore_errors: true`);
    expect(readdirSync(dir)).toHaveLength(5);
    expect(itemStatuses(ran).filter((status) => status === "changed").length).toBeGreaterThanOrEqual(4);
  });
});

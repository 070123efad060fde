/** What a terminal of 80 and of 200 columns shows of a run that has everything: goldens to be looked at. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import type { EngineEvent, TaskStatus } from "../../../src/provisioning/engine/events.ts";
import { visibleWidth, wrapped } from "../../../src/provisioning/reporting/fit-text.ts";
import { createReporter, type ReporterOptions } from "../../../src/provisioning/reporting/reporter.ts";

type Of<Type extends EngineEvent["type"]> = Extract<EngineEvent, { type: Type }>;

const atMs = new Date(2026, 0, 1, 12).getTime();
const some = ["m1", "m2", "web-three.internal.example.com"];
const many = Array.from({ length: 30 }, (_, index) => `node-${String(index).padStart(2, "0")}.example.com`);

const start = (id: number, task: string, more: Partial<Of<"task-start">> = {}): EngineEvent => ({
  ...{ type: "task-start", atMs, id, task, module: "command", handler: false, hosts: some },
  ...{ place: `/p/site.yml:${id * 10}` },
  ...more,
});
const end = (id: number, elapsedMs = 10): EngineEvent => ({ type: "task-end", atMs, id, elapsedMs });
const heard = (
  id: number,
  host: string,
  status: TaskStatus,
  more: Partial<Of<"task-host">> = {},
): EngineEvent => ({
  ...{ type: "task-host", atMs, id, host, status, elapsedMs: 5, steps: [], diffs: [], result: {} },
  ...more,
});
const all = (
  id: number,
  status: TaskStatus,
  more: Partial<Of<"task-host">> = {},
  hosts = some,
): EngineEvent[] => hosts.map((host) => heard(id, host, status, more));

const stderr = Array.from(
  { length: 30 },
  (_, index) => `line ${index} of an error that goes on until it no longer fits a window of eighty columns`,
).join("\n");
const failure = {
  message: "Cannot run in /bin/sh",
  code: 3,
  argv: ["/bin/sh", "-c", 'for i in $(seq 30); do\n  echo "line $i" >&2\ndone; exit 3'],
  stderr,
};
const unreachable = new ProvisionError({
  code: "connection-timeout",
  action: 'connect to "gone" (10.0.0.9:22)',
  state: "there was no answer within 10 s",
  why: "the host must be up and its port open; -T SECONDS (--timeout) waits longer",
});
const recap = (host: string, failed: number): Of<"run-end">["recap"][number] => ({
  ...{ host, ok: 12, changed: 4, unreachable: 0, failed, skipped: 1, rescued: 1, ignored: 1 },
  ...{ elapsedMs: 2345, roundTrips: 9 },
});

const events: readonly EngineEvent[] = [
  { type: "run-start", atMs, playbooks: ["/p/site.yml"], check: false, hosts: some },
  { type: "owed-handlers", atMs, host: "m1", handlers: ["restart zookeeper", "reload haproxy"] },
  { type: "play-start", atMs, play: "masters", hosts: some },
  { type: "connect", atMs, host: "gone", state: "failed", elapsedMs: 10_000, error: unreachable },
  { type: "warning", atMs, message: `a warning ${"that has a lot to say, ".repeat(5)}` },
  start(1, "data directory", { role: "zookeeper" }),
  ...all(1, "changed", { steps: ["make the folder /var/lib/zk", "set the owner of /var/lib/zk"] }),
  end(1),
  start(2, "configuration", { role: "zookeeper" }),
  heard(2, "m1", "changed", {
    steps: ["write /etc/zk.cfg"],
    diffs: [{ path: "/etc/zk.cfg", before: "a=1\nb=2\n", after: `a=1\nb=${"3".repeat(90)}\n` }],
  }),
  heard(2, "m2", "ok"),
  heard(2, "web-three.internal.example.com", "skipped"),
  end(2, 61_000),
  start(
    3,
    "ein Name, der länger ist als jedes Fenster breit: 漢字漢字漢字漢字漢字 🎉 und noch weiter und weiter und weiter",
  ),
  ...all(3, "ok"),
  end(3),
  start(4, "many items"),
  ...Array.from({ length: 14 }, (_, item) =>
    some.map((host) => heard(4, host, "changed", { item: `item ${item}`, steps: [`make ${item}`] })),
  ).flat(),
  heard(4, "m1", "failed", { item: "the\nlast", failure: { message: "no space is left" } }),
  ...all(4, "changed"),
  end(4),
  start(5, "nothing to do"),
  ...all(5, "skipped"),
  end(5),
  start(6, "a shell that fails"),
  heard(6, "m1", "failed", { failure }),
  heard(6, "m2", "failed", { failure }),
  heard(6, "web-three.internal.example.com", "unreachable", { message: "the connection ended" }),
  end(6),
  start(7, "may fail"),
  ...all(7, "ignored", {
    failure: { message: "Cannot write /etc/x", code: 1, stderr: "dd: Permission denied" },
  }),
  end(7),
  start(8, "say", { module: "debug" }),
  ...some.map((host): EngineEvent => ({ type: "show", atMs, host, text: `hello from ${host}` })),
  ...all(8, "ok"),
  end(8),
  start(9, "on thirty hosts", { hosts: many }),
  ...all(9, "changed", { steps: ["run make"] }, many.slice(1)),
  heard(9, many[0] ?? "", "unsure", { message: "would depend on the result of build" }),
  end(9),
  start(10, "restart zookeeper", { handler: true, role: "zookeeper" }),
  ...all(10, "changed", { steps: ["restart zookeeper.service"] }),
  end(10),
  {
    ...{ type: "run-end", atMs, elapsedMs: 65_000, exitCode: 2 },
    recap: some.map((host, index) => recap(host, index === 0 ? 1 : 0)),
  },
];

async function told(kind: ReporterOptions["kind"], more: Partial<ReporterOptions> = {}): Promise<string> {
  let text = "";
  const write = (part: string): void => {
    text += part;
  };
  const rest = { colour: false, columns: 80, verbosity: 0, profile: false, cwd: "/p", mask: String };
  const reporter = await createReporter({ kind, write, ...rest, ...more });
  for (const event of events) reporter.report(event);
  await reporter.close();
  return text;
}

describe("a run that has everything", () => {
  test.each([80, 200])("on a terminal of %i columns", async (columns) => {
    const text = await told("terminal", { columns });
    for (const line of text.split("\n")) expect(visibleWidth(line)).toBeLessThanOrEqual(columns);
    await expect(text).toMatchFileSnapshot(`../../golden/reporting/terminal-${columns}.txt`);
  });

  test("in a log", async () => {
    await expect(await told("plain")).toMatchFileSnapshot("../../golden/reporting/log.txt");
  });

  test("colours take no room", async () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours.
    const bare = (await told("terminal", { colour: true })).replaceAll(/\x1b\[\d+m/g, "");
    expect(bare).toBe(await told("terminal"));
  });

  test("under -v every item is told, and no line is longer for it", async () => {
    const text = await told("terminal", { verbosity: 1 });
    expect(text).toContain("[item 13]");
    for (const line of text.split("\n")) expect(visibleWidth(line)).toBeLessThanOrEqual(80);
  });
});

test("docs/ansible.md names every event of --json, and every status", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/ansible.md"), "utf8");
  const types: Readonly<Record<EngineEvent["type"], true>> = {
    ...{ "run-start": true, "owed-handlers": true, "play-start": true, "play-end": true, connect: true },
    ...{ "task-start": true, "task-progress": true, "task-host": true, "task-end": true, show: true },
    ...{ warning: true, barrier: true, "run-end": true },
  };
  for (const type of Object.keys(types)) expect(page).toContain(`\`${type}\``);
  const statuses: Readonly<Record<TaskStatus, true>> = {
    ...{ ok: true, changed: true, "would-change": true, unsure: true, skipped: true, failed: true },
    ...{ ignored: true, unreachable: true, rescued: true },
  };
  const [list = ""] = /`status` is [^.]*\./.exec(page) ?? [];
  for (const status of Object.keys(statuses)) expect(list).toContain(status);
});

describe("a long line", () => {
  test.each([
    ["  aaa bbb ccc", 9, ["  aaa bbb", "    ccc"]],
    ["aaaaaaaaaaaa", 5, ["aaaaa", "  aaa", "  aaa", "  a"]],
    ["漢字漢字", 5, ["漢字", "  漢", "  字"]],
    ["short", 80, ["short"]],
  ])("%j in %i columns", (line, columns, lines) => {
    expect(wrapped(line, columns)).toEqual(lines);
  });
});

import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import type { EngineEvent } from "../../../src/provisioning/engine/events.ts";
import { palette } from "../../../src/provisioning/reporting/colour.ts";
import { fitted, fittedName, visibleWidth } from "../../../src/provisioning/reporting/fit-text.ts";
import { formatAnyError, formatError } from "../../../src/provisioning/reporting/format-error.ts";
import { maskSecrets, stripControls } from "../../../src/provisioning/reporting/printable.ts";
import { createReporter, type ReporterOptions } from "../../../src/provisioning/reporting/reporter.ts";
import { TerminalLines } from "../../../src/provisioning/reporting/terminal-lines.ts";
import { unifiedDiff } from "../../../src/provisioning/reporting/unified-diff.ts";

const at = Date.UTC(2026, 0, 1, 12, 0, 0) + new Date(2026, 0, 1).getTimezoneOffset() * 60_000;

const events: readonly EngineEvent[] = [
  { type: "run-start", atMs: at, playbooks: ["site.yml"], check: false, hosts: ["a", "b", "c"] },
  { type: "play-start", atMs: at, play: "masters", hosts: ["a", "b", "c"] },
  {
    type: "connect",
    atMs: at,
    host: "c",
    state: "failed",
    elapsedMs: 10,
    message: 'Cannot connect to "c": nothing listens there',
  },
  {
    type: "task-start",
    atMs: at,
    id: 1,
    task: "data directory",
    role: "zookeeper",
    module: "file",
    handler: false,
    hosts: ["a", "b"],
    place: "x:1",
  },
  {
    type: "task-host",
    atMs: at,
    id: 1,
    host: "a",
    status: "changed",
    elapsedMs: 5,
    steps: ["make the folder /var/lib/zk"],
    diffs: [{ path: "/var/lib/zk", before: "absent\n", after: "directory\n" }],
    result: {},
  },
  {
    type: "task-host",
    atMs: at,
    id: 1,
    host: "b",
    status: "ok",
    elapsedMs: 5,
    steps: [],
    diffs: [],
    result: {},
  },
  { type: "task-end", atMs: at, id: 1, elapsedMs: 10 },
  {
    type: "task-start",
    atMs: at,
    id: 2,
    task: "start",
    module: "service",
    handler: false,
    hosts: ["a", "b"],
    place: "x:2",
  },
  {
    type: "task-host",
    atMs: at,
    id: 2,
    host: "a",
    status: "failed",
    elapsedMs: 5,
    steps: ["start zookeeper"],
    diffs: [],
    result: {},
    failure: {
      message: "Cannot start zookeeper",
      argv: ["systemctl", "start", "zookeeper"],
      code: 1,
      stderr: "Job failed: hunter22\u001b[31m",
    },
  },
  {
    type: "task-host",
    atMs: at,
    id: 2,
    host: "b",
    status: "skipped",
    elapsedMs: 5,
    steps: [],
    diffs: [],
    result: {},
  },
  { type: "task-end", atMs: at, id: 2, elapsedMs: 1500 },
  {
    type: "run-end",
    atMs: at,
    recap: [
      {
        host: "a",
        ok: 1,
        changed: 1,
        unreachable: 0,
        failed: 1,
        skipped: 0,
        rescued: 0,
        ignored: 0,
        elapsedMs: 1500,
        roundTrips: 4,
      },
      {
        host: "c",
        ok: 0,
        changed: 0,
        unreachable: 1,
        failed: 0,
        skipped: 0,
        rescued: 0,
        ignored: 0,
        elapsedMs: 0,
        roundTrips: 0,
      },
    ],
    elapsedMs: 2000,
    exitCode: 4,
  },
];

async function told(kind: ReporterOptions["kind"], rest: Partial<ReporterOptions> = {}): Promise<string> {
  let text = "";
  const reporter = await createReporter({
    kind,
    write: (part) => {
      text += part;
    },
    colour: false,
    columns: 80,
    verbosity: 0,
    profile: false,
    cwd: "/",
    mask: maskSecrets(["hunter22"]),
    ...rest,
  });
  for (const event of events) reporter.report(event);
  await reporter.close();
  return text;
}

describe("reporters", () => {
  test.each(["plain", "terminal", "json"] as const)("%s tells a run", async (kind) => {
    const text = (await told(kind)).replaceAll(String(at), "0");
    await expect(text).toMatchFileSnapshot(`../../golden/reporting/${kind}.txt`);
  });

  test("no reporter lets a secret or a control character out", async () => {
    for (const kind of ["plain", "terminal", "json"] as const) {
      const text = await told(kind, { verbosity: 3 });
      expect(text).not.toContain("hunter22");
      expect(text).not.toContain("\u001b");
    }
  });

  test("a terminal's lines fit its columns", async () => {
    for (const line of (await told("terminal", { columns: 80 })).split("\n"))
      expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe("a terminal", () => {
  const start = (id: number, names: readonly string[], module = "command"): EngineEvent => ({
    type: "task-start",
    atMs: at,
    id,
    task: "a task whose name is a good deal longer than what a narrow window has room for",
    module,
    handler: false,
    hosts: names,
    place: "x:1",
  });
  const changed = (id: number, host: string): EngineEvent => ({
    type: "task-host",
    atMs: at,
    id,
    host,
    status: "changed",
    elapsedMs: 5,
    steps: ["run make"],
    diffs: [],
    result: {},
  });
  const lines = (columns: number, given: readonly EngineEvent[]): string[] => {
    const style = { colours: palette(false), colour: false, verbosity: 0, mask: String, cwd: "/" };
    const made = new TerminalLines(style, { columns });
    return given.flatMap((event) => made.of(event));
  };
  const names = ["b", "a", "web-three.internal.example.com", "d", "e", "f"];

  test.each([40, 80, 200])("hosts with the same to tell share a line that fits %i columns", (columns) => {
    const told = lines(columns, [
      start(1, names),
      ...[...names].reverse().map((host) => changed(1, host)),
      { type: "task-end", atMs: at, id: 1, elapsedMs: 10 },
    ]);
    expect(told[0]).toMatch(/^ {4}✔ a task .*changed 6$/);
    expect(told[1]).toBe("        run make");
    for (const line of told) expect(visibleWidth(line)).toBeLessThanOrEqual(columns);
  });

  test("what debug shows stands below its task, what a pause asks is shown at once", () => {
    const show = (host: string): EngineEvent => ({ type: "show", atMs: at, host, text: "hello" });
    expect(lines(80, [start(1, ["a"], "debug"), show("a")])).toEqual([]);
    expect(lines(80, [start(1, ["a"], "pause"), show("a")])).toEqual(["      a: hello"]);
  });

  test("wide characters count twice, colours and marks not at all", () => {
    expect(visibleWidth("a\u001b[31m漢字\u001b[39me\u0301")).toBe(6);
    expect(fitted("漢字漢字", 5)).toBe("漢字…");
    expect(fittedName("node-123456.example.com", 11)).toBe("node-…e.com");
  });
});

describe("errors", () => {
  const span = {
    file: "/p/site.yml",
    line: 4,
    column: 31,
    length: 4,
    sourceLine: "    file: {path: /var/lib/zk, stat: directory}",
  };
  const error = new ProvisionError({
    code: "unknown-argument",
    action: 'read task "data directory"',
    state: 'module "file" has no argument "stat"',
    span,
    why: '"file" takes path, state, mode, owner, group',
    fix: 'write "state" instead of "stat"',
  });

  test("place, sentence, caret, why, fix", () => {
    expect(formatError(error, { cwd: "/p" })).toBe(
      [
        "site.yml:4:31: error[unknown-argument]",
        'Cannot read task "data directory": module "file" has no argument "stat"',
        "",
        "  4 |     file: {path: /var/lib/zk, stat: directory}",
        "    |                               ^^^^",
        '  why: "file" takes path, state, mode, owner, group',
        '  fix: write "state" instead of "stat"',
      ].join("\n"),
    );
  });

  test("all errors of a load are shown, and counted", () => {
    const { code, action, state } = error;
    const both = new ProvisionError({ code, action, state }, [
      new ProvisionError({ code, action, state: "another" }),
    ]);
    expect(formatError(both)).toMatch(/another\n\n2 errors$/);
  });

  test("a cause is told unless the sentence says it already", () => {
    const fields = { code: "missing-file", action: "read x", state: "no" } as const;
    expect(formatError(new ProvisionError({ ...fields, cause: new Error("ENOENT") }))).toContain(
      "cause: ENOENT",
    );
    expect(formatError(new ProvisionError({ ...fields, cause: new Error("no") }))).not.toContain("cause");
  });

  test("a defect asks to be reported", () => {
    expect(formatAnyError(new TypeError("x is undefined"))).toContain("defect of provision");
  });
});

describe("texts", () => {
  test("control characters go, lines stay", () => {
    expect(stripControls("a\u001b[2Jb\r\nc\u0007\td\u202ee\u001b]0;title\u0007f")).toBe("ab\nc\tdef");
  });

  test("the longest secret is masked first, also as JSON", () => {
    const mask = maskSecrets(["secret", "secret-long", 'with"quote']);
    expect(mask("secret-long secret")).toBe("******** ********");
    expect(mask(JSON.stringify({ x: 'with"quote' }))).toBe('{"x":"********"}');
  });

  test.each([
    ["a\nb\nc\n", "a\nx\nc\n", ["--- f", "+++ f", "@@ -1,3 +1,3 @@", " a", "-b", "+x", " c"]],
    ["", "a\n", ["--- (absent or empty)", "+++ f", "@@ -0,0 +1,1 @@", "+a"]],
    ["a\n", "a", ["--- f", "+++ f", "@@ -1,1 +1,2 @@", " a", "\\ No newline at the end"]],
    ["same\n", "same\n", []],
  ])("diff of %j and %j", (before, after, lines) => {
    expect(unifiedDiff("f", before, after)).toEqual(lines);
  });
});

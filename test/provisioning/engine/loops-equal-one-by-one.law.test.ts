import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import fc from "../../support/property.ts";
import { newFolder, outcomes, runText } from "../../support/run-playbook.ts";

const { constantFrom: oneOf } = fc;
const names = ["x", "y", "z", "d/x", "d/y", "l", "l/x", "d", "e", "e/x"];

/** What stands there before: files, second names of files, folders, links to all of these. */
const entry = fc.record({
  name: oneOf(...names),
  what: oneOf("file", "file", "folder", "link", "hard"),
  to: oneOf("x", "y", "d", "nowhere", "../d", "e"),
  content: oneOf("", "one\n", "x\ny\none\n", "x"),
  mode: oneOf(0o600, 0o644, 0o755),
});
type Entry = typeof entry extends fc.Arbitrary<infer T> ? T : never;

const path = oneOf("{{ d }}/{{ item }}", "{{ d }}/{{ item }}", "{{ d }}/x", "{{ d }}/d/{{ item }}");
const mode = oneOf(undefined, "0600", "0644", "u+x");
const call: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record({
    copy: fc.record({
      content: oneOf("{{ item }}", "one\n", ""),
      dest: path,
      mode,
      force: oneOf(true, true, false),
    }),
  }),
  fc.record({ file: fc.record({ path, state: oneOf("directory", "touch", "absent", "file"), mode }) }),
  fc.record({
    file: fc.record({
      path,
      state: oneOf("link", "hard"),
      src: oneOf("x", "{{ d }}/d", "{{ d }}/{{ item }}"),
      force: fc.boolean(),
    }),
  }),
  fc.record({
    lineinfile: fc.record({
      path,
      line: oneOf("{{ item }}", "one"),
      regexp: oneOf("^[xy]", "^o", "{{ item }}$"),
      state: oneOf("present", "present", "absent"),
      create: fc.boolean(),
      mode,
    }),
  }),
  fc.record({ blockinfile: fc.record({ path, block: oneOf("{{ item }}", "one"), create: fc.boolean() }) }),
  fc.record({ replace: fc.record({ path, regexp: oneOf("o", "x$"), replace: oneOf("{{ item }}", "0") }) }),
);
const cases = fc.record({
  before: fc.array(entry, { maxLength: 8 }),
  call,
  loop: fc.array(oneOf(...names, "n/n"), { minLength: 2, maxLength: 8 }),
});
type Case = typeof cases extends fc.Arbitrary<infer T> ? T : never;

function make(dir: string, { name, what, to, content, mode: bits }: Entry): void {
  const at = join(dir, name);
  try {
    mkdirSync(dirname(at), { recursive: true });
    if (what === "folder") mkdirSync(at, { recursive: true });
    else if (what === "link") symlinkSync(to, at);
    else if (what === "hard") linkSync(join(dir, to), at);
    else {
      writeFileSync(at, content);
      chmodSync(at, bits);
    }
  } catch {
    // It stands in the way of another one: the same way in both runs.
  }
}

function tree(dir: string, prefix = ""): string[] {
  return readdirSync(join(dir, prefix))
    .sort()
    .flatMap((name) => {
      const at = join(prefix, name);
      const stat = lstatSync(join(dir, at));
      if (stat.isSymbolicLink()) return [`${at} -> ${readlinkSync(join(dir, at)).replace(dir, "")}`];
      const shown = `${at} ${(stat.mode & 0o7777).toString(8)} ${stat.isFile() ? stat.nlink : ""}`;
      return stat.isDirectory()
        ? [`${shown}/`, ...tree(dir, at)]
        : [`${shown} ${readFileSync(join(dir, at), "utf8")}`];
    });
}

async function end({ before, call: fields, loop }: Case, askAhead: boolean): Promise<unknown> {
  // Links to "../d" stay in a folder of this run.
  const outer = newFolder();
  const dir = join(outer, "in");
  mkdirSync(dir);
  try {
    for (const each of before) make(dir, each);
    const task = JSON.stringify({ name: "loop", ...fields, loop, register: "r", ignore_errors: true });
    const ran = await runText({
      playbook: `- hosts: all\n  gather_facts: false\n  tasks:\n    - ${task}\n    - debug: {var: r.results}\n`,
      extraVars: [`d=${dir}`],
      request: { askAhead },
    });
    const told = ran.events.flatMap((event) =>
      event.type === "task-host" && event.item !== undefined ? [event.failure?.message ?? ""] : [],
    );
    const shown = ran.events.flatMap((event) => (event.type === "show" ? [event.text] : []));
    const all = JSON.stringify({ outcomes: outcomes(ran), told, shown, tree: tree(dir) }).replaceAll(
      dir,
      "D",
    );
    return JSON.parse(all);
  } finally {
    rmSync(outer, { recursive: true, force: true });
  }
}

/** What was found, and mended: what the items of one message registered. */
const found: readonly Case[] = [
  {
    before: [],
    call: { file: { path: "{{ d }}/{{ item }}", state: "directory", mode: undefined } },
    loop: ["x", "z"],
  },
];

const isLong = process.env["PROVISION_TEST_LONG"] !== undefined;
const timeLimitMs = Number(process.env["LOOPS_MS"] ?? (isLong ? 600_000 : 10_000));

test("a loop in few messages ends as one by one", { timeout: timeLimitMs * 4 }, async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(cases, async (each) => {
      runs++;
      expect(await end(each, true)).toEqual(await end(each, false));
    }),
    {
      examples: found.map((each) => [each]),
      numRuns: 100_000,
      interruptAfterTimeLimit: timeLimitMs,
    },
  );
  console.log(`${runs} loops`);
});

import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { newFolder, outcomes, runText, shown } from "../../support/run-playbook.ts";

/** Names that collide on purpose: files, folders and links of the same few names, by hosts that share one machine. */
const name = fc.constantFrom("x", "y", "d", "d/x", "l");
const path = name.map((each) => `{{ d }}/${each}`);
const host = fc.constantFrom("a", "b");
const content = fc.constantFrom("one", "two", "{{ inventory_hostname }}");
const line = (fields: Readonly<Record<string, unknown>>): string => `    - ${JSON.stringify(fields)}`;

const moduleCall: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record({ file: fc.record({ path, state: fc.constantFrom("directory", "absent") }) }),
  fc.record({ file: fc.record({ path, state: fc.constant("link"), src: fc.constantFrom("x", "d") }) }),
  fc.record({ file: fc.record({ path, state: fc.constant("file"), mode: fc.constantFrom("0600", "0644") }) }),
  fc.record({ copy: fc.record({ content, dest: path }) }),
  fc.record({ lineinfile: fc.record({ path, line: content, create: fc.boolean() }) }),
  fc.record({
    shell: fc.record({ cmd: fc.tuple(content, path).map(([text, to]) => `echo ${text} >> ${to}`) }),
  }),
  fc.record({ shell: fc.record({ cmd: path.map((each) => `rm -rf ${each}`), removes: path }) }),
  fc.record({ command: fc.record({ cmd: path.map((each) => `mkdir ${each}`), creates: path }) }),
  fc.record({ stat: fc.record({ path }) }).map((call) => ({ ...call, register: "s" })),
  fc.record({ slurp: fc.record({ src: path }) }).map((call) => ({ ...call, register: "s" })),
  fc.record({ set_fact: fc.record({ v: content }) }),
);

const modifiers: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.constant({
      when: "s is defined and s is not failed and s.stat is defined and s.stat.exists",
    }),
  },
  { weight: 1, arbitrary: fc.constant({ when: "v | default('one') == 'one'" }) },
  { weight: 1, arbitrary: fc.constant({ delegate_to: "b" }) },
  { weight: 1, arbitrary: fc.constant({ run_once: true }) },
  { weight: 1, arbitrary: fc.constant({ notify: "h" }) },
  { weight: 1, arbitrary: host.map((each) => ({ when: `inventory_hostname == '${each}'` })) },
);

const task = fc
  .tuple(moduleCall, modifiers, fc.boolean())
  .map(([call, extra, ignores]) => ({ ...call, ...extra, ...(ignores ? { ignore_errors: true } : {}) }));

/** Loops whose items may go in one message, and loops whose items see each other. */
const items = fc.uniqueArray(fc.constantFrom("x", "y", "z", "d/x", "d/y", "l", "l/z", "d"), {
  minLength: 2,
  maxLength: 6,
});
const loopCall: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record({
    copy: fc.record({
      content: fc.oneof(content, fc.constant("{{ item }}")),
      dest: fc.constantFrom("{{ d }}/x", "{{ d }}/{{ item }}"),
      mode: fc.constantFrom("0600", "0644"),
    }),
  }),
  fc.record({
    file: fc.record({
      path: fc.constant("{{ d }}/{{ item }}"),
      state: fc.constantFrom("directory", "touch", "absent", "file"),
      mode: fc.constantFrom("0700", "0755"),
    }),
  }),
);
const loopTask = fc
  .tuple(loopCall, items, fc.constantFrom({}, { when: "item != 'y'" }, { notify: "h" }))
  .map(([call, loop, extra]) => ({ ...call, ...extra, loop, ignore_errors: true }));

const block = fc.tuple(task, task, task).map(([inside, rescue, always]) => ({
  block: [inside],
  rescue: [rescue],
  always: [{ ...always, ignore_errors: true }],
}));

const statement = fc.oneof(
  { weight: 6, arbitrary: task },
  { weight: 2, arbitrary: loopTask },
  { weight: 1, arbitrary: block },
);

interface Case {
  readonly statements: readonly Record<string, unknown>[];
  readonly strategy: string;
}
const cases: fc.Arbitrary<Case> = fc.record({
  statements: fc.array(statement, { minLength: 2, maxLength: 10 }),
  strategy: fc.constantFrom("linear", "linear", "linear"),
});

const playbookOf = ({ statements, strategy }: Case): string =>
  [
    "- hosts: all",
    `  strategy: ${strategy}`,
    "  gather_facts: false",
    // One host at a time within a task: two hosts of one machine may race for a path otherwise, ahead or not.
    "  throttle: 1",
    "  tasks:",
    ...statements.map((fields) => line(fields)),
    "  handlers:",
    '    - {name: h, shell: "echo handled >> {{ d }}/handled"}',
  ].join("\n");

/** Every path below, with what it is and holds. */
function tree(dir: string, prefix = ""): string[] {
  return readdirSync(join(dir, prefix))
    .sort()
    .flatMap((entry) => {
      const path = join(prefix, entry);
      const stat = lstatSync(join(dir, path));
      if (stat.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(dir, path))}`];
      if (stat.isDirectory()) return [`${path}/`, ...tree(dir, path)];
      return [`${path} ${(stat.mode & 0o777).toString(8)} ${readFileSync(join(dir, path), "utf8")}`];
    });
}

async function end(each: Case, askAhead: boolean): Promise<unknown> {
  const dir = newFolder();
  const work = join(dir, "work");
  mkdirSync(work);
  try {
    const ran = await runText({
      playbook: playbookOf(each),
      inventory: "a ansible_connection=local\nb ansible_connection=local\n",
      extraVars: [`d=${work}`],
      request: { askAhead },
    });
    const recap = ran.summary.recap.map(({ elapsedMs: _time, roundTrips: _trips, ...counts }) => counts);
    return {
      outcomes: outcomes(ran),
      shown: shown(ran),
      recap,
      exit: ran.summary.exitCode,
      tree: tree(work),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const runs = process.env["PROVISION_TEST_LONG"] === undefined ? 40 : 3_000;

test("asking ahead gives the same result as one by one", { timeout: 3_600_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (each) => {
      expect(await end(each, true)).toEqual(await end(each, false));
    }),
    { numRuns: runs, endOnFailure: process.env["PROVISION_TEST_LONG"] === undefined },
  );
});

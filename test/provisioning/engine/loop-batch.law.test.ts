import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { inNewFolders, outcomes, type PlaybookRun, runText } from "../../support/run-playbook.ts";

let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

const run = (task: string): Promise<PlaybookRun> =>
  runText({
    playbook: `- hosts: all\n  gather_facts: false\n  tasks:\n    - name: loop\n${task.replace(/^/gm, "      ")}\n`,
    extraVars: [`d=${dir}`],
  });
const roundTrips = ({ summary }: PlaybookRun): number => summary.recap[0]?.roundTrips ?? 0;
const itemStatuses = ({ events }: PlaybookRun): string[] =>
  events.flatMap((event) => (event.type === "task-host" && event.item !== undefined ? [event.status] : []));

const count = 60;
const each = Array.from({ length: count }, (_, at) => String(at));
const files = (content: string): void => {
  for (const name of each) writeFileSync(join(dir, name), content);
};
const read = (name: string): string => readFileSync(join(dir, name), "utf8");

interface Kind {
  readonly what: string;
  readonly task: string;
  readonly before?: () => void;
  readonly after: (name: string) => boolean;
}
const kinds: readonly Kind[] = [
  {
    what: "files that stand there are written anew",
    task: 'copy: {content: "new {{ item }}", dest: "{{ d }}/{{ item }}"}',
    before: () => files("old"),
    after: (name) => read(name) === `new ${name}`,
  },
  {
    what: "folders are made",
    task: 'file: {path: "{{ d }}/{{ item }}", state: directory, mode: "0750"}',
    after: (name) => (statSync(join(dir, name)).mode & 0o777) === 0o750,
  },
  {
    what: "folders are made with those above them",
    task: 'file: {path: "{{ d }}/{{ item }}/b/c", state: directory}',
    after: (name) => statSync(join(dir, name, "b/c")).isDirectory(),
  },
  {
    what: "files are removed",
    task: 'file: {path: "{{ d }}/{{ item }}", state: absent}',
    before: () => files("old"),
    after: (name) => !existsSync(join(dir, name)),
  },
  {
    what: "links are made",
    task: 'file: {path: "{{ d }}/{{ item }}", state: link, src: /etc/hosts}',
    after: (name) => readlinkSync(join(dir, name)) === "/etc/hosts",
  },
  {
    what: "files are touched",
    task: 'file: {path: "{{ d }}/{{ item }}", state: touch, mode: "0600"}',
    after: (name) => (statSync(join(dir, name)).mode & 0o777) === 0o600,
  },
  {
    what: "modes are set",
    task: 'file: {path: "{{ d }}/{{ item }}", mode: "0600"}',
    before: () => files("old"),
    after: (name) => (statSync(join(dir, name)).mode & 0o777) === 0o600,
  },
  {
    what: "lines are put into files",
    task: 'lineinfile: {path: "{{ d }}/{{ item }}", line: "a={{ item }}"}',
    before: () => files("old\n"),
    after: (name) => read(name) === `old\na=${name}\n`,
  },
  {
    what: "lines are put into one file, in their order",
    task: 'lineinfile: {path: "{{ d }}/one", line: "a={{ item }}"}',
    before: () => writeFileSync(join(dir, "one"), "old\n"),
    after: (name) => read("one").split("\n")[Number(name) + 1] === `a=${name}`,
  },
];

describe("in a handful of messages", () => {
  test.each(kinds)("$what", async ({ task, before, after }) => {
    before?.();
    const ran = await run(`${task}\nloop: "{{ range(${count}) }}"`);
    expect(itemStatuses(ran)).toEqual(each.map(() => "changed"));
    expect(each.filter((name) => !after(name))).toEqual([]);
    expect(roundTrips(ran)).toBeLessThan(6);
  });
});

test("large files go in one message, each whole, and a second run finds them so", async () => {
  const names = ["a", "b", "c", "d", "e"];
  for (const name of names) writeFileSync(join(dir, `${name}.src`), name.repeat(1_000_000));
  const copies = `copy: {src: "{{ d }}/{{ item }}.src", dest: "{{ d }}/{{ item }}"}\nloop: [${names.join()}]`;
  const ran = await run(copies);
  expect(itemStatuses(ran)).toEqual(names.map(() => "changed"));
  for (const name of names) expect(read(name)).toBe(name.repeat(1_000_000));
  // Questions, steps.
  expect(roundTrips(ran)).toBe(2);
  expect(itemStatuses(await run(copies))).toEqual(names.map(() => "ok"));
  expect(readdirSync(dir)).toHaveLength(10);
});

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

  test("that edit one file build upon each other, though it is written once", async () => {
    writeFileSync(join(dir, "f"), "x=0\n");
    const ran = await run(
      'lineinfile: {path: "{{ d }}/f", regexp: "^x=", line: "x={{ item }}"}\nloop: [1, 1, 2, 2, 1]',
    );
    expect(itemStatuses(ran)).toEqual(["changed", "ok", "changed", "ok", "changed"]);
    expect(read("f")).toBe("x=1\n");
  });

  test("see what becomes of a folder whose name leads through a link", async () => {
    mkdirSync(join(dir, "real/d"), { recursive: true });
    symlinkSync("real", join(dir, "alias"));
    const ran = await run(
      'file: {path: "{{ d }}/{{ item }}", state: absent}\nloop: [other, real/d, alias/d, real, alias/d]',
    );
    expect(itemStatuses(ran)).toEqual(["ok", "changed", "ok", "changed", "ok"]);
  });

  test.each([["l, x"], ["x, l"], ["y, l, x"], ["y, x, l"]])(
    "see that one path is a link to another's: %s",
    async (loop) => {
      for (const name of ["x", "y"]) writeFileSync(join(dir, name), "old\n");
      symlinkSync("x", join(dir, "l"));
      const ran = await run(`lineinfile: {path: "{{ d }}/{{ item }}", line: "{{ item }}"}\nloop: [${loop}]`);
      expect(new Set(itemStatuses(ran))).toEqual(new Set(["changed"]));
      expect(read("x").split("\n").sort()).toEqual(["", "l", "old", "x"]);
      expect(readlinkSync(join(dir, "l"))).toBe("x");
    },
  );

  test("see that two files are one", async () => {
    writeFileSync(join(dir, "a"), "");
    linkSync(join(dir, "a"), join(dir, "b"));
    const ran = await run('file: {path: "{{ d }}/{{ item }}", mode: "0600"}\nloop: [a, b]');
    expect(itemStatuses(ran)).toEqual(["changed", "ok"]);
  });

  test("go on where one of them fails", async () => {
    mkdirSync(join(dir, "2"));
    mkdirSync(join(dir, "2/2"));
    const ran = await run(`${many.replace("range(300)", "range(5)")}\nignore_errors: true`);
    expect(readdirSync(dir)).toHaveLength(5);
    expect(itemStatuses(ran).filter((status) => status === "changed").length).toBeGreaterThanOrEqual(4);
  });
});

describe("a folder that is copied", () => {
  const names = Array.from({ length: 120 }, (_, at) => (at % 3 === 0 ? `sub/${at}` : String(at)));
  const makeSource = (): string => {
    const from = join(dir, "from");
    mkdirSync(join(from, "sub"), { recursive: true });
    for (const name of names) {
      writeFileSync(join(from, name), Buffer.concat([Buffer.from(name), Buffer.of(0, 10, 255)]), {
        mode: name.endsWith("1") ? 0o755 : 0o644,
      });
    }
    return from;
  };
  const copy = (more = ""): string => `copy: {src: "{{ d }}/from/", dest: "{{ d }}/to"${more}}`;

  test("goes in a handful of messages, and so does what changed in it", async () => {
    const from = makeSource();
    const ran = await run(copy(', mode: "preserve"'));
    expect(outcomes(ran)).toEqual(["loop a changed"]);
    expect(roundTrips(ran)).toBeLessThan(6);
    for (const name of names) {
      expect(readFileSync(join(dir, "to", name))).toEqual(readFileSync(join(from, name)));
      expect(statSync(join(dir, "to", name)).mode & 0o777).toBe(name.endsWith("1") ? 0o755 : 0o644);
    }
    for (const name of names) writeFileSync(join(from, name), `new ${name}`);
    const again = await run(copy());
    expect(roundTrips(again)).toBeLessThan(6);
    for (const name of names) expect(read(join("to", name))).toBe(`new ${name}`);
    expect(outcomes(await run(copy()))).toEqual(["loop a ok"]);
  });

  test("that cannot be written says why", async () => {
    makeSource();
    const ran = await run(copy(", owner: nobody-of-this-name"));
    expect(outcomes(ran)).toEqual(["loop a failed"]);
    const [failure] = ran.events.flatMap((event) =>
      event.type === "task-host" ? (event.failure ?? []) : [],
    );
    expect(failure?.stderr).toContain("nobody-of-this-name");
  });
});

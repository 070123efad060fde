import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CliIo } from "../../src/cli/io.ts";
import { runCommandLine } from "../../src/cli/main.ts";
import { capturedIo } from "../support/captured-io.ts";

let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "provision-cli-"));
  mkdirSync(join(dir, "home"));
  writeFileSync(join(dir, "hosts.ini"), "[web]\na ansible_connection=local\nb ansible_connection=local\n");
  writeFileSync(join(dir, "empty.ini"), "[web]\n");
  writeFileSync(
    join(dir, "good.yml"),
    "- hosts: web\n  gather_facts: false\n  tasks:\n    - {name: t, command: 'true', tags: [x]}\n    - {name: u, command: 'true'}\n",
  );
  writeFileSync(
    join(dir, "chosen.yml"),
    "- hosts: '{{ chosen }}'\n  gather_facts: false\n  tasks: [{debug: {msg: x}}]\n",
  );
  writeFileSync(
    join(dir, "tags.yml"),
    "- hosts: web\n  gather_facts: false\n  vars: {mine: early, theirs: old}\n  vars_prompt: [{name: asked, prompt: Which, default: noon}]\n  tasks:\n    - {name: t, command: 'true', tags: '{{ given }}, {{ mine }}, {{ asked }}'}\n    - {name: u, command: 'true', tags: ['{{ theirs }}']}\n",
  );
  writeFileSync(
    join(dir, "bad.yml"),
    "- hosts: web\n  tasks:\n    - {comand: ls}\n    - {copy: {dst: /x}}\n",
  );
  writeFileSync(
    join(dir, "fails.yml"),
    "- hosts: web\n  gather_facts: false\n  tasks:\n    - command: 'false'\n      when: inventory_hostname == 'b'\n",
  );
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const provision = (...argv: string[]): Promise<Ended> => provisionWith({}, ...argv);

async function provisionWith(given: Partial<CliIo>, ...argv: string[]): Promise<Ended> {
  const io = capturedIo({
    ...given,
    env: { HOME: join(dir, "home"), PATH: process.env["PATH"], ...given.env },
    cwd: dir,
    packageRoot: join(import.meta.dirname, "../.."),
  });
  const code = await runCommandLine(argv, io);
  return { code, out: io.output(), err: io.errors() };
}

describe("exit codes", () => {
  test.each([
    [["hosts.ini", "good.yml"], 0],
    [["hosts.ini", "fails.yml"], 2],
    [["hosts.ini", "bad.yml"], 1],
    [["hosts.ini", "nowhere.yml"], 1],
    [["empty.ini", "good.yml"], 1],
    [["hosts.ini", "good.yml", "--limit", "nobody"], 1],
    [["hosts.ini", "good.yml", "--frks", "3"], 1],
    [["hosts.ini", "good.yml", "--start-at-task", "nope"], 1],
    [["hosts.ini", "good.yml", "--tags", "x"], 0],
    [["hosts.ini", "good.yml", "--tags", "xx"], 1],
    [["hosts.ini", "good.yml", "--tags", "untagged"], 0],
    [["--help"], 0],
    [[], 1],
  ])("%j: %i", async (argv, code) => {
    expect((await provision(...argv)).code).toBe(code);
  });
});

describe("what is said", () => {
  test("all errors of a load, with places", async () => {
    const { err } = await provision("hosts.ini", "bad.yml");
    expect(err).toContain("bad.yml:3:8: error[unknown-module]");
    expect(err).toContain("bad.yml:4:15: error[unknown-argument]");
    expect(err).toContain("2 errors");
  });

  test("a misspelt verb", async () => {
    const { code, err } = await provision("invetory", "hosts.ini");
    expect([code, err]).toEqual([1, expect.stringContaining("provision inventory hosts.ini")]);
  });

  test("--list-tasks and --list-hosts run nothing", async () => {
    const { out } = await provision("hosts.ini", "good.yml", "--list-tasks", "--list-hosts", "--tags", "x");
    expect(out).toContain("      t\tTAGS: [x]");
    expect(out).not.toContain("      u\t");
    expect(out).toContain("    hosts (2):\n      a\n      b\n");
  });

  test("--list-tags and --list-tasks render tags, and choose by what they are then", async () => {
    const args = ["hosts.ini", "tags.yml", "--list-tags", "--list-tasks", "-e", "given=late"];
    const { out } = await provision(...args, "--skip-tags", "old");
    expect(out).toContain("      t\tTAGS: [early, late, noon]\n");
    expect(out).toContain("TASK TAGS: [early, late, noon]\n");
  });

  test("a tag that cannot be rendered is told with its place, and no host is asked", async () => {
    const { code, out, err } = await provision("hosts.ini", "tags.yml");
    expect(code).toBe(1);
    expect(err).toContain(
      'tags.yml:6:44: error[undefined-variable]\nCannot render tags: "given" is undefined',
    );
    expect(out).not.toContain("task");
  });

  test("--list-hosts renders the pattern of a play", async () => {
    const args = ["hosts.ini", "chosen.yml", "--list-hosts", "-e", "chosen=b"];
    const { out } = await provision(...args);
    expect(out).toContain("play #1 (b): b");
    expect(out).toContain("    hosts (1):\n      b\n");
  });

  test("--step asks before each task, and leaves out what is refused", async () => {
    const asked: string[] = [];
    const answers = ["y", "what", "n"];
    const { out } = await provisionWith(
      {
        prompt: (question) => {
          asked.push(question);
          return Promise.resolve(answers.shift() ?? "c");
        },
      },
      "hosts.ini",
      "good.yml",
      "--step",
      "--json",
    );
    expect(asked.length).toBeGreaterThanOrEqual(2);
    expect(out.match(/"type":"task-start"/g)?.length).toBe(1);
  });

  test("--json is one object a line", async () => {
    const { out } = await provision("hosts.ini", "good.yml", "--json");
    const events = out
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(events.at(0)).toMatchObject({ type: "run-start" });
    expect(events.at(-1)).toMatchObject({ type: "run-end", exitCode: 0 });
  });

  test("--limit @failed takes the hosts that failed last time", async () => {
    await provision("hosts.ini", "fails.yml");
    const { out } = await provision("hosts.ini", "fails.yml", "--limit", "@failed", "--list-hosts");
    expect(out).toContain("    hosts (1):\n      b\n");
    await provision("hosts.ini", "good.yml");
    expect((await provision("hosts.ini", "good.yml", "--limit", "@failed")).err).toContain("no host failed");
  });

  test("exec shows what each host said", async () => {
    const { out } = await provision("exec", "a", "-i", "hosts.ini", "--", "echo $((1+1))");
    expect(out).toBe("a  exit code 0\n2\n");
  });

  test("task shows the output of a command, and what another module found", async () => {
    const { out } = await provision("task", "a", "-i", "hosts.ini", "-a", "echo hello");
    expect(out).toBe("a  exit code 0\nhello\n");
    const found = await provision("task", "a", "-i", "hosts.ini", "-m", "stat", "-a", "path=/nowhere");
    expect(found.out).toMatch(/^a {2}ok\n\{\n {2}"stat": \{\n {4}"exists": false/);
    const line = await provision("task", "a,b", "-i", "hosts.ini", "-o", "-m", "debug", "-a", "msg=hi");
    expect(line.out.split("\n").filter((text) => /^[ab] {2}ok/.test(text))).toHaveLength(2);
    const hosts = await provision("task", "web", "-i", "hosts.ini", "--list-hosts");
    expect(hosts.out).toContain("hosts (2):");
  });

  test("a playbook may stand alone when the inventory is known otherwise", async () => {
    const { code, out } = await provisionWith(
      { env: { PROVISION_INVENTORY: "hosts.ini" } },
      "good.yml",
      "--list-hosts",
    );
    expect([code, out]).toEqual([0, expect.stringContaining("hosts (2):")]);
  });

  test.each([
    [["all", "-m", "ping"], "provision task all -m ping"],
    [["exec", "all", "-m", "ping"], "provision task"],
    [["exec", "all", "uptime"], "provision exec all -- uptime"],
    [["task", "all"], "provision task all -m ping"],
  ])("%j: what Ansible's users type is answered with what to type", async (argv, fix) => {
    expect((await provision(...argv)).err).toContain(fix);
  });

  test.each([
    ["forks = many", "ansible.cfg:2:1: error[bad-config]"],
    ["host_key_checking = maybe", "it is true or false"],
    ["host_key_cheking = no", "is defaults.host_key_checking meant?"],
  ])("ansible.cfg: %s", async (line, said) => {
    writeFileSync(join(dir, "ansible.cfg"), `[defaults]\n${line}\n`);
    try {
      expect((await provision("hosts.ini", "good.yml", "--list-hosts")).err).toContain(said);
    } finally {
      rmSync(join(dir, "ansible.cfg"));
    }
  });

  test("every command has its help, which fits 80 columns", async () => {
    const verbs =
      "run plan inventory exec task forget docs rehearse restart start stop status logs doctor runtime vault";
    for (const verb of [...verbs.split(" "), "standalone"]) {
      const { code, out } = await provisionWith({ columns: 80 }, verb, "--help");
      expect([verb, code, out.includes("--help")]).toEqual([verb, 0, true]);
      const options = out.split("\n").filter((line) => /^ +-/.test(line));
      for (const line of options) expect(line.length).toBeLessThanOrEqual(80);
    }
    const { out } = await provisionWith({ columns: 80 }, "--help");
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  });

  test.each([
    [["restart", "zookeeper", "-i", "hosts.ini"], "zookeeper runs on the hosts of the group mesos_masters"],
    [["status", "zookeper", "-i", "hosts.ini"], "provision status zookeeper"],
    [["logs"], "provision logs zookeeper"],
    [["runtime"], "no CPU is named"],
  ])("%j says what is wanted", async (argv, said) => {
    expect((await provision(...argv)).err).toContain(said);
  });

  test("an unused key of ansible.cfg is named once", async () => {
    writeFileSync(join(dir, "ansible.cfg"), "[defaults]\nforks = 3\ncallback_whitelist = timer\n");
    try {
      const { err } = await provision("hosts.ini", "good.yml", "--list-hosts");
      expect(err).toContain("not used here: defaults.callback_whitelist");
      expect(err).not.toContain("forks");
    } finally {
      rmSync(join(dir, "ansible.cfg"));
    }
  });
});

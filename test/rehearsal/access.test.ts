/** Who gets in, who does not, and what is said then: on real hosts, over real ssh and sudo. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  containerName,
  type RehearsalHosts,
  startHosts,
  stateFolder,
} from "../../src/cluster/rehearsal/hosts.ts";
import { prepareRehearsal } from "../../src/cluster/rehearsal/rehearse.ts";
import { runProgram } from "../../src/cluster/runtime/run-program.ts";
import { provisionOnTerminal, type TypedAnswer } from "../support/on-terminal.ts";
import { changesOf, provision, type Ran } from "../support/provision.ts";

const id = `access-${process.pid}`;
const runTimeoutMs = 60_000;
/** An answer that takes longer than this did not come from the host's own time limit. */
const hangLimitMs = 15_000;

let hosts: RehearsalHosts;
let folder: string;
let silent: Server;
const heldOpen: Socket[] = [];

const file = (name: string): string => join(folder, name);
const key = (): string => hosts.privateKeyFile;
const address = (name: string): string => hosts.addresses.get(name) ?? "";
const onHost = (name: string, script: string): Promise<string> =>
  runProgram("docker", ["exec", containerName(id, name), "sh", "-ec", script]);

/** A user without keys, without an agent, without known hosts: only what a test gives counts. */
const cleanEnv = (): NodeJS.ProcessEnv => {
  const { SSH_AUTH_SOCK: _agent, ...env } = process.env;
  return { ...env, HOME: file("home"), NO_COLOR: "1" };
};
const run = (args: readonly string[], env: NodeJS.ProcessEnv = cleanEnv()): Promise<Ran> =>
  provision(["run", ...args], { timeoutMs: runTimeoutMs, env });

/** On the host "a" as `user`: who it is after becoming root. */
const whoArgs = (user: string, ...more: string[]): string[] => [
  ...["-i", file("known.ini"), file("who.yml"), "-u", user],
  ...more,
];

const keyed = (user: string, ...more: string[]): string[] => whoArgs(user, "--private-key", key(), ...more);

function expectRoot(ran: Ran): void {
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.stdout).toContain("it is root");
}

/** The documented form, no stack, and every text that is named. */
function expectError(ran: Ran, code: number, texts: readonly string[]): void {
  const said = ran.stdout + ran.stderr;
  expect(ran.code, said).toBe(code);
  for (const text of texts) expect(said).toContain(text);
  expect(said).toMatch(/error\[[a-z-]+\]\n\s*Cannot [^\n]+: /);
  expect(said).not.toMatch(/\n\s+at .+:\d+:\d+|error\[defect\]/);
}

const playbooks: Readonly<Record<string, string>> = {
  "who.yml": `
- hosts: all
  gather_facts: false
  become: true
  tasks:
    - {name: who, command: id -un, register: me, changed_when: false}
    - debug: {msg: "it is {{ me.stdout }}"}
`,
  "full.yml": `
- hosts: all
  gather_facts: false
  become: true
  tasks:
    - {name: it goes in, copy: {src: "{{ size }}", dest: /small/kept}}
`,
  "template.yml": `
- hosts: a
  gather_facts: false
  become: true
  tasks:
    - {name: rendered, template: {src: unknown.hbs, dest: /small/kept}}
`,
  "unknown.hbs": "fine\nport={{ zk_prot }}\n",
  "yaml.yml": "- hosts: all\n  tasks:\n    - command: ls\n     name: x\n",
  "module.yml": "- hosts: all\n  tasks:\n    - comand: ls\n",
  "argument.yml": "- hosts: all\n  tasks:\n    - file: {path: /x, stat: directory}\n",
  "broken.ini": "a ansible_host=10.0.0.1\n[web\nb\n",
};

async function writeInventories(): Promise<void> {
  const known = `ansible_ssh_common_args='-o UserKnownHostsFile=${join(stateFolder(id), "known_hosts")}'`;
  const { port } = silent.address() as AddressInfo;
  await runProgram("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file("other-key")]);
  const other = (await readFile(file("other-key.pub"), "utf8")).split(" ").slice(0, 2).join(" ");
  await writeFile(file("changed-hosts"), `${address("a")} ${other}\n`);
  const changed = `ansible_ssh_common_args='-o UserKnownHostsFile=${file("changed-hosts")}'`;
  const all = {
    "known.ini": `a ansible_host=${address("a")} ${known}\n`,
    "unknown.ini": `a ansible_host=${address("a")}\n`,
    "changed.ini": `a ansible_host=${address("a")} ${changed}\n`,
    "both.ini": `a ansible_host=${address("a")}\nb ansible_host=${address("b")}\n[all:vars]\n${known.replaceAll("'", "")}\n`,
    "mixed.ini": [
      `hanging ansible_host=127.0.0.1 ansible_port=${port}`,
      "closed ansible_host=127.0.0.1 ansible_port=1",
      `good ansible_host=${address("a")} ${known}`,
      "",
    ].join("\n"),
  };
  for (const [name, text] of Object.entries(all)) await writeFile(file(name), text);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "provision-access-"));
  await mkdir(file("home"));
  const image = await prepareRehearsal(() => undefined);
  hosts = await startHosts({ id, image, names: ["a", "b"], keep: false, onHost: () => undefined });
  silent = createServer((socket) => void heldOpen.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  for (const [name, text] of Object.entries(playbooks)) await writeFile(file(name), text);
  await writeInventories();
  await onHost(
    "a",
    `for user in asked:secret1 barred:secret2; do
       useradd -m -s /bin/bash "\${user%%:*}"; echo "$user" | chpasswd
       mkdir -p "/home/\${user%%:*}/.ssh"; cp /root/.ssh/authorized_keys "/home/\${user%%:*}/.ssh/"
       chown -R "\${user%%:*}:" "/home/\${user%%:*}/.ssh"
     done
     echo 'asked ALL=(ALL) ALL' > /etc/sudoers.d/asked
     mkdir /small; printf old > /small/kept`,
  );
  await onHost("b", "mkdir /small; mount -t tmpfs -o size=192k tmpfs /small; printf old > /small/kept");
});

afterAll(async () => {
  for (const socket of heldOpen) socket.destroy();
  silent?.close();
  await hosts?.remove();
  await rm(folder, { recursive: true, force: true });
});

describe("who gets in", () => {
  test("root by key", async () => expectRoot(await run(keyed("root"))));
  test("a user whose sudo asks nothing", async () => expectRoot(await run(keyed("ubuntu"))));
  test("a user whose sudo asks for a password that a variable gives", async () => {
    expectRoot(await run(keyed("asked", "-e", "ansible_become_password=secret1")));
  });
  test("a user by password", async () => {
    const passwords = ["ansible_password=secret1", "ansible_become_password=secret1"];
    expectRoot(await run(whoArgs("asked", ...passwords.flatMap((each) => ["-e", each]))));
  });

  test("a user by a key that only the agent has", async () => {
    const socket = file("agent.sock");
    const agent: ChildProcess = spawn("ssh-agent", ["-D", "-a", socket], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      if (agent.stdout) await once(agent.stdout, "data");
      const env = { ...cleanEnv(), SSH_AUTH_SOCK: socket };
      await runProgram("ssh-add", ["-q", key()], { env });
      expectRoot(await run(whoArgs("ubuntu"), env));
    } finally {
      agent.kill();
    }
  });

  test.each<[string, () => string[], TypedAnswer[]]>([
    [
      "sudo's password is typed (-K)",
      () => keyed("asked", "-K"),
      [{ to: "Password of sudo: ", text: "secret1" }],
    ],
    [
      "both passwords are typed (-k -K), Enter standing for the same",
      () => whoArgs("asked", "-k", "-K"),
      [
        { to: "Login password: ", text: "secret1" },
        { to: "login password): ", text: "" },
      ],
    ],
  ])("%s, and is not seen", async (_, args, answers) => {
    const ran = await provisionOnTerminal(["run", ...args(), "--plain"], answers, {
      timeoutMs: runTimeoutMs,
      env: cleanEnv(),
    });
    expectRoot(ran);
    expect(ran.stdout).not.toContain("secret1");
  });

  test("a host whose new key is accepted is known from then on", async () => {
    const env = { ...cleanEnv(), HOME: file("other-home") };
    await mkdir(file("other-home"));
    const args = ["-i", file("unknown.ini"), file("who.yml"), "-u", "root", "--private-key", key()];
    expectRoot(await run([...args, "--accept-new-host-keys"], env));
    expectRoot(await run(args, env));
  });
});

describe("who does not get in is told why, and what to type", () => {
  const at = (inventory: string, ...more: string[]): string[] => [
    ...["-i", file(inventory), file("who.yml"), "-u", "root", "--private-key", key()],
    ...more,
  ];
  test.each<[string, () => string[], number, string[]]>([
    [
      "sudo wants a password",
      () => keyed("asked"),
      2,
      ["[become-failed]", "wants a password", "fix: run again with -K"],
    ],
    [
      "sudo wants another password",
      () => keyed("asked", "-e", "ansible_become_password=wrong"),
      2,
      ["[become-failed]", "sudo refused the password", "-K"],
    ],
    [
      "the user may not use sudo",
      () => keyed("barred", "-e", "ansible_become_password=secret2"),
      2,
      ["[become-failed]", "may not use sudo", "fix: add the login user to the sudo group"],
    ],
    [
      "the key is a wrong one",
      () => whoArgs("root", "--private-key", file("other-key")),
      4,
      ["[auth-failed]", "refused key", "fix: name the user with -u, the key with --private-key"],
    ],
    [
      "the key does not exist",
      () => whoArgs("root", "--private-key", file("no-key")),
      4,
      ["[auth-failed]", 'no-key" does not exist'],
    ],
    [
      "the password is a wrong one",
      () => whoArgs("asked", "-e", "ansible_password=wrong"),
      4,
      ["[auth-failed]", "the host refused password"],
    ],
    [
      "the host's key is not known",
      () => at("unknown.ini"),
      4,
      ["[host-key-unknown]", "SHA256:", "run again with --accept-new-host-keys"],
    ],
    [
      "the host's key has changed",
      () => at("changed.ini"),
      4,
      ["[host-key-changed]", "fix: if you know why, type: ssh-keygen"],
    ],
    [
      "the host's key has changed, even where new ones are accepted",
      () => at("changed.ini", "--accept-new-host-keys"),
      4,
      ["[host-key-changed]"],
    ],
  ])("%s", async (_, args, code, texts) => expectError(await run(args()), code, texts));

  test.each([
    ["a port that is none", "ansible_port=ssh", '[bad-argument]\nCannot reach "a": its port is "ssh"'],
    ["a connection that is none", "ansible_connection=winrm", 'its connection is "winrm"'],
    ["a timeout that is none", "ansible_timeout=soon", 'its ansible_timeout is "soon"'],
    ["an address that nothing defines", "ansible_host={{nowhere}}", '"nowhere" is undefined'],
  ])("%s", async (_, variable, text) => {
    const ran = await run(at("known.ini", "-e", variable));
    const said = ran.stdout.replaceAll(/\n +/g, "\n");
    expectError({ ...ran, stdout: said }, 4, [text]);
  });

  test("a host that hangs and one that is closed do not keep the good one from its work", async () => {
    const started = performance.now();
    const ran = await run(at("mixed.ini", "-T", "3"));
    expect(performance.now() - started).toBeLessThan(hangLimitMs);
    expectError(ran, 4, [
      ...["[connection-timeout]", "there was no answer within 3 s"],
      ...["[connection-refused]", "nothing listens there", "good: it is root"],
    ]);
  });
});

describe("a host whose disk is full", () => {
  test.each([
    ["a file within the message", 100_000],
    ["a file that is streamed", 600_000],
  ])("keeps its old file and nothing half-written: %s; the other host carries on", async (_, bytes) => {
    await onHost("b", "dd if=/dev/zero of=/small/fill bs=1k count=150 2>/dev/null || true");
    await writeFile(file(`${bytes}`), "x".repeat(bytes));
    const login = ["-u", "ubuntu", "--private-key", key()];
    const args = ["-i", file("both.ini"), file("full.yml"), "-e", `size=${bytes}`, ...login];
    const ran = await run([...args, "--json"]);
    expect(ran.code, ran.stdout).toBe(2);
    expect(ran.stdout).toContain("No space left on device");
    expect(changesOf(ran)).toEqual(["a: it goes in"]);
    expect(await onHost("b", "cat /small/kept; ls -A /small | tr '\\n' ' '")).toBe("oldfill kept ");
    expect((await onHost("a", "wc -c < /small/kept; ls -A /small")).trim()).toBe(`${bytes}\nkept`);
  });
});

describe("what cannot be read is told before any host is touched", () => {
  const masters = (...lines: string[]): string => `[mesos_masters]\n${lines.join("\n")}\n[mesos_slaves]\ns\n`;

  test.each<[string, string[], string[]]>([
    ["a broken YAML line", ["known.ini", "yaml.yml"], ["yaml.yml:4:", "[bad-yaml]"]],
    ["a broken INI line", ["broken.ini", "who.yml"], ["broken.ini:2:1", "[bad-inventory]", "[web"]],
    [
      "an unknown module",
      ["known.ini", "module.yml"],
      ["module.yml:3:7", "[unknown-module]", 'fix: write "command"'],
    ],
    [
      "an unknown argument",
      ["known.ini", "argument.yml"],
      ["argument.yml:3:24", "[unknown-argument]", 'fix: write "state" instead of "stat"'],
    ],
    ["no host of that name", ["known.ini", "who.yml", "-l", "nobody"], ["[no-hosts]", '"nobody"']],
    [
      "no such option",
      ["known.ini", "who.yml", "--private-kye", "x"],
      ["[bad-usage]", "fix: write --private-key"],
    ],
  ])("%s", async (_, [inventory = "", playbook = "", ...more], texts) => {
    const ran = await run(["-i", file(inventory), file(playbook), ...more]);
    expectError(ran, 1, texts);
    expect(ran.stdout).toBe("");
  });

  test.each<[string, string[], string[]]>([
    ["a missing zoo_id", ["m1 zoo_id=1", "m2", "m3 zoo_id=3"], ["[bad-zoo-id]", 'host "m2" has no zoo_id']],
    [
      "a repeated zoo_id",
      ["m1 zoo_id=1", "m2 zoo_id=2", "m3 zoo_id=2"],
      ["both have zoo_id 2", '"m3 zoo_id=3"'],
    ],
    [
      "a zoo_id that is no integer",
      ["m1 zoo_id=1", "m2 zoo_id=b", "m3 zoo_id=3"],
      ['has zoo_id "b"', '"m2 zoo_id=2"'],
    ],
    [
      "an even number of masters",
      ["m1 zoo_id=1", "m2 zoo_id=2"],
      ["[even-masters]", "allow_even_masters=true"],
    ],
  ])("%s", async (_, lines, texts) => {
    await writeFile(file("masters.ini"), masters(...lines));
    const ran = await run(["-i", file("masters.ini")]);
    expectError(ran, 1, texts);
    expect(ran.stdout).toBe("");
  });
});

test("a template with an unknown variable names its line, and the old file stays", async () => {
  const before = await onHost("a", "cksum < /small/kept");
  const ran = await run(["-i", file("both.ini"), file("template.yml"), "-u", "root", "--private-key", key()]);
  expectError(ran, 2, ["unknown.hbs:2:9: error[undefined-variable]", '"zk_prot" is undefined']);
  expect(await onHost("a", "cksum < /small/kept; ls -A /small")).toBe(`${before}kept\n`);
});

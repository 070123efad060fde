/**
 * One sample for every error code, for the golden texts in test/golden/errors/. A sample made of files goes through the
 * real loader; one of fields stands for what a host or another machine says, with the fields of the code that throws it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ErrorCode } from "../../src/base/error-codes.ts";
import { type ErrorFields, ProvisionError } from "../../src/base/errors.ts";
import { parseConfig } from "../../src/cli/ansible-config.ts";
import { parseOptions } from "../../src/cli/parse-options.ts";
import { allRunOptions } from "../../src/cli/run-options.ts";
import { loadInventory } from "../../src/provisioning/inventory/load-inventory.ts";
import { matchPattern } from "../../src/provisioning/inventory/match-pattern.ts";
import { catalogue } from "../../src/provisioning/modules/index.ts";
import { loadPlaybook } from "../../src/provisioning/playbook/load-playbook.ts";
import { formatError } from "../../src/provisioning/reporting/format-error.ts";
import { evaluateExpression, renderText } from "../../src/provisioning/vars/render.ts";

type Sample = (dir: string) => unknown;

const empty = { scope: { lookup: () => undefined, names: () => [] }, searchPath: [] };
const place = (file: string, line: number, column: number, sourceLine: string, length = 1) => ({
  file,
  line,
  column,
  length,
  sourceLine,
});

/** The playbook is site.yml of the files. */
const playbook =
  (files: Readonly<Record<string, string>>): Sample =>
  (dir) => {
    put(dir, files);
    loadPlaybook(join(dir, "site.yml"), { catalogue, rolesPath: [] });
  };

function put(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
}

const fields =
  (given: Omit<ErrorFields, "code">, code: ErrorCode): Sample =>
  () => {
    throw new ProvisionError({ code, ...given });
  };

const tasks = (text: string): Readonly<Record<string, string>> => ({
  "site.yml": `- hosts: all\n  tasks:\n${text}`,
});

const real: Partial<Record<ErrorCode, Sample>> = {
  "bad-config": () => parseConfig("[defaults]\nforks 10\n", "ansible.cfg"),
  "bad-expression": () =>
    evaluateExpression("1 + ", place("site.yml", 4, 13, '      when: "1 + "', 4), empty),
  "bad-inventory": async (dir) => {
    put(dir, { "hosts.ini": "[web]\na b c\n" });
    await loadInventory([join(dir, "hosts.ini")]);
  },
  "bad-keyword": playbook(tasks("    - {command: ls, vars: [1]}\n")),
  "bad-play": playbook({ "site.yml": "- tasks: []\n" }),
  "bad-role": playbook({
    "site.yml": "- hosts: all\n  roles: [one]\n",
    "roles/one/meta/main.yml": "dependencies: [one]\n",
  }),
  "bad-task": playbook(tasks("    - {command: ls, shell: ls}\n")),
  "bad-usage": () => parseOptions(allRunOptions, ["--invntory", "x"]),
  "bad-yaml": playbook({ "site.yml": "- hosts: all\n  tasks: [\n" }),
  "missing-file": playbook({ "site.yml": "- import_playbook: other.yml\n" }),
  "no-hosts": async (dir) => {
    put(dir, { "hosts.ini": "[web]\na\nb\n" });
    matchPattern("wbe", await loadInventory([join(dir, "hosts.ini")]), {
      span: place(join(dir, "site.yml"), 1, 10, "- hosts: wbe", 3),
      action: 'choose the hosts of play "web"',
    });
  },
  "undefined-variable": () =>
    renderText("{{ nme }}", place("site.yml", 4, 20, "      debug: {msg: '{{ nme }}'}"), empty),
  "unknown-argument": playbook(
    tasks("    - name: data directory\n      file: {path: /var/lib/zk, stat: directory}\n"),
  ),
  "unknown-keyword": playbook(tasks("    - {command: ls, whne: true}\n")),
  "unknown-module": playbook(tasks("    - {comand: ls}\n")),
  "unknown-role": playbook({
    "site.yml": "- hosts: all\n  roles: [zookeper]\n",
    "roles/zookeeper/tasks/main.yml": "[]\n",
  }),
};

const host = "web1";
const told: Partial<Record<ErrorCode, Omit<ErrorFields, "code">>> = {
  "auth-failed": {
    action: `log in to "${host}" as "deploy"`,
    state: "the host accepts publickey, and refused the key ~/.ssh/id_ed25519",
    why: "one of the user's keys, the agent's keys, or a password must be accepted",
  },
  "bad-answer": {
    action: "read the host's answers",
    state: "the output was cut off",
    why: "a POSIX sh with the usual small tools answers in a fixed form",
  },
  "bad-argument": {
    action: 'read task "data directory"',
    state: 'argument "mode" of "file" wants octal digits, not "rwx"',
    span: place("site.yml", 4, 40, "      file: {path: /var/lib/zk, mode: rwx}", 3),
  },
  "bad-flag": {
    action: 'read flag "weights"',
    state: '"role" is no weight of a role',
    fix: "write it like --weights=role=2,other=0.5",
  },
  "bad-ssh-config": {
    action: `connect to "${host}"`,
    state: '"a b" is no jump host',
    why: "a jump host is written [user@]host[:port]",
  },
  "bad-vault": { action: "open a vault", state: "its text was changed since it was encrypted" },
  "bad-zoo-id": {
    action: "form a ZooKeeper ensemble",
    state: 'zoo_id of "m1" is "one"',
    span: place("cluster.ini", 2, 11, "m1 zoo_id=one", 3),
    why: "each master has a zoo_id of its own, a whole number from 1 to 255",
  },
  "become-failed": { action: `become "root" on "${host}"`, state: "sudo wants a password", fix: "-K" },
  "connection-failed": {
    action: `connect to "${host}"`,
    state: "the server hung up 5 times before it answered",
  },
  "connection-lost": { action: `go on on "${host}"`, state: "the connection ended" },
  "connection-refused": { action: `connect to "${host}"`, state: "nothing listens there" },
  "connection-timeout": { action: `connect to "${host}"`, state: "there was no answer within 10 s" },
  "connection-unresolved": {
    action: `connect to "${host}"`,
    state: `no name server knows "${host}"`,
    fix: "set ansible_host to its address",
  },
  "even-masters": {
    action: "form a ZooKeeper ensemble",
    state: 'group "mesos_masters" has 2 hosts',
    why: "a quorum is more than half: 2 masters survive no more failures than 1",
  },
  "host-key-changed": {
    action: `trust "${host}"`,
    state: "its key has changed: it shows SHA256:new, but ~/.ssh/known_hosts:3 knows SHA256:old",
    why: "the host was installed anew, or somebody else answers in its place",
  },
  "host-key-revoked": {
    action: `trust "${host}"`,
    state: "its key SHA256:x is revoked in ~/.ssh/known_hosts:3",
  },
  "host-key-unknown": {
    action: `trust "${host}"`,
    state: "known_hosts does not list its key SHA256:x",
    fix: "--accept-new-host-keys",
  },
  "host-timeout": {
    action: "learn how the host is",
    state: "it did not answer in time",
    why: "a question about /mnt/slow took too long",
  },
  "incompatible-agent": {
    action: "start the agent under its id",
    state: "Incompatible agent info: it had cpus:4, now it has cpus:2",
    why: "running tasks and outstanding offers count on what the agent had",
  },
  "marker-unwritable": {
    action: "note on the host that a handler is owed",
    state: "mkdir: cannot create directory '/var/lib/provision': No space left on device",
    why: "the note is written before the step that notifies the handler, so that a lost run cannot lose it; nothing was changed",
  },
  "no-docker": {
    action: "start the hosts of the rehearsal",
    state: "no Docker Engine answers here",
    why: "a rehearsal runs its hosts as Docker containers; installing and starting Docker needs root",
  },
  "no-task": {
    action: 'start at task "instal"',
    state: "no task of the plays that were run has this name",
    why: "the name is as --list-tasks shows it; * and ? stand for anything",
    fix: '--start-at-task "install"',
  },
  "no-terminal": {
    action: 'ask "Password of sudo"',
    state: "there is no terminal",
    why: "questions are only put to a person",
    fix: "leave -K out, and give ansible_become_password in a vault file: -e @FILE",
  },
  "output-too-large": {
    action: `read a command's output on "${host}"`,
    state: "it is longer than 64 MiB",
    fix: "send the output to a file on the host",
  },
  "port-in-use": {
    action: "start the master on port 5050",
    state: "another process listens on 0.0.0.0:5050",
  },
  "rehearsal-failed": { action: "provision a second time", state: "zookeeper changed on m1" },
  "transfer-failed": { action: `send /tmp/a to "${host}"`, state: "no space left on the device" },
  "unknown-flag": {
    action: 'start mesos-master with "quorm" from /etc/mesos-master',
    state: "there is no such flag",
  },
  "unknown-handler": {
    action: 'notify "restrat zookeeper"',
    state: "no handler of the play has this name or listens to it",
    span: place("site.yml", 6, 15, "      notify: restrat zookeeper", 17),
    why: "a change whose handler does not run would be lost",
    fix: 'write "restart zookeeper"',
  },
  "unsupported-shell": {
    action: `open a shell on "${host}"`,
    state: "it ended with exit code 1",
    why: "the login must be allowed to run /bin/sh",
  },
  "vault-locked": {
    action: "open a vault",
    state: "no password was given",
    why: "it is encrypted under no id",
    fix: "--vault-password-file FILE",
  },
};

/** The whole text of the sample's error; undefined when nobody gave a sample. */
export async function sampleText(code: ErrorCode): Promise<string | undefined> {
  const given = told[code];
  const sample = real[code] ?? (given === undefined ? undefined : fields(given, code));
  if (sample === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), "provision-errors-"));
  try {
    await sample(dir);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return `${formatError(error, { cwd: dir }).replaceAll(dir, "/here")}\n`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
  throw new Error(`the sample of ${code} raised no error`);
}

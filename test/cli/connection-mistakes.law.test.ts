/** Hosts that cannot be reached: each reason is told with what to type. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort, makeKey, type Sshd, startSshd } from "../provisioning/transport/sshd.ts";
import { tell, type WrittenMistake } from "../support/mistakes.ts";

const folder = mkdtempSync(join(tmpdir(), "provision-connections-"));
const key = join(folder, "key");
const otherKey = join(folder, "other");
let sshd: Sshd;
let closing: Sshd;
let chatting: Sshd;
let closedPort = 0;

beforeAll(async () => {
  const own = makeKey(key);
  makeKey(otherKey);
  closedPort = await freePort();
  sshd = await startSshd([own]);
  closing = await startSshd([own], ["ForceCommand exit 3"]);
  chatting = await startSshd([own], ["ForceCommand echo This account is not available; exit 1"]);
});
afterAll(async () => {
  for (const each of [sshd, closing, chatting]) await each?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Reaching {
  readonly name: string;
  readonly port: () => number;
  readonly host?: string;
  readonly options?: readonly string[];
  /** Lines of known_hosts; default: none, and any key is accepted. */
  readonly known?: () => string;
}

const reachings: readonly Reaching[] = [
  { name: "a key that the host does not know", port: () => sshd.port, options: ["--private-key", otherKey] },
  { name: "no key at all", port: () => sshd.port },
  { name: "a key file that is not there", port: () => sshd.port, options: ["--private-key", "nokey.pem"] },
  {
    name: "a user that the host does not have",
    port: () => sshd.port,
    options: ["-u", "deployer", "--private-key", key],
  },
  { name: "a port where nothing listens", port: () => closedPort },
  { name: "a name that is not resolved", port: () => 22, host: "web1.invalid" },
  {
    name: "a host key that nobody has seen",
    port: () => sshd.port,
    options: ["--private-key", key],
    known: () => "",
  },
  {
    name: "a host key that changed",
    port: () => sshd.port,
    options: ["--private-key", key],
    known: () => `[127.0.0.1]:${sshd.port} ${closing.hostKey.split(" ").slice(0, 2).join(" ")}\n`,
  },
  { name: "a login shell that ends at once", port: () => closing.port, options: ["--private-key", key] },
  { name: "an account that is closed", port: () => chatting.port, options: ["--private-key", key] },
  {
    name: "becoming a user that is not there",
    port: () => sshd.port,
    options: ["--private-key", key, "-b", "--become-user", "nobodyhere"],
  },
];

function written({ name, port, host = "127.0.0.1", options = [], known }: Reaching): WrittenMistake {
  const playbook = "- hosts: all\n  gather_facts: false\n  tasks: [{name: look, command: uptime}]\n";
  const file = join(folder, "known_hosts");
  writeFileSync(file, known?.() ?? "");
  const accept = known === undefined ? ["--accept-new-host-keys"] : [];
  return {
    name,
    argv: [
      "hosts.ini",
      "site.yml",
      "--ssh-common-args",
      `-o UserKnownHostsFile=${file}`,
      ...accept,
      ...options,
    ],
    files: [
      { name: "site.yml", flags: [], text: playbook },
      { name: "hosts.ini", flags: [], text: `web1 ansible_host=${host} ansible_port=${port()}\n` },
    ],
  };
}

test("hosts that cannot be reached say why, and what to type", async () => {
  const texts: string[] = [];
  for (const reaching of reachings) {
    const { code, text } = await tell(written(reaching));
    expect(text, reaching.name).not.toMatch(/error\[defect\]/);
    expect(text, reaching.name).toMatch(/fix:/);
    const constant = text
      .replaceAll(folder, "FOLDER")
      .replaceAll(/SHA256:[\w+/=]+/g, "SHA256:…")
      .replaceAll(/(?<=127\.0\.0\.1[\]:]*:|-p )\d+/g, "PORT");
    texts.push(`=== ${reaching.name} (exit code ${code})\n${constant}`);
  }
  await expect(texts.join("\n")).toMatchFileSnapshot("../golden/connection-mistakes.txt");
});

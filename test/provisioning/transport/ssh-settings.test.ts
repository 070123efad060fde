import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { ConnectionPlan } from "../../../src/provisioning/transport/session.ts";
import { sshSettings } from "../../../src/provisioning/transport/ssh-settings.ts";

const folder = mkdtempSync(join(tmpdir(), "provision-ssh-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

function settingsOf(config: string, plan: Partial<ConnectionPlan> = {}) {
  const file = join(folder, `config-${count++}`);
  writeFileSync(file, config);
  return sshSettings({
    ...{ name: "web1", connection: "ssh", host: "web1", connectTimeoutMs: 10_000, hostKeyChecking: "strict" },
    sshConfigFile: file,
    ...plan,
  });
}

describe("ssh settings", () => {
  test("ssh_config names host, user, port, key and known hosts", async () => {
    const config = `Host web*\n  HostName %h.example.com\n  User deploy\n  Port 2222\n  IdentityFile ~/.ssh/deploy\n  IdentitiesOnly yes\n  UserKnownHostsFile /k/%h\n  ConnectTimeout 3\n  IdentityAgent none\n`;
    expect(await settingsOf(config)).toMatchObject({
      ...{
        host: "web1.example.com",
        user: "deploy",
        port: 2222,
        identitiesOnly: true,
        connectTimeoutMs: 3000,
      },
      identityFiles: [join(homedir(), ".ssh/deploy")],
      knownHostsFiles: ["/k/web1.example.com", "/etc/ssh/ssh_known_hosts"],
    });
  });

  test("the inventory counts before ssh_config", async () => {
    const config = "Host *\n  User a\n  Port 1\n  ProxyJump b\n  IdentityFile /k/a\n";
    const settings = await settingsOf(config, {
      user: "me",
      port: 23,
      proxyJump: "c,d",
      privateKeyFile: "/k/me",
    });
    expect(settings).toMatchObject({
      user: "me",
      port: 23,
      jumps: ["c", "d"],
      identityFiles: ["/k/me", "/k/a"],
    });
  });

  test("without a word of either, ssh's defaults count", async () => {
    const settings = await settingsOf("");
    expect(settings).toMatchObject({
      host: "web1",
      port: 22,
      user: userInfo().username,
      jumps: [],
      hostKeyChecking: "strict",
    });
    expect(settings.knownHostsFiles[0]).toBe(join(homedir(), ".ssh/known_hosts"));
  });

  test.each([
    ["no", "off"],
    ["accept-new", "accept-new"],
    ["yes", "strict"],
    ["ask", "strict"],
  ])("StrictHostKeyChecking %s is %s", async (word, checking) => {
    expect((await settingsOf(`Host *\n  StrictHostKeyChecking ${word}\n`)).hostKeyChecking).toBe(checking);
  });

  test("files are included, and including oneself is refused", async () => {
    writeFileSync(join(folder, "extra"), "Host web1\n  User included\n");
    expect((await settingsOf(`Include ${folder}/extra\n`)).user).toBe("included");
    writeFileSync(join(folder, "loop"), `Include ${folder}/loop\n`);
    await expect(settingsOf(`Include ${folder}/loop\n`)).rejects.toMatchObject({ code: "bad-ssh-config" });
  });

  test("a missing file that was named is said", async () => {
    await expect(settingsOf("", { sshConfigFile: join(folder, "none") })).rejects.toMatchObject({
      code: "bad-ssh-config",
    });
  });
});

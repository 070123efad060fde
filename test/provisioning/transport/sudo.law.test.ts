import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BaseSession } from "../../../src/provisioning/transport/base-session.ts";
import type { Become } from "../../../src/provisioning/transport/session.ts";
import { ask, brief, shellSession, step, streaming } from "./sessions.ts";

/**
 * Real sudo and su with real passwords, changing nothing on this machine: in a mount namespace of their own, copies of
 * passwd, shadow and sudoers lie over the real ones.
 */
const folder = mkdtempSync(join(tmpdir(), "provision-sudo-"));
const canNest = spawnSync("unshare", ["-m", "mount", "--bind", "/etc/passwd", "/etc/passwd"]).status === 0;
const opened: BaseSession[] = [];
beforeAll(() => {
  const hash = String(spawnSync("openssl", ["passwd", "-6", "right horse"]).stdout).trim();
  const users = ["asker", "free", "nobody2", "tty", "pty"];
  const entry = (name: string, i: number): string => `${name}:x:${6000 + i}:6000::/tmp:/bin/sh\n`;
  writeFileSync(join(folder, "passwd"), readFileSync("/etc/passwd", "utf8") + users.map(entry).join(""));
  const shadow = users.map((name) => `${name}:${hash}:19000:0:99999:7:::\n`).join("");
  writeFileSync(join(folder, "shadow"), readFileSync("/etc/shadow", "utf8") + shadow, { mode: 0o640 });
  const rules = [
    "Defaults !use_pty",
    "Defaults:tty requiretty",
    "Defaults:pty use_pty",
    "Defaults timestamp_timeout=0",
  ];
  const grants = [
    "asker ALL=(ALL) ALL",
    "pty ALL=(ALL) ALL",
    "free ALL=(ALL) NOPASSWD: ALL",
    "tty ALL=(ALL) NOPASSWD: ALL",
  ];
  writeFileSync(join(folder, "sudoers"), `${[...rules, "root ALL=(ALL) ALL", ...grants].join("\n")}\n`, {
    mode: 0o440,
  });
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function login(user: string): BaseSession {
  const binds = ["passwd", "shadow", "sudoers"]
    .map((name) => `mount --bind ${folder}/${name} /etc/${name}`)
    .join(" && ");
  const drop = `exec setpriv --reuid=${user} --regid=6000 --clear-groups "$@"`;
  const session = shellSession(["/bin/sh"], ["unshare", "-m", "sh", "-c", `${binds} && ${drop}`, "sh"], user);
  opened.push(session);
  return session;
}
async function idOf(user: string, become: Partial<Become>): Promise<string[]> {
  const shell = await login(user).shell({ user: "root", method: "sudo", ...become });
  return brief(
    await shell.exchange([step("id -un"), ask("echo $HOME; cat"), step("cat", { stdin: Buffer.from("in") })]),
  );
}
const asRoot = ["0:root\n|", "0:/root\n|", "0:in|"];

describe.skipIf(!canNest)("sudo", () => {
  test("without a password, where none is wanted", async () => {
    expect(await idOf("free", {})).toEqual(asRoot);
  });

  test("a password that is given but not asked for is never sent", async () => {
    expect(await idOf("free", { password: "touch /tmp/never" })).toEqual(asRoot);
  });

  test("with the password", async () => {
    expect(await idOf("asker", { password: "right horse" })).toEqual(asRoot);
  });

  test("with the password, in a pty of sudo's own (use_pty)", async () => {
    expect(await idOf("pty", { password: "right horse" })).toEqual(asRoot);
  });

  test("to another user than root", async () => {
    const shell = await login("free").shell({ user: "daemon", method: "sudo" });
    expect(brief(await shell.exchange([step("id -un")]))).toEqual(["0:daemon\n|"]);
  });

  test.each(["asker", "pty"])("a file is sent as the other user, password and all (%s)", async (user) => {
    const session = login(user);
    const become: Become = { user: "root", method: "sudo", password: "right horse" };
    const path = join(folder, `sent-by-${user}`);
    const shell = await session.shell(become);
    const frames = [
      ask(`umask 077; cat >${path}`, streaming(Buffer.alloc(300_000, 65))),
      ask(`stat -c '%U %a %s' ${path}`),
    ];
    expect(brief(await shell.exchange(frames))).toEqual(["0:|", "0:root 600 300000\n|"]);
  });

  test.each([
    ["asker", {}, "sudo wants a password"],
    ["asker", { password: "wrong" }, "sudo refused the password"],
    ["nobody2", { password: "right horse" }, "the login user may not use sudo"],
    ["tty", {}, "sudo there works on terminals only (requiretty)"],
    ["free", { user: "no-such-user" }, 'the host has no user "no-such-user"'],
  ])("%s with %j: %s", async (user, become, state) => {
    await expect(idOf(user, become)).rejects.toMatchObject({ code: "become-failed", state });
  });

  test("a file is sent as whom su makes one", async () => {
    const shell = await login("free").shell({ user: "asker", method: "su", password: "right horse" });
    const bytes = Buffer.from("exit 7\n".repeat(100_000));
    expect(brief(await shell.exchange([ask("id -un; wc -c", streaming(bytes)), ask("echo on")]))).toEqual([
      `0:asker\n${bytes.length}\n|`,
      "0:on\n|",
    ]);
  });

  test("su with the password, and with a wrong one", async () => {
    const become: Become = { user: "asker", method: "su", password: "right horse" };
    const shell = await login("free").shell(become);
    expect(brief(await shell.exchange([step("id -un")]))).toEqual(["0:asker\n|"]);
    const wrong = await login("free").shell({ ...become, password: "wrong" });
    await expect(wrong.exchange([ask(":")])).rejects.toMatchObject({
      code: "become-failed",
      state: "su refused the password",
    });
  });
});

test("a start-up file that begins another shell never makes it act for the user that was asked for", async () => {
  const stray = shellSession(["/bin/sh"], ["sh", "-c", "exec sh", "sh"], "somebody");
  opened.push(stray);
  const shell = await stray.shell({ user: "root", method: "sudo" });
  await expect(shell.exchange([ask("id -un")])).rejects.toMatchObject({
    code: "unsupported-shell",
    fix: expect.stringContaining("[ -t 0 ]"),
  });
  const again = shellSession(["/bin/sh"], ["sh", "-c", "exec sh", "sh"], "somebody");
  opened.push(again);
  const bomb = streaming(Buffer.from(`touch ${folder}/stray\n`.repeat(1000)));
  const other = await again.shell({ user: "root", method: "sudo" });
  await expect(other.exchange([ask(":", bomb)])).rejects.toMatchObject({ code: "unsupported-shell" });
  expect(existsSync(join(folder, "stray"))).toBe(false);
});

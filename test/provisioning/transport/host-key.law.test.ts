import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import type { ConnectionPlan, Session } from "../../../src/provisioning/transport/session.ts";
import { ask, brief } from "./sessions.ts";
import { makeKey, type Sshd, startSshd } from "./sshd.ts";

const folder = mkdtempSync(join(tmpdir(), "provision-host-key-"));
const key = join(folder, "id");
const opened: Session[] = [];
let sshd: Sshd;
let knownHosts = "";
let count = 0;

beforeAll(async () => {
  vi.stubEnv("SSH_AUTH_SOCK", undefined);
  makeKey(join(folder, "other"));
  sshd = await startSshd([makeKey(key)]);
});
beforeEach(() => {
  knownHosts = join(folder, `known-${count++}`);
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await sshd.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function open(more: Partial<ConnectionPlan> = {}): Promise<Session> {
  const session = await openSession({
    ...{ name: "web1", connection: "ssh", host: "127.0.0.1", port: sshd.port, user: "root" },
    ...{ privateKeyFile: key, connectTimeoutMs: 5000, hostKeyChecking: "accept-new" },
    ...{ knownHostsFiles: [knownHosts], sshConfigFile: "/dev/null" },
    ...more,
  });
  opened.push(session);
  return session;
}
async function who(more: Partial<ConnectionPlan> = {}): Promise<string[]> {
  return brief(await (await (await open(more)).shell(null)).exchange([ask("id -un")]));
}
const asRoot = ["0:root\n|"];

test("an unknown key is refused, with the fingerprint and the way out", async () => {
  await expect(open({ hostKeyChecking: "strict" })).rejects.toMatchObject({
    code: "host-key-unknown",
    state: expect.stringContaining("SHA256:"),
    fix: expect.stringContaining("--accept-new-host-keys"),
  });
  expect(existsSync(knownHosts)).toBe(false);
});

test("asked and confirmed, it is remembered; refused, it is not", async () => {
  const asked: string[] = [];
  const confirm = (answer: boolean) => async (question: string) => {
    asked.push(question);
    return answer;
  };
  await expect(open({ hostKeyChecking: "strict", confirmHostKey: confirm(false) })).rejects.toMatchObject({
    code: "host-key-unknown",
  });
  expect(await who({ hostKeyChecking: "strict", confirmHostKey: confirm(true) })).toEqual(asRoot);
  expect(await who({ hostKeyChecking: "strict", confirmHostKey: confirm(false) })).toEqual(asRoot);
  expect(asked).toHaveLength(2);
});

test("accept-new appends one line, however many connect at once, and after a file without a last newline", async () => {
  writeFileSync(knownHosts, "# mine");
  expect(await Promise.all([who(), who(), who()])).toEqual([asRoot, asRoot, asRoot]);
  const [type, data] = sshd.hostKey.split(" ");
  expect(readFileSync(knownHosts, "utf8")).toBe(`# mine\n[127.0.0.1]:${sshd.port} ${type} ${data}\n`);
});

test.each(["strict", "accept-new"] as const)(
  "a changed key is always refused (%s), and never remembered",
  async (hostKeyChecking) => {
    const other = readFileSync(join(folder, "other.pub"), "utf8");
    const text = `[127.0.0.1]:${sshd.port} ${other}`;
    writeFileSync(knownHosts, text);
    await expect(open({ hostKeyChecking, confirmHostKey: async () => true })).rejects.toMatchObject({
      code: "host-key-changed",
      fix: expect.stringContaining("ssh-keygen"),
    });
    expect(readFileSync(knownHosts, "utf8")).toBe(text);
  },
);

test("a revoked key is refused", async () => {
  writeFileSync(knownHosts, `@revoked * ${sshd.hostKey}`);
  await expect(open()).rejects.toMatchObject({ code: "host-key-revoked" });
});

describe("that are not checked", () => {
  const off = (warnings: string[]): Partial<ConnectionPlan> => ({
    hostKeyChecking: "off",
    warn: (message) => warnings.push(message),
  });
  const otherKey = (): string => readFileSync(join(folder, "other.pub"), "utf8");
  const knownAs = (text: string): void => writeFileSync(knownHosts, `# mine\n${text}\n`);

  test.each<readonly [string, () => string]>([
    ["unknown", () => ""],
    ["known", () => `[127.0.0.1]:${sshd.port} ${sshd.hostKey}`],
    [
      "known, beside another",
      () => `[127.0.0.1]:${sshd.port} ${otherKey()}[127.0.0.1]:${sshd.port} ${sshd.hostKey}`,
    ],
  ])("%s: nothing is said", async (_what, text) => {
    knownAs(text());
    const warnings: string[] = [];
    expect(await who(off(warnings))).toEqual(asRoot);
    expect(warnings).toEqual([]);
  });

  test.each<readonly [string, () => string, RegExp]>([
    [
      "changed",
      () => `[127.0.0.1]:${sshd.port} ${otherKey()}`,
      /^web1: its key has changed: it shows SHA256:\S+, but \S+:2 knows SHA256:.* ssh-keygen -f \S+ -R '\[127/,
    ],
    ["revoked", () => `@revoked * ${sshd.hostKey}`, /^web1: its key SHA256:\S+ is revoked in \S+:2; /],
  ])("%s: a key logs in, with a warning, and the file stays as it is", async (_what, text, said) => {
    knownAs(text());
    const before = readFileSync(knownHosts, "utf8");
    const warnings: string[] = [];
    expect(await who(off(warnings))).toEqual(asRoot);
    expect(warnings).toEqual([expect.stringMatching(said)]);
    expect(readFileSync(knownHosts, "utf8")).toBe(before);
  });

  test("changed: no password is sent, neither to log in nor to become another user", async () => {
    const own = await startSshd([readFileSync(`${key}.pub`, "utf8")]);
    const withPassword = { ...off([]), port: own.port, password: "x" };
    const login = { ...withPassword, privateKeyFile: join(folder, "other") };
    const heard = (): number => own.log().match(/password for root/g)?.length ?? 0;
    try {
      await expect(open(login)).rejects.toMatchObject({ code: "auth-failed" });
      const whenUnknown = heard();
      expect(whenUnknown).toBeGreaterThan(0);
      knownAs(`[127.0.0.1]:${own.port} ${otherKey()}`);
      await expect(open(login)).rejects.toMatchObject({
        code: "auth-failed",
        state: expect.stringMatching(/refused key ".*other"; not tried: the password, for the host's key/),
      });
      expect(heard()).toBe(whenUnknown);
      const session = await open(withPassword);
      const become = { method: "sudo", user: "nobody" } as const;
      const shell = await session.shell({ ...become, password: "secret" });
      await expect(shell.exchange([ask("id -un")])).rejects.toMatchObject({
        code: "host-key-changed",
        action: 'send the password of become to "web1"',
      });
    } finally {
      for (const session of opened.splice(0)) await session.close();
      await own.stop();
    }
  });
});

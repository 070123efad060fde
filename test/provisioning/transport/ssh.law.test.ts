import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import type { ConnectionPlan, Session } from "../../../src/provisioning/transport/session.ts";
import { ask, brief, step, streaming } from "./sessions.ts";
import { freePort, makeKey, type Sshd, startSshd } from "./sshd.ts";

const folder = mkdtempSync(join(tmpdir(), "provision-ssh-"));
const key = join(folder, "id");
const opened: Session[] = [];
const servers: Server[] = [];
let sshd: Sshd;
let knownHosts = "";
let count = 0;
const agentSocket = process.env.SSH_AUTH_SOCK;

beforeAll(async () => {
  delete process.env.SSH_AUTH_SOCK;
  const keys = [makeKey(key), makeKey(join(folder, "locked"), "ed25519", "pass phrase")];
  makeKey(join(folder, "other"));
  sshd = await startSshd(keys);
});
beforeEach(() => {
  knownHosts = join(folder, `known-${count++}`);
});
afterEach(async () => {
  for (const session of opened.splice(0)) await session.close();
  for (const server of servers.splice(0)) server.close();
});
afterAll(async () => {
  if (agentSocket !== undefined) process.env.SSH_AUTH_SOCK = agentSocket;
  await sshd.stop();
  rmSync(folder, { recursive: true, force: true });
});

const plan = (more: Partial<ConnectionPlan> = {}): ConnectionPlan => ({
  ...{ name: "web1", connection: "ssh", host: "127.0.0.1", port: sshd.port, user: "root" },
  ...{ privateKeyFile: key, connectTimeoutMs: 5000, hostKeyChecking: "accept-new" },
  ...{ knownHostsFiles: [knownHosts], sshConfigFile: "/dev/null" },
  ...more,
});
async function open(more: Partial<ConnectionPlan> = {}, signal?: AbortSignal): Promise<Session> {
  const session = await openSession(plan(more), signal);
  opened.push(session);
  return session;
}
async function who(more: Partial<ConnectionPlan> = {}): Promise<string[]> {
  return brief(await (await (await open(more)).shell(null)).exchange([ask("id -un")]));
}
const asRoot = ["0:root\n|"];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

describe("logging in", () => {
  test.each([
    ["rsa", []],
    ["ecdsa", []],
    ["rsa", ["PubkeyAcceptedAlgorithms rsa-sha2-256"]],
    ["ed25519", ["MaxAuthTries 1"]],
  ])("a key of kind %s does where sshd has %j", async (type, options) => {
    const file = join(folder, `key-${count}-${type}`);
    const other = await startSshd([makeKey(file, type)], options);
    try {
      expect(await who({ port: other.port, privateKeyFile: file })).toEqual(asRoot);
    } finally {
      for (const session of opened.splice(0)) await session.close();
      await other.stop();
    }
  });

  test("the wrong key is refused, and named", async () => {
    await expect(open({ privateKeyFile: join(folder, "other"), password: "x" })).rejects.toMatchObject({
      code: "auth-failed",
      state: expect.stringMatching(/^the host refused key ".*other", password/),
    });
  });

  test("a missing key is named", async () => {
    await expect(open({ privateKeyFile: join(folder, "none") })).rejects.toMatchObject({
      code: "auth-failed",
      state: expect.stringMatching(/nothing|no key.*not tried: key ".*none" does not exist/),
    });
  });

  test("a locked key needs its passphrase, which is asked once for all hosts", async () => {
    const locked = join(folder, "locked");
    let asked = 0;
    const askSecret = async (): Promise<string> => {
      asked += 1;
      return "pass phrase";
    };
    expect(
      await Promise.all([
        who({ privateKeyFile: locked, askSecret }),
        who({ privateKeyFile: locked, askSecret }),
      ]),
    ).toEqual([asRoot, asRoot]);
    expect(asked).toBe(1);
  });
});

describe("connecting", () => {
  test("nothing listening is said so", async () => {
    await expect(open({ port: await freePort() })).rejects.toMatchObject({ code: "connection-refused" });
  });

  test("a name that no server knows is said so", async () => {
    await expect(open({ host: "no-such-host.invalid" })).rejects.toMatchObject({
      code: "connection-unresolved",
    });
  });

  test("a host that accepts and says nothing times out", async () => {
    const port = await listen(createServer(() => undefined));
    await expect(open({ port, connectTimeoutMs: 300 })).rejects.toMatchObject({ code: "connection-timeout" });
  });

  test("a human who thinks about a host key is not a timeout", async () => {
    const confirmHostKey = async (): Promise<boolean> => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      return true;
    };
    expect(await who({ hostKeyChecking: "strict", connectTimeoutMs: 500, confirmHostKey })).toEqual(asRoot);
  });

  test("an interrupted connect ends at once", async () => {
    const port = await listen(createServer(() => undefined));
    const started = performance.now();
    await expect(open({ port }, AbortSignal.timeout(100))).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test("an interrupt after connecting leaves the connection, by which running commands are ended", async () => {
    const stop = new AbortController();
    const session = await open({}, stop.signal);
    const begun = join(folder, "begun");
    const ending = (await session.shell(null)).exchange([step(`echo $$ >${begun}; sleep 60`)]);
    await vi.waitFor(() => expect(existsSync(begun)).toBe(true), { timeout: 5_000 });
    stop.abort();
    session.interrupt();
    expect((await ending)[0]).toMatchObject({ timedOut: true });
    await session.close();
    const pid = Number(readFileSync(begun, "utf8"));
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  test("a server that is not ssh is said so", async () => {
    const port = await listen(createServer((socket) => socket.end("HTTP/1.0 400 Bad Request\r\n\r\n")));
    await expect(open({ port })).rejects.toMatchObject({ code: "connection-failed" });
  });

  test("two jump hosts, one after the other, carry a session", async () => {
    const jump = `root@127.0.0.1:${sshd.port}`;
    const behind = { proxyJump: `${jump},${jump}` };
    expect(await Promise.all([who(behind), who(behind)])).toEqual([asRoot, asRoot]);
    for (const session of opened.splice(0)) await session.close();
    expect(await who(behind)).toEqual(asRoot);
  });

  test("MaxStartups never fails a crowd", async () => {
    const strict = await startSshd([readFileSync(`${key}.pub`, "utf8")], ["MaxStartups 4:100:4"]);
    try {
      const started = performance.now();
      const answers = await Promise.all(
        Array.from({ length: 40 }, () => who({ port: strict.port, connectTimeoutMs: 30_000 })),
      );
      expect(answers).toEqual(answers.map(() => asRoot));
      console.info(`40 sessions through MaxStartups 4: ${Math.round(performance.now() - started)} ms`);
    } finally {
      for (const session of opened.splice(0)) await session.close();
      await strict.stop();
    }
  });
});

describe("a session", () => {
  test("a login shell that talks on both streams is understood", async () => {
    const noisy = await startSshd(
      [readFileSync(`${key}.pub`, "utf8")],
      ['ForceCommand echo hello; echo motd >&2; printf tail; eval "$SSH_ORIGINAL_COMMAND"'],
    );
    try {
      expect(await who({ port: noisy.port })).toEqual(asRoot);
    } finally {
      for (const session of opened.splice(0)) await session.close();
      await noisy.stop();
    }
  });

  test("a connection that dies in the middle rejects what waits, with connection-lost", async () => {
    const shell = await (await open()).shell(null);
    await shell.exchange([ask(":")]);
    const pending = shell.exchange([ask("echo a"), step("p=$PPID; kill -9 $p; sleep 5"), ask("echo b")]);
    await expect(pending).rejects.toMatchObject({ code: "connection-lost" });
    await expect(shell.exchange([ask(":")])).rejects.toMatchObject({ code: "connection-lost" });
  });

  test("a process that has nothing left but a lost connection goes on, and closes it at once", async () => {
    await who();
    const script = `
      import { openSession } from "./src/provisioning/transport/open-session.ts";
      const session = await openSession(${JSON.stringify(plan())});
      const shell = await session.shell(null);
      await shell.exchange([{ kind: "ask", script: "kill -9 $PPID", timeoutMs: 5000 }]).catch((error) => console.log(error.code));
      const startedAt = performance.now();
      await session.close();
      console.log(performance.now() - startedAt < 500 ? "closed" : "late");
    `;
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ["--input-type=module-typescript", "-e", script]);
    expect(stdout).toBe("connection-lost\nclosed\n");
  });

  test("where sshd allows one session a connection, a further shell gets a connection of its own", async () => {
    const narrow = await startSshd([readFileSync(`${key}.pub`, "utf8")], ["MaxSessions 1"]);
    try {
      const session = await open({ port: narrow.port });
      const shell = await session.shell(null);
      const target = join(folder, "narrow");
      expect(brief(await shell.exchange([ask("echo one")]))).toEqual(["0:one\n|"]);
      await shell.exchange([ask(`cat >${target}`, streaming(Buffer.from("content")))]);
      expect(readFileSync(target, "utf8")).toBe("content");
      const other = await session.shell({ user: "nobody", method: "su" });
      expect(brief(await other.exchange([ask("id -un")]))).toEqual(["0:nobody\n|"]);
      expect(brief(await shell.exchange([ask("echo two")]))).toEqual(["0:two\n|"]);
    } finally {
      for (const session of opened.splice(0)) await session.close();
      await narrow.stop();
    }
  });

  test("a child left behind does not disturb the next frames", async () => {
    const shell = await (await open()).shell(null);
    const held = join(folder, "held");
    writeFileSync(held, "");
    const behind = `(while [ -e ${held} ]; do sleep 0.1; done; echo late) & echo now`;
    expect(brief(await shell.exchange([step(behind), ask("echo next")]))).toEqual(["0:now\n|", "0:next\n|"]);
    rmSync(held);
  });

  test("a hanging frame ends at its time, and the next goes on", async () => {
    const shell = await (await open()).shell(null);
    expect(
      brief(await shell.exchange([step("echo a; sleep 60", { timeoutMs: 300 }), ask("echo b")])),
    ).toEqual(["T:a\n", "0:b\n|"]);
  });

  test("a megabyte of any bytes in, and on both streams out", async () => {
    const all = Buffer.concat(Array<Buffer>(4096).fill(Buffer.from([...Array(256).keys()])));
    const [result] = await (await (await open()).shell(null)).exchange([
      step("tee /dev/stderr", { stdin: all }),
    ]);
    expect([
      Buffer.from(result?.stdout ?? []).equals(all),
      Buffer.from(result?.stderr ?? []).equals(all),
    ]).toEqual([true, true]);
  });

  test("files go up and down", async () => {
    const session = await open();
    const bytes = Buffer.alloc(5_000_000, "abc");
    const shell = await session.shell(null);
    expect(
      brief(await shell.exchange([ask(`cat >${folder}/up`, streaming(bytes)), ask("echo next")])),
    ).toEqual(["0:|", "0:next\n|"]);
    await session.download(join(folder, "up"), join(folder, "down"), { maxBytes: bytes.length });
    expect(readFileSync(join(folder, "down")).equals(bytes)).toBe(true);
  });

  test("tcp and http go through the host, redirects and limits included", async () => {
    const port = await listen(
      createHttpServer((request, response) => {
        if (request.url === "/from") response.writeHead(302, { location: "/to" }).end();
        else response.writeHead(200, { "x-method": request.method }).end("x".repeat(100));
      }),
    );
    const session = await open();
    expect(await session.tcp({ host: "127.0.0.1", port, timeoutMs: 1000 })).toEqual({ open: true });
    expect(await session.tcp({ host: "127.0.0.1", port: await freePort(), timeoutMs: 1000 })).toMatchObject({
      open: false,
    });
    const request = { url: `http://127.0.0.1:${port}/from`, method: "GET", headers: {}, timeoutMs: 2000 };
    const safe = { ...request, followRedirects: "safe", validateCerts: true, maxBodyBytes: 100 } as const;
    expect(await session.http(safe)).toMatchObject({ status: 200, url: `http://127.0.0.1:${port}/to` });
    expect(await session.http({ ...safe, followRedirects: "none" })).toMatchObject({ status: 302 });
    expect(await session.http({ ...safe, maxBodyBytes: 99 })).toMatchObject({
      status: -1,
      failure: expect.stringContaining("longer"),
    });
    expect(await session.http({ ...safe, url: "ftp://x/" })).toMatchObject({ status: -1 });
  });

  test("a shell of another user opens while the first one is used", async () => {
    const session = await open();
    const other = session.shell({ user: "daemon", method: "sudo" });
    expect(brief(await (await session.shell(null)).exchange([ask("id -un")]))).toEqual(asRoot);
    expect(brief(await (await other).exchange([ask("id -un")]))).toEqual(["0:daemon\n|"]);
  });

  test("where forwarding is forbidden, tcp says so", async () => {
    const closed = await startSshd([readFileSync(`${key}.pub`, "utf8")], ["AllowTcpForwarding no"]);
    try {
      const session = await open({ port: closed.port });
      expect(await session.tcp({ host: "127.0.0.1", port: closed.port, timeoutMs: 1000 })).toEqual({
        open: false,
        failure: "the host's sshd forbids TCP forwarding",
      });
    } finally {
      for (const session of opened.splice(0)) await session.close();
      await closed.stop();
    }
  });

  test("what it costs", async () => {
    const started = performance.now();
    const session = await open();
    const connected = performance.now();
    const shell = await session.shell(null);
    await shell.exchange([ask(":")]);
    const first = performance.now();
    for (let i = 0; i < 50; i++) await shell.exchange([ask(":")]);
    const asked = performance.now();
    for (let i = 0; i < 50; i++) await shell.exchange([step(":")]);
    const done = performance.now();
    console.info(
      `ssh: connect ${(connected - started).toFixed(0)} ms, shell and first message ${(first - connected).toFixed(0)} ms, ask ${((asked - first) / 50).toFixed(2)} ms, step ${((done - asked) / 50).toFixed(2)} ms`,
    );
  });
});

import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { HaproxyOptions } from "../../../src/scheduler/discovery/haproxy-view.ts";
import { renderHaproxy } from "../../../src/scheduler/discovery/render-haproxy.ts";
import type { ServedApp, ServedInstance } from "../../../src/scheduler/discovery/served-app.ts";
import { requestBytes } from "../../../src/scheduler/http/http-client.ts";
import { createServer as createHttpServer } from "../../../src/scheduler/http/http-server.ts";
import { textResponse } from "../../../src/scheduler/http/response.ts";
import { checkHaproxy, startHaproxy, type TestHaproxy, whyNoHaproxy } from "../../support/haproxy.ts";
import { haproxyCases, renderCase } from "../../support/haproxy-cases.ts";
import { freePorts } from "../../support/zookeeper.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "provision-haproxy-"));
  cleanups.push(() => rm(made, { recursive: true }));
  return made;
}

/** An instance that answers with its name. */
async function instance(name: string): Promise<ServedInstance & { stop(): Promise<void> }> {
  const server = createHttpServer({
    limits: { closeGraceMs: 20 },
    routes: [{ method: "GET", path: "/", handle: () => textResponse(200, name) }],
  });
  const { port } = await server.listen(0, "127.0.0.1");
  cleanups.push(() => server.close());
  return { id: name, host: "127.0.0.1", ports: [port], isHealthy: true, stop: () => server.close() };
}

const stuckServer = `
  const server = require("node:net").createServer();
  server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => console.log(server.address().port));
`;

/** Takes no connection: it is stopped and its queue is full, as on a machine that is stuck. */
async function stuckInstance(name: string): Promise<ServedInstance> {
  const child = spawn(process.execPath, ["-e", stuckServer], { stdio: ["ignore", "pipe", "inherit"] });
  cleanups.push(async () => void child.kill("SIGKILL"));
  const port = await new Promise<number>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(Number(chunk.toString())));
  });
  child.kill("SIGSTOP");
  const fillers = Array.from({ length: 8 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  cleanups.push(async () => {
    for (const socket of fillers) socket.destroy();
  });
  await pause(100);
  return { id: name, host: "127.0.0.1", ports: [port], isHealthy: true };
}

/** Takes a request and dies before it answers. */
async function dyingInstance(name: string): Promise<ServedInstance> {
  const server = createServer((socket) => void socket.once("data", () => socket.destroy()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(async () => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { id: name, host: "127.0.0.1", ports: [port], isHealthy: true };
}

const app = (instances: readonly ServedInstance[], servicePort: number, id = "/www"): ServedApp => ({
  id,
  labels: {},
  ports: [{ servicePort, protocol: "tcp", healthPath: undefined }],
  hasHealthChecks: false,
  instances,
});

interface Running {
  readonly proxy: TestHaproxy;
  readonly front: number;
  readonly service: number;
  readonly render: (instances: readonly ServedInstance[]) => Promise<void>;
}

async function run(instances: readonly ServedInstance[], more: HaproxyOptions = {}): Promise<Running> {
  const dir = await folder();
  const [front = 0, service = 0, appIdPort = 0] = await freePorts(3);
  const config = join(dir, "haproxy.cfg");
  const render = async (served: readonly ServedInstance[]): Promise<void> => {
    const options = {
      frontPort: front,
      appIdPort,
      runAs: null,
      adminSocket: join(dir, "admin.sock"),
      taskPorts: [],
    };
    await writeFile(config, renderHaproxy([app(served, service)], { ...options, ...more }).text);
  };
  await render(instances);
  const proxy = startHaproxy(config);
  cleanups.push(() => proxy.stop());
  await reachable(`http://127.0.0.1:${service}/`);
  return { proxy, front, service, render };
}

async function reachable(url: string): Promise<void> {
  for (let left = 200; left > 0; left--) {
    const answer = await requestBytes({ url, timeoutMs: 5_000 }).catch(() => undefined);
    if (answer?.status === 200) return;
    await pause(20);
  }
  throw new Error(`${url} does not answer`);
}

const ask = async (port: number, host = "www.example.com"): Promise<string> => {
  const headers = { Host: host, Connection: "close" };
  const { status, bytes } = await requestBytes({
    url: `http://127.0.0.1:${port}/`,
    headers,
    timeoutMs: 15_000,
  });
  return status === 200 ? bytes.toString() : `status ${status}`;
};

describe.skipIf(whyNoHaproxy !== undefined)("a real HAProxy", () => {
  test.each(haproxyCases)("takes the configuration of the case $name", async (each) => {
    const dir = await folder();
    const certificate = join(dir, "site.pem");
    const arguments_ = [
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "1",
      "-subj",
      "/CN=example.com",
    ];
    execFileSync("openssl", [...arguments_, "-keyout", `${certificate}.key`, "-out", certificate], {
      stdio: "ignore",
    });
    await writeFile(certificate, `${await readFile(certificate)}${await readFile(`${certificate}.key`)}`);
    const { text } = renderCase(each);
    await writeFile(join(dir, "haproxy.cfg"), text.replace("CERTIFICATE", certificate));
    expect(await checkHaproxy(join(dir, "haproxy.cfg"))).not.toContain("[ALERT]");
  });

  test("the exact first label leads to the app, and nothing else does", async () => {
    const { front } = await run([await instance("a")]);
    for (const host of ["www.example.com", "www", "WWW.other.org:8080"])
      expect(await ask(front, host)).toBe("a");
    for (const host of ["wwwshop.example.com", "shop.www.com", "example.com", "ww"]) {
      expect(await ask(front, host)).toBe("status 503");
    }
  });

  test("requests are spread over the instances", async () => {
    const { front } = await run([await instance("a"), await instance("b")]);
    const answers = new Set<string>();
    for (let left = 40; left > 0; left--) answers.add(await ask(front));
    expect([...answers].sort()).toEqual(["a", "b"]);
  });

  test("a server that refuses is taken out by the request that saw it, which another answers", async () => {
    const gone = await instance("gone");
    const { front, service } = await run([await instance("a"), gone]);
    await gone.stop();
    for (let left = 20; left > 0; left--) {
      expect(await ask(front)).toBe("a");
      expect(await ask(service)).toBe("a");
    }
  });

  test("a server that does not take the connection is left for another, once", async () => {
    const { front } = await run([await instance("a"), await stuckInstance("stuck")], {
      connectTimeoutMs: 300,
    });
    const times: number[] = [];
    for (let left = 10; left > 0; left--) {
      const startedAt = performance.now();
      expect(await ask(front)).toBe("a");
      times.push(performance.now() - startedAt);
    }
    expect(times.filter((ms) => ms > 250).length).toBeLessThanOrEqual(1);
  });

  test("a read whose server dies on it is asked of another; a write is not", async () => {
    const { front } = await run([await instance("a"), await dyingInstance("dying")]);
    const posted: number[] = [];
    for (let left = 10; left > 0; left--) {
      expect(await ask(front)).toBe("a");
      const options = { headers: { Host: "www", Connection: "close" }, body: "x" };
      posted.push((await requestBytes({ url: `http://127.0.0.1:${front}/`, ...options })).status);
    }
    expect(posted).toContain(502);
  });

  test("a reload loses no request", async () => {
    const [a, b] = [await instance("a"), await instance("b")];
    const { proxy, front, service, render } = await run([a]);
    const answers: string[] = [];
    let isOn = true;
    const asking = [front, service].map(async (port) => {
      while (isOn) answers.push(await ask(port).catch((error: unknown) => String(error)));
    });
    for (const instances of [[a, b], [b], [a], [a, b]]) {
      await render(instances);
      execFileSync(proxy.reloadCommand[0] ?? "", proxy.reloadCommand.slice(1));
      await pause(300);
    }
    isOn = false;
    await Promise.all(asking);
    expect([...new Set(answers)].sort()).toEqual(["a", "b"]);
    expect(answers.length).toBeGreaterThan(100);
  });
});

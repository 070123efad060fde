import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningStandalone, runStandalone } from "../../../src/cluster/standalone/standalone.ts";

const folder = mkdtempSync(join(tmpdir(), "standalone-"));
let files: Server;
let cluster: RunningStandalone;

/** Answers with its process id, so that a restart would be seen. */
const program = `#!/bin/sh
exec node -e 'require("http").createServer((q, r) => r.end(process.pid + " " + process.env.SECRET)).listen(process.argv[1], "127.0.0.1")' "$2"
`;

function archive(): Buffer {
  const source = join(folder, "source");
  mkdirSync(source);
  writeFileSync(join(source, "serve"), program, { mode: 0o755 });
  execFileSync("tar", ["-czf", join(folder, "serve.tar.gz"), "-C", source, "serve"]);
  return readFileSync(join(folder, "serve.tar.gz"));
}

const start = (): Promise<RunningStandalone> =>
  runStandalone({
    workDir: join(folder, "work"),
    ports: { master: 0, agent: 0, marathon: 0 },
    resources: "cpus:4;mem:1024;disk:1024;ports:[41000-41100]",
    log: () => undefined,
  });

beforeAll(async () => {
  const bytes = archive();
  files = createServer((_request, response) => response.end(bytes)).listen(0, "127.0.0.1");
  cluster = await start();
});

afterAll(async () => {
  await cluster.stop({ keepTasks: false });
  files.close();
  rmSync(folder, { recursive: true, force: true });
});

const api = async (path: string, init: RequestInit = {}): Promise<unknown> =>
  await (await fetch(`${cluster.marathon.url}${path}`, init)).json();

async function eventually<T>(look: () => Promise<T | undefined>, limitMs = 20_000): Promise<T> {
  const until = Date.now() + limitMs;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error("it did not come true in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What each running instance answers, by its address; undefined until there are just so many. */
async function answers(count: number): Promise<Record<string, string> | undefined> {
  const response = await fetch(`${cluster.marathon.url}/v2/tasks`, { headers: { Accept: "text/plain" } });
  const places = (await response.text()).trim().split("\t").slice(2);
  if (places.filter((place) => place !== "").length !== count) return undefined;
  const texts = await Promise.all(
    places.map(async (place) => [place, await (await fetch(`http://${place}/`)).text()] as const),
  );
  return Object.fromEntries(texts);
}

describe("a standalone cluster", () => {
  let before: Record<string, string> = {};

  test("fetches, unpacks and runs the app with its environment", async () => {
    const { port } = files.address() as AddressInfo;
    const created = await fetch(`${cluster.marathon.url}/v2/apps`, {
      method: "POST",
      body: JSON.stringify({
        id: "play",
        cmd: "exec ./serve --port $PORT",
        uris: [`http://127.0.0.1:${port}/serve.tar.gz`],
        env: { SECRET: "x" },
        mem: 32,
        cpus: 0.1,
        instances: 1,
        constraints: [["hostname", "UNIQUE"]],
      }),
    });
    expect(created.status).toBe(201);
    const [answer] = Object.values(await eventually(() => answers(1)));
    expect(answer).toMatch(/^\d+ x$/);
  });

  test("holds to UNIQUE, and scales once it is lifted", async () => {
    await eventually(async () => (((await api("/v2/deployments")) as []).length === 0 ? true : undefined));
    await api("/v2/apps/play", { method: "PATCH", body: JSON.stringify({ instances: 3 }) });
    await eventually(async () => {
      const { queue } = (await api("/v2/queue")) as { queue: { count: number }[] };
      return queue[0]?.count === 2 ? true : undefined;
    });
    await api("/v2/apps/play?force=true", { method: "PATCH", body: JSON.stringify({ constraints: [] }) });
    before = await eventually(() => answers(3));
    await eventually(async () => (((await api("/v2/deployments")) as []).length === 0 ? true : undefined));
    before = await eventually(() => answers(3));
  });

  test("restarted, it finds its tasks running and starts none again", async () => {
    await cluster.stop({ keepTasks: true });
    cluster = await start();
    expect(await eventually(() => answers(3))).toEqual(before);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await answers(3)).toEqual(before);
    const { app } = (await api("/v2/apps/play")) as { app: { tasksRunning: number; tasksStaged: number } };
    expect(app).toMatchObject({ tasksRunning: 3, tasksStaged: 0 });
  });

  test("deletes the app and ends its tasks", async () => {
    await api("/v2/apps/play", { method: "DELETE" });
    await eventually(async () => {
      const { tasks } = (await api("/v2/tasks")) as { tasks: [] };
      return tasks.length === 0 ? true : undefined;
    });
    for (const place of Object.keys(before)) await expect(fetch(`http://${place}/`)).rejects.toThrow();
    expect(await api("/v2/apps")).toEqual({ apps: [] });
  });

  test("tells of a port that is taken", async () => {
    const { port } = cluster.marathon;
    const other = runStandalone({
      workDir: join(folder, "other"),
      ports: { master: port, agent: 0, marathon: 0 },
      log: () => undefined,
    });
    await expect(other).rejects.toMatchObject({ code: "port-in-use" });
  });
});

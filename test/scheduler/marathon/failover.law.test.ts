import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startZooKeeper, whyNoZooKeeper, type ZooKeeperEnsemble } from "../../support/zookeeper.ts";

const entry = join(import.meta.dirname, "../../../src/cluster/runtime/daemon-main.ts");
const folder = mkdtempSync(join(tmpdir(), "failover-"));

interface Daemon {
  readonly url: string;
  readonly process: ChildProcess;
  output: string;
}
let zookeeper: ZooKeeperEnsemble;
const daemons: Daemon[] = [];
let masters: Daemon[] = [];
let marathons: Daemon[] = [];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function launch(name: string, flags: (port: number) => readonly string[]): Promise<Daemon> {
  const port = await freePort();
  const child = spawn(process.execPath, [entry, name, ...flags(port)], { stdio: ["ignore", "pipe", "pipe"] });
  const daemon: Daemon = { url: `http://127.0.0.1:${port}`, process: child, output: "" };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (bytes: Buffer) => {
      daemon.output += bytes.toString();
    });
  }
  daemons.push(daemon);
  return daemon;
}

const zk = (path: string): string => `zk://${zookeeper.connectString}/${path}`;
const startMaster = (index: number) =>
  launch("mesos-master", (port) => [
    `--zk=${zk("mesos")}`,
    "--quorum=1",
    "--ip=127.0.0.1",
    "--hostname=127.0.0.1",
    `--port=${port}`,
    `--work_dir=${join(folder, `master${index}`)}`,
  ]);
const startMarathon = () =>
  launch("marathon", (port) => [
    `--master=${zk("mesos")}`,
    `--zk=${zk("marathon")}`,
    "--hostname=127.0.0.1",
    `--http_port=${port}`,
  ]);

beforeAll(async () => {
  if (whyNoZooKeeper !== undefined) return;
  zookeeper = await startZooKeeper({ size: 1, tickMs: 2_000 });
  masters = [await startMaster(1), await startMaster(2)];
  await launch("mesos-slave", (port) => [
    `--master=${zk("mesos")}`,
    "--ip=127.0.0.1",
    "--hostname=127.0.0.1",
    `--port=${port}`,
    `--work_dir=${join(folder, "agent")}`,
    "--resources=cpus:4;mem:1024;disk:1024;ports:[42000-42100]",
    "--containerizers=mesos",
    "--no-switch_user",
  ]);
  marathons = [await startMarathon(), await startMarathon()];
});

afterAll(async () => {
  const alive = marathons.find(isAlive);
  if (alive !== undefined) {
    // Tasks outlive their agent: what a failed test left running is ended through Marathon.
    await call(alive, "/v2/groups?force=true", { method: "DELETE" }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  for (const { process: child } of daemons) child.kill("SIGKILL");
  await zookeeper?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const isAlive = ({ process: child }: Daemon): boolean => child.exitCode === null && child.signalCode === null;

const serving = (): Daemon => {
  const found = marathons.find(isAlive);
  if (found === undefined) throw new Error("no Marathon is running");
  return found;
};

async function call(daemon: Daemon, path: string, init: RequestInit = {}): Promise<unknown> {
  const response = await fetch(daemon.url + path, { signal: AbortSignal.timeout(5_000), ...init });
  const text = await response.text();
  return text === "" ? undefined : JSON.parse(text);
}

async function eventually<T>(what: string, look: () => Promise<T | undefined>, limitMs = 40_000): Promise<T> {
  const until = Date.now() + limitMs;
  for (;;) {
    const found = await look().catch(() => undefined);
    if (found !== undefined) return found;
    if (Date.now() > until) {
      throw new Error(`${what}: not in time\n${daemons.map(({ output }) => output).join("\n---\n")}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Process ids of the app's instances, as they answer. */
async function processes(count: number): Promise<readonly string[] | undefined> {
  const response = await fetch(`${serving().url}/v2/tasks`, { headers: { Accept: "text/plain" } });
  const places = (await response.text())
    .trim()
    .split("\t")
    .slice(2)
    .filter((place) => place !== "");
  if (places.length !== count) return undefined;
  const texts = await Promise.all(
    places.map(async (place) => await (await fetch(`http://${place}/`)).text()),
  );
  return texts.toSorted();
}

const leaderOf = async (daemon: Daemon): Promise<string | undefined> =>
  ((await call(daemon, "/v2/leader")) as { leader?: string }).leader;

const server = `exec node -e 'require("http").createServer((q, r) => r.end(String(process.pid))).listen(process.env.PORT, "127.0.0.1")'`;

describe.skipIf(whyNoZooKeeper !== undefined)("two Marathons, two masters and an agent on ZooKeeper", () => {
  let before: readonly string[] = [];

  test("the one that does not lead passes requests on", async () => {
    const leader = await eventually("a leader", () => leaderOf(marathons[0] as Daemon));
    const standby = marathons.find(({ url }) => url !== `http://${leader}`) as Daemon;
    await eventually("the app is taken", async () => {
      const body = JSON.stringify({ id: "www", cmd: server, cpus: 0.1, mem: 32, instances: 2 });
      const response = await fetch(`${standby.url}/v2/apps`, { method: "POST", body });
      expect(response.headers.get("x-marathon-via")).toBe(`1.1 ${standby.url.slice(7)}`);
      expect(response.headers.get("x-marathon-leader")).toBe(`http://${leader}`);
      return response.status === 201 || response.status === 409 ? true : undefined;
    });
    const events = await fetch(`${standby.url}/v2/events`, { redirect: "manual" });
    expect([events.status, events.headers.get("location")]).toEqual([302, `http://${leader}/v2/events`]);
    before = await eventually("two instances", () => processes(2));
  });

  test("the leader killed: the other leads, and no task was touched", async () => {
    const address = await eventually("a leader", () => leaderOf(serving()));
    const leader = marathons.find(({ url }) => url === `http://${address}`) as Daemon;
    const other = marathons.find((one) => one !== leader) as Daemon;
    const killedAt = Date.now();
    leader.process.kill("SIGKILL");
    await eventually("a new leader", async () => {
      const { leader: now } = (await call(other, "/v2/info")) as { leader: string };
      return `http://${now}` === other.url ? true : undefined;
    });
    const tookMs = Date.now() - killedAt;
    expect(await eventually("its instances", () => processes(2))).toEqual(before);
    await eventually("connected", async () => {
      const { app } = (await call(other, "/v2/apps/www")) as { app: { tasksRunning: number } };
      return app.tasksRunning === 2 ? true : undefined;
    });
    console.log(`Marathon failed over in ${tookMs} ms`);
    expect(tookMs).toBeLessThan(15_000);
  });

  test("the leading master killed: apps scale again through the other, and no task was touched", async () => {
    const leading = await eventually("a leading master", async () => {
      for (const master of masters) {
        const metrics = (await call(master, "/metrics/snapshot")) as Record<string, number>;
        if (metrics["master/elected"] === 1) return master;
      }
      return undefined;
    });
    const killedAt = Date.now();
    leading.process.kill("SIGKILL");
    const patch = { method: "PATCH", body: JSON.stringify({ instances: 3 }) };
    await eventually("scaled", async () => {
      const answer = (await call(serving(), "/v2/apps/www?force=true", patch)) as { deploymentId?: string };
      return answer.deploymentId;
    });
    const after = await eventually("three instances", () => processes(3));
    console.log(`Mesos failed over and launched in ${Date.now() - killedAt} ms`);
    expect(after.filter((pid) => before.includes(pid))).toEqual(before);
  });

  test("a leader that is asked to abdicate exits, the next leads at once, and SIGTERM ends that one", async () => {
    const leader = serving();
    const next = await startMarathon();
    await eventually("the next stands", async () =>
      (await leaderOf(next)) === undefined ? undefined : true,
    );
    const askedAt = Date.now();
    const exit = once(leader.process, "exit");
    expect(await call(leader, "/v2/leader", { method: "DELETE" })).toEqual({
      message: "Leadership abdicated",
    });
    marathons.push(next);
    await eventually("the next leads", async () =>
      `http://${await leaderOf(next)}` === next.url ? true : undefined,
    );
    console.log(`abdicated and replaced in ${Date.now() - askedAt} ms`);
    expect(await exit).toEqual([0, null]);
    const { app } = (await call(next, "/v2/apps/www")) as { app: { instances: number } };
    expect(app.instances).toBe(3);
    await call(next, "/v2/apps/www", { method: "DELETE" });
    await eventually("the tasks end", async () => {
      const { tasks } = (await call(next, "/v2/tasks")) as { tasks: [] };
      return tasks.length === 0 ? true : undefined;
    });
    const ended = once(next.process, "exit");
    next.process.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });
});

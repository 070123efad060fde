/** Built-in master, agent and Marathon, the bridge, and a real HAProxy: an app from POST to its answers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningStandalone, runStandalone } from "../../../src/cluster/standalone/standalone.ts";
import { Bridge, type BridgeOptions, runBridge } from "../../../src/scheduler/discovery/daemon.ts";
import { requestBytes } from "../../../src/scheduler/http/http-client.ts";
import { requestJson } from "../../../src/scheduler/http/request-json.ts";
import { startHaproxy, whyNoHaproxy } from "../../support/haproxy.ts";
import { freePorts } from "../../support/zookeeper.ts";

const serve = `require("http").createServer((_, answer) => answer.end(process.env.MESOS_TASK_ID)).listen(process.env.PORT)`;

describe.skipIf(whyNoHaproxy !== undefined)("an app behind a real HAProxy", () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  let cluster: RunningStandalone;
  let front: number;
  let service: number;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "provision-end-to-end-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    cluster = await runStandalone({
      workDir: folder,
      ports: { master: 0, agent: 0, marathon: 0 },
      resources: "cpus:4;mem:2048",
      log: () => undefined,
    });
    cleanups.push(() => cluster.stop({ keepTasks: false }));
    const [frontPort = 0, appIdPort = 0, servicePort = 0] = await freePorts(3);
    [front, service] = [frontPort, servicePort];
    const options: Omit<BridgeOptions, "reload"> = {
      marathons: [cluster.marathon.url],
      config: join(folder, "haproxy.cfg"),
      haproxy: { frontPort, appIdPort, runAs: null, adminSocket: join(folder, "admin.sock"), taskPorts: [] },
      log: () => undefined,
    };
    await new Bridge({ ...options, reload: ["true"] }).sync();
    const proxy = startHaproxy(options.config);
    cleanups.push(() => proxy.stop());
    const bridge = runBridge({ ...options, reload: proxy.reloadCommand });
    cleanups.push(() => bridge.stop());
  });
  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  async function ask(port: number, host = "www.example.com"): Promise<string> {
    const headers = { Host: host, Connection: "close" };
    const answer = await requestBytes({ url: `http://127.0.0.1:${port}/`, headers }).catch(() => undefined);
    return answer?.status === 200 ? answer.bytes.toString() : `status ${answer?.status}`;
  }

  async function seenOn(port: number, wanted: number): Promise<ReadonlySet<string>> {
    const seen = new Set<string>();
    const deadline = performance.now() + 40_000;
    while (seen.size < wanted && performance.now() < deadline) {
      const answer = await ask(port);
      if (answer.startsWith("www.")) seen.add(answer);
      else await pause(20);
    }
    return seen;
  }

  /** No deployment of it is under way any more. */
  async function settled(app: string): Promise<void> {
    for (;;) {
      const { status, json } = await requestJson({ url: `${cluster.marathon.url}/v2/apps/${app}` });
      if (status === 200 && JSON.stringify(json).includes('"deployments":[]')) return;
      await pause(50);
    }
  }

  const change = (method: string, path: string, json: unknown) =>
    requestJson({ url: `${cluster.marathon.url}${path}`, method, json });

  test("posted, it answers by its host label and on its service port; scaled down, no request is lost", async () => {
    const cmd = `exec ${process.execPath} -e '${serve}'`;
    const healthChecks = [{ protocol: "HTTP", path: "/", intervalSeconds: 1, gracePeriodSeconds: 10 }];
    const app = { id: "/www", cmd, cpus: 0.1, mem: 32, instances: 2, ports: [service], healthChecks };
    expect((await change("POST", "/v2/apps", app)).status).toBe(201);
    expect((await seenOn(front, 2)).size).toBe(2);
    expect((await seenOn(service, 2)).size).toBe(2);
    await change("PATCH", "/v2/apps/www", { instances: 4 });
    expect((await seenOn(front, 4)).size).toBe(4);
    await change("PATCH", "/v2/apps/www", { instances: 1 });
    const answers: string[] = [];
    const deadline = performance.now() + 4_000;
    while (performance.now() < deadline) answers.push(await ask(front));
    expect(answers.filter((answer) => !answer.startsWith("www."))).toEqual([]);
    expect(new Set(answers.slice(-20)).size).toBe(1);
  });

  test.each([
    { of: "with a health check", healthChecks: [{ protocol: "HTTP", path: "/", intervalSeconds: 1 }] },
    { of: "without one", healthChecks: [] },
  ])(
    "an app of one instance, $of, is restarted five times, and no request is lost",
    async ({ healthChecks }) => {
      const cmd = `exec ${process.execPath} -e '${serve}'`;
      const app = { id: "/one", cmd, cpus: 0.1, mem: 32, instances: 1, ports: [0], healthChecks };
      await change("PUT", "/v2/apps/one?force=true", app);
      await settled("one");
      const host = "one.example.com";
      while (!(await ask(front, host)).startsWith("one.")) await pause(20);
      const seen = new Map<string, number>();
      let going = true;
      const asking = (async () => {
        while (going) {
          const answer = await ask(front, host);
          seen.set(answer, (seen.get(answer) ?? 0) + 1);
        }
      })();
      for (let restart = 0; restart < 5; restart += 1) {
        expect((await change("POST", "/v2/apps/one/restart", {})).status).toBe(200);
        await settled("one");
      }
      going = false;
      await asking;
      const bad = [...seen].filter(([answer]) => !answer.startsWith("one."));
      expect(bad).toEqual([]);
      expect(seen.size).toBe(6);
    },
    90_000,
  );
});

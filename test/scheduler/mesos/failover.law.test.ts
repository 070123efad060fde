import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { requestBytes } from "../../../src/scheduler/http/http-client.ts";
import { requestJson } from "../../../src/scheduler/http/request-json.ts";
import {
  zookeeperElectorate,
  zookeeperLeaders,
} from "../../../src/scheduler/mesos/daemon/zookeeper-coordination.ts";
import type { RunningMaster } from "../../../src/scheduler/mesos/master/run-master.ts";
import { parseZooKeeperAddress } from "../../../src/scheduler/zookeeper/connect-string.ts";
import { ZooKeeperClient } from "../../../src/scheduler/zookeeper/zookeeper-client.ts";
import { ZooKeeperStore } from "../../../src/scheduler/zookeeper/zookeeper-store.ts";
import { startZooKeeper, whyNoZooKeeper } from "../../support/zookeeper.ts";
import { StageCluster, sandboxOf } from "./stage-cluster.ts";
import { TestFramework } from "./test-framework.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

describe.skipIf(whyNoZooKeeper !== undefined)("three masters on a real ZooKeeper", () => {
  test("the leader goes away, another leads, the tasks go on", async () => {
    const ensemble = await startZooKeeper();
    cleanups.push(() => ensemble.stop());
    const { servers } = parseZooKeeperAddress(`zk://${ensemble.connectString}/mesos`);
    const open = (): ZooKeeperClient => {
      const client = ZooKeeperClient.open({ servers, sessionTimeoutMs: 3_000 });
      cleanups.push(() => client.close());
      return client;
    };
    const cluster = new StageCluster();
    const path = "/mesos";
    const log = (line: string): void => void cluster.lines.push(line);
    for (let index = 0; index < 3; index++) {
      const client = open();
      const electorate = zookeeperElectorate({ client, path, log });
      const store = new ZooKeeperStore({
        client,
        root: "/mesos/registry",
        guard: () => electorate.ownPath(),
      });
      await cluster.master({ electorate, store });
    }
    cleanups.push(() => cluster.stop());
    const leading = (): RunningMaster[] => cluster.masters.filter(({ isLeading }) => isLeading);
    await cluster.until(() => leading().length === 1);
    const agent = await cluster.agent({ leaders: zookeeperLeaders({ client: open(), path, log }) });
    await cluster.until(() => agent.agentId !== undefined);
    const [first] = leading();
    if (first === undefined) throw new Error("no leader");

    const other = cluster.masters.find((master) => master !== first);
    const redirected = await requestJson({ url: `${other?.url}/state` });
    expect([redirected.status, redirected.headers.location]).toEqual([
      307,
      `//127.0.0.1:${first.port}/state`,
    ]);

    const page = await requestBytes({ url: `${other?.url}/` });
    expect([page.status, page.headers.location]).toEqual([307, `//127.0.0.1:${first.port}/`]);
    for (const { url } of [first, agent]) {
      const { status, headers } = await requestBytes({ url: `${url}/` });
      expect([status, headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    }

    const framework = new TestFramework(first.url);
    cleanups.push(() => Promise.resolve(framework.close()));
    await framework.subscribe();
    framework.launch({ id: "t1", command: { value: "echo $$ >>starts; sleep 1000" } });
    await framework.state("t1", "TASK_RUNNING");
    const agentId = agent.agentId;

    await first.stop();
    const next = async (): Promise<RunningMaster | undefined> => {
      await cluster.until(() => leading().some((master) => master !== first), 15_000);
      return leading().find((master) => master !== first);
    };
    const second = await next();
    if (second === undefined) throw new Error("no second leader");
    await framework.subscribe(second.url);
    await cluster.until(async () => {
      const { json } = await requestJson({ url: `${second.url}/slaves` });
      const { slaves } = json as unknown as { slaves: { id: string; active: boolean }[] };
      return slaves.some(({ id, active }) => id === agentId && active);
    });
    framework.statuses.length = 0;
    await framework.call({ type: "RECONCILE", reconcile: { tasks: [] } });
    expect((await framework.state("t1", "TASK_RUNNING")).agent_id?.value).toBe(agentId);
    const starts = readFileSync(join(await sandboxOf(agent, "t1"), "starts"), "utf8");
    expect(starts.trim().split("\n")).toHaveLength(1);
  });
});

describe("a master that may lead no longer by its own clock", () => {
  test("answers nothing as leader, even before it is told that its leadership is over", async () => {
    let mayLead = true;
    const cluster = new StageCluster();
    const master = await cluster.master({
      electorate: {
        stand: (card, watcher) => {
          queueMicrotask(() => {
            watcher.leaderChanged(card);
            watcher.elected();
          });
          return { mayLead: () => mayLead, withdraw: () => Promise.resolve() };
        },
      },
    });
    await cluster.until(() => master.isLeading);
    const subscribe = { type: "SUBSCRIBE", subscribe: { framework_info: { user: "u", name: "f" } } };
    mayLead = false;
    const { status } = await requestJson({
      url: `${master.url}/api/v1/scheduler`,
      method: "POST",
      json: subscribe,
    });
    expect([status, master.isLeading]).toEqual([503, false]);
    expect((await requestJson({ url: `${master.url}/state` })).status).toBe(503);
    await cluster.stop();
  });
});

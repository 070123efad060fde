import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StoreUnavailable } from "../../../src/scheduler/store.ts";
import { ZooKeeperClient } from "../../../src/scheduler/zookeeper/zookeeper-client.ts";
import { ZooKeeperStore } from "../../../src/scheduler/zookeeper/zookeeper-store.ts";
import { testStoreContract } from "../../support/store-contract.ts";
import { startZooKeeper, whyNoZooKeeper, type ZooKeeperEnsemble } from "../../support/zookeeper.ts";

describe.skipIf(whyNoZooKeeper !== undefined)("a store in a real ZooKeeper", () => {
  let ensemble: ZooKeeperEnsemble;
  let client: ZooKeeperClient;
  let stores = 0;
  beforeAll(async () => {
    ensemble = await startZooKeeper();
    client = await ZooKeeperClient.connect({
      servers: ensemble.servers,
      sessionTimeoutMs: 4_000,
      operationTimeoutMs: 800,
    });
  });
  afterAll(async () => {
    await client.close();
    await ensemble.stop();
  });
  const put = (key: string, value: string) => ({ op: "put" as const, key, value: Buffer.from(value) });
  const newRoot = (): string => `/state-${++stores}`;

  testStoreContract(async () => new ZooKeeperStore({ client, root: newRoot() }), 15);

  test("whoever no longer leads writes nothing", async () => {
    const root = newRoot();
    await client.create("/term-1", Buffer.alloc(0), { mode: "ephemeral" });
    let own: string | undefined = "/term-1";
    const store = new ZooKeeperStore({ client, root, guard: () => own });
    await store.commit([put("/a", "1")]);
    await client.delete("/term-1");
    await expect(store.commit([put("/a", "2")])).rejects.toThrow(StoreUnavailable);
    own = undefined;
    await expect(store.commit([put("/a", "3")])).rejects.toThrow("does not lead");
    expect((await store.get("/a"))?.value.toString()).toBe("1");
  });

  test("parts of a value that was replaced or refused are removed", async () => {
    const root = newRoot();
    const store = new ZooKeeperStore({ client, root });
    const big = Buffer.alloc(2_000_000);
    for (let at = 0; at < big.length; at += 4) big.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
    await store.commit([{ op: "put", key: "/a", value: big }]);
    expect(await client.getChildren(`${root}/.parts`)).toHaveLength(1);
    await expect(store.commit([{ op: "put", key: "/a", value: big, version: 7 }])).rejects.toThrow("version");
    expect(await client.getChildren(`${root}/.parts`)).toHaveLength(1);
    await store.commit([{ op: "put", key: "/a", value: big }]);
    expect(await client.getChildren(`${root}/.parts`)).toHaveLength(1);
    await store.commit([{ op: "delete", key: "/a" }]);
    expect(await client.getChildren(`${root}/.parts`)).toEqual([]);
  });

  test("with ZooKeeper away a commit fails in time, as unavailable", async () => {
    const [server] = ensemble.servers;
    const store = new ZooKeeperStore({ client, root: newRoot() });
    await server?.kill();
    const startedAt = performance.now();
    await expect(store.commit([put("/a", "1")])).rejects.toThrow(StoreUnavailable);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    await server?.start();
    await client.connected(10_000);
    await store.commit([put("/a", "1")]);
  });
});

import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { WatchEvent } from "../../../src/scheduler/zookeeper/watch-registry.ts";
import { ZooKeeperClient, type ZooKeeperOptions } from "../../../src/scheduler/zookeeper/zookeeper-client.ts";
import { isZooKeeperError } from "../../../src/scheduler/zookeeper/zookeeper-error.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { startZooKeeper, whyNoZooKeeper, type ZooKeeperEnsemble } from "../../support/zookeeper.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(size: 1 | 3 = 1): Promise<ZooKeeperEnsemble> {
  const ensemble = await startZooKeeper({ size });
  cleanups.push(() => ensemble.stop());
  return ensemble;
}

async function connect(options: ZooKeeperOptions): Promise<{ client: ZooKeeperClient; events: string[] }> {
  const client = ZooKeeperClient.open({ sessionTimeoutMs: 1_500, operationTimeoutMs: 6_000, ...options });
  cleanups.push(() => client.close());
  const events: string[] = [];
  client.onSession((event) => events.push(event.type));
  await client.connected(10_000);
  return { client, events };
}

/** A client behind lines that can be cut, one to each server. */
async function connectBehindLines(
  ensemble: ZooKeeperEnsemble,
): Promise<{ client: ZooKeeperClient; events: string[]; lines: readonly TcpProxy[] }> {
  const lines = await Promise.all(ensemble.servers.map((server) => startTcpProxy(server)));
  for (const line of lines) cleanups.push(() => line.close());
  const servers = lines.map(({ port }) => ({ host: "127.0.0.1", port }));
  return { ...(await connect({ servers })), lines };
}

async function eventually(what: string, probe: () => boolean, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!probe()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come within ${timeoutMs} ms`);
    await pause(10);
  }
}

const bytes = (text: string): Buffer => Buffer.from(text);

describe.skipIf(whyNoZooKeeper !== undefined)("a client of a real ZooKeeper", () => {
  test("every operation does what it says, under a chroot", async () => {
    const { servers } = await start();
    const { client } = await connect({ servers, chroot: "/a/b" });
    await client.createRecursive("/x/y");
    expect(await client.create("/x/seq-", bytes("1"), { mode: "ephemeral-sequential" })).toBe(
      "/x/seq-0000000001",
    );
    expect((await client.getChildren("/x")).toSorted()).toEqual(["seq-0000000001", "y"]);
    expect((await client.setData("/x/y", bytes("two"), 0)).version).toBe(1);
    expect((await client.getData("/x/y")).data.toString()).toBe("two");
    expect((await client.exists("/x/seq-0000000001"))?.ephemeralOwner).toBe(client.sessionId);
    expect(await client.exists("/nothing")).toBeUndefined();
    expect((await client.getAcl("/x")).acl).toEqual([{ permissions: 31, scheme: "world", id: "anyone" }]);
    expect(
      (await client.setAcl("/x/y", [{ permissions: 31, scheme: "world", id: "anyone" }])).aclVersion,
    ).toBe(1);
    await client.sync("/x");
    await client.delete("/x/y", 1);
    const { client: whole } = await connect({ servers });
    expect(await whole.getChildren("/a/b/x")).toEqual(["seq-0000000001"]);
  });

  test("what is refused says why", async () => {
    const { servers } = await start();
    const { client } = await connect({ servers });
    await client.create("/a");
    await client.create("/a/b");
    await client.create("/e", bytes(""), { mode: "ephemeral" });
    const refusals: readonly [() => Promise<unknown>, string][] = [
      [() => client.create("/a"), "NodeExists"],
      [() => client.create("/x/y"), "NoNode"],
      [() => client.delete("/a"), "NotEmpty"],
      [() => client.setData("/a", bytes(""), 7), "BadVersion"],
      [() => client.getData("/x"), "NoNode"],
      [() => client.getChildren("/x"), "NoNode"],
      [() => client.create("/e/x"), "NoChildrenForEphemerals"],
      [() => client.create("/big", Buffer.alloc(1_100_000)), "TooLarge"],
      [() => client.setAcl("/a", []), "InvalidAcl"],
    ];
    for (const [refused, reason] of refusals) await expect(refused()).rejects.toMatchObject({ reason });
    await expect(client.create("/a")).rejects.toThrow("Cannot create /a: the node exists already");
    expect(await client.getChildren("/a")).toEqual(["b"]);
  });

  test("a multi is done whole or not at all, and says which part stood in the way", async () => {
    const { servers } = await start();
    const { client } = await connect({ servers });
    const made = await client.multi([
      { op: "create", path: "/a" },
      { op: "create", path: "/a/n-", mode: "persistent-sequential" },
      { op: "set", path: "/a", data: bytes("1") },
      { op: "check", path: "/a", version: 1 },
    ]);
    expect(made[1]).toEqual({ op: "create", path: "/a/n-0000000000" });
    const failed = client.multi([
      { op: "set", path: "/a", data: bytes("2") },
      { op: "check", path: "/a", version: 1 },
      { op: "delete", path: "/a/n-0000000000" },
    ]);
    await expect(failed).rejects.toMatchObject({ reason: "BadVersion", operationIndex: 1 });
    expect((await client.getData("/a")).data.toString()).toBe("1");
  });

  test("with credentials others may read but not write", async () => {
    const { servers } = await start();
    const { client: owner } = await connect({
      servers,
      auth: { scheme: "digest", credentials: "ann:secret" },
    });
    const { client: other } = await connect({ servers });
    await owner.create("/mine", bytes("1"));
    expect((await other.getData("/mine")).data.toString()).toBe("1");
    await expect(other.setData("/mine", bytes("2"))).rejects.toMatchObject({ reason: "NoAuth" });
    other.addAuth("digest", "ann:secret");
    await other.setData("/mine", bytes("2"));
  });

  test("a watch is told once, of what it watched", async () => {
    const { servers } = await start();
    const { client } = await connect({ servers, chroot: "/c" });
    await client.createRecursive("/a");
    const seen: WatchEvent[] = [];
    const watch = (event: WatchEvent): void => void seen.push(event);
    await client.exists("/new", { watch });
    await client.getChildren("/a", { watch });
    await client.getChildren("/a", { watch });
    await client.create("/new");
    await client.create("/a/1");
    await client.create("/a/2");
    await client.getData("/new", { watch });
    await client.delete("/new");
    await client.sync("/");
    expect(seen).toEqual([
      { type: "created", path: "/new" },
      { type: "children", path: "/a" },
      { type: "deleted", path: "/new" },
    ]);
  });

  test("the server killed: another takes over, session, ephemeral nodes and watches stay", async () => {
    const ensemble = await start(3);
    const { client, events, lines } = await connectBehindLines(ensemble);
    const { client: other } = await connect({ servers: ensemble.servers });
    await client.create("/e", bytes(""), { mode: "ephemeral" });
    const session = client.sessionId;
    const seen: string[] = [];
    const watch = ({ type, path }: WatchEvent): void => void seen.push(`${type} ${path}`);
    await client.getData("/e", { watch });
    await client.exists("/f", { watch });
    await client.getChildren("/", { watch });
    // Cut off, so that what is watched changes while nobody can tell.
    for (const line of lines) line.cut();
    await eventually("the loss", () => events.includes("disconnected"));
    await other.create("/f");
    await other.setData("/e", bytes("x"));
    for (const line of lines) line.mend();
    await eventually("all watches", () => seen.length === 3);
    expect(seen.toSorted()).toEqual(["changed /e", "children /", "created /f"]);
    const killed = await ensemble.leader();
    await killed.kill();
    expect((await client.exists("/e"))?.ephemeralOwner).toBe(session);
    expect(client.sessionId).toBe(session);
    expect(events).not.toContain("expired");
  });

  test("a server that falls silent is left within half of the session, for another", async () => {
    const ensemble = await start(3);
    const { client, events, lines } = await connectBehindLines(ensemble);
    await client.create("/e", bytes(""), { mode: "ephemeral" });
    const session = client.sessionId;
    const startedAt = performance.now();
    // Only the one in use has a connection: the others go on.
    for (const server of ensemble.servers) {
      if ((await connectionsOf(server.port)) > 1) lines[ensemble.servers.indexOf(server)]?.silence();
    }
    await eventually("the loss", () => events.includes("disconnected"));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    await eventually("another server", () => client.isConnected);
    expect([client.sessionId, (await client.exists("/e"))?.ephemeralOwner]).toEqual([session, session]);
  });

  test("a session that expired is told, its watches end, and a new one takes its place", async () => {
    const ensemble = await start();
    const { client, events, lines } = await connectBehindLines(ensemble);
    await client.create("/e", bytes(""), { mode: "ephemeral" });
    const session = client.sessionId;
    const seen: WatchEvent[] = [];
    await client.getData("/e", { watch: (event) => seen.push(event) });
    lines[0]?.cut();
    await eventually("the loss", () => events.includes("disconnected"));
    const waiting = client.setData("/e", bytes("x")).catch((error: unknown) => error);
    await pause(2_500);
    lines[0]?.mend();
    await eventually("a new session", () => client.isConnected);
    expect(events).toEqual(["connected", "disconnected", "expired", "connected"]);
    expect(seen).toEqual([{ type: "lost", path: "/e" }]);
    expect(isZooKeeperError(await waiting, "SessionExpired")).toBe(true);
    expect(client.sessionId).not.toBe(session);
    expect(await client.exists("/e")).toBeUndefined();
  });

  test("an ensemble that was wiped is joined anew instead of being asked for a forgotten session for ever", async () => {
    const ensemble = await start();
    const [server] = ensemble.servers;
    const { client, events } = await connect({ servers: ensemble.servers, sessionTimeoutMs: 600 });
    for (let left = 50; left > 0; left--) await client.create(`/n${left}`);
    await server?.kill();
    await server?.wipe();
    await server?.start();
    await eventually("a new session", () => client.isConnected);
    expect(events).toEqual(["connected", "disconnected", "expired", "connected"]);
    expect(await client.getChildren("/")).toEqual(["zookeeper"]);
  });

  test("what was sent when the line broke fails at once, and is never sent again", async () => {
    const ensemble = await start();
    const { client, lines } = await connectBehindLines(ensemble);
    lines[0]?.silence();
    const inFlight = client.create("/n-", bytes(""), { mode: "persistent-sequential" });
    const failed = expect(inFlight).rejects.toMatchObject({
      reason: "ConnectionLoss",
      mayHaveHappened: true,
    });
    lines[0]?.cut();
    await failed;
    lines[0]?.mend();
    const names = await client.getChildren("/");
    expect(names.filter((name) => name.startsWith("n-")).length).toBeLessThanOrEqual(1);
  });

  test("nothing hangs while nobody answers", async () => {
    const { client } = await (async () => {
      const made = ZooKeeperClient.open({
        servers: [{ host: "127.0.0.1", port: 1 }],
        operationTimeoutMs: 200,
      });
      cleanups.push(() => made.close());
      return { client: made };
    })();
    await expect(client.getData("/a")).rejects.toMatchObject({ reason: "Timeout", mayHaveHappened: false });
    await expect(client.connected(100)).rejects.toMatchObject({ reason: "Timeout" });
    const waiting = expect(client.getData("/a")).rejects.toMatchObject({ reason: "Closed" });
    await client.close();
    await waiting;
  });

  test("closing ends the session: ephemeral nodes vanish at once", async () => {
    const { servers } = await start();
    const { client } = await connect({ servers });
    const { client: other } = await connect({ servers });
    await client.create("/e", bytes(""), { mode: "ephemeral" });
    await client.close();
    expect(await other.exists("/e")).toBeUndefined();
  });
});

/** How many clients a server has, the one that asks included. */
async function connectionsOf(port: number): Promise<number> {
  const { connect: dial } = await import("node:net");
  const text = await new Promise<string>((resolve, reject) => {
    let answer = "";
    const socket = dial(port, "127.0.0.1", () => socket.end("cons"));
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
  return text.split("\n").filter((line) => line.trim() !== "").length;
}

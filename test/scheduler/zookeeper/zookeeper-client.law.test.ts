import { createRequire } from "node:module";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { WatchEvent } from "../../../src/scheduler/zookeeper/watch-registry.ts";
import type { Operation } from "../../../src/scheduler/zookeeper/zookeeper-client.ts";
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

  test("a server that falls silent is left within two thirds of the session, for another", async () => {
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
    expect(performance.now() - startedAt).toBeLessThan(1_300);
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

  test("it does what node-zookeeper-client does", async () => {
    const ensemble = await start();
    const { client } = await connect({ servers: ensemble.servers });
    const oracle = await connectOracle(ensemble.connectString);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 12 }), async (actions) => {
        runs += 1;
        const [ours, theirs] = [`/ours-${runs}`, `/theirs-${runs}`];
        await client.create(ours);
        await client.create(theirs);
        for (const each of actions) {
          const mine = await perform(ourSide(client, ours), each);
          expect(mine).toEqual(await perform(oracle(theirs), each));
        }
      }),
      { numRuns: 60 },
    );
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

// The differential oracle: the same actions by both clients, each in a folder of its own.

type Action =
  | { readonly do: "create" | "set"; readonly name: string; readonly data: string }
  | { readonly do: "get" | "children" | "delete"; readonly name: string }
  | {
      readonly do: "multi";
      readonly parts: readonly { readonly op: "create" | "delete" | "set"; readonly name: string }[];
    };

const name = fc.constantFrom("", "/a", "/b", "/a/c", "/a/d");
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    do: fc.constantFrom("create" as const, "set" as const),
    name,
    data: fc.string({ maxLength: 10 }),
  }),
  fc.record({ do: fc.constantFrom("get" as const, "children" as const, "delete" as const), name }),
  fc.record({
    do: fc.constant("multi" as const),
    parts: fc.array(
      fc.record({ op: fc.constantFrom("create" as const, "delete" as const, "set" as const), name }),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
  }),
);

interface Side {
  create(path: string, data: Buffer): Promise<unknown>;
  set(path: string, data: Buffer): Promise<{ readonly version: number }>;
  get(path: string): Promise<{ readonly data: string; readonly version: number }>;
  children(path: string): Promise<readonly string[]>;
  delete(path: string): Promise<unknown>;
  multi(operations: readonly Operation[]): Promise<unknown>;
  readonly root: string;
}

async function perform(side: Side, each: Action): Promise<unknown> {
  const at = (part: string): string => side.root + part;
  try {
    if (each.do === "create") return [await side.create(at(each.name), bytes(each.data))].length;
    if (each.do === "set") return (await side.set(at(each.name), bytes(each.data))).version;
    if (each.do === "get") return await side.get(at(each.name));
    if (each.do === "children") return (await side.children(at(each.name))).toSorted();
    if (each.do === "delete") return [await side.delete(at(each.name))].length;
    const parts = each.parts.map(({ op, name: part }): Operation => {
      return op === "delete" ? { op, path: at(part) } : { op, path: at(part), data: bytes("m") };
    });
    return [await side.multi(parts)].length;
  } catch (error) {
    return codeOf(error);
  }
}

const reasons: Readonly<Record<string, string>> = {
  "-101": "NoNode",
  "-110": "NodeExists",
  "-111": "NotEmpty",
  "-103": "BadVersion",
};

function codeOf(error: unknown): string {
  if (isZooKeeperError(error)) return error.reason;
  if (typeof error === "object" && error !== null && "code" in error)
    return reasons[String(error.code)] ?? String(error.code);
  return String(error);
}

const ourSide = (client: ZooKeeperClient, root: string): Side => ({
  root,
  create: (path, data) => client.create(path, data),
  set: (path, data) => client.setData(path, data),
  get: async (path) => {
    const { data, stat } = await client.getData(path);
    return { data: data.toString(), version: stat.version };
  },
  children: (path) => client.getChildren(path),
  delete: (path) => client.delete(path),
  multi: (operations) => client.multi(operations),
});

type Callback<T extends unknown[]> = (error: unknown, ...results: T) => void;
interface OracleTransaction {
  create(path: string, data: Buffer): void;
  remove(path: string, version: number): void;
  setData(path: string, data: Buffer, version: number): void;
  commit(done: Callback<[unknown]>): void;
}
interface OracleStat {
  readonly version: number;
}
interface OracleClient {
  once(event: "connected", listener: () => void): void;
  connect(): void;
  close(): void;
  create(path: string, data: Buffer, done: Callback<[string]>): void;
  setData(path: string, data: Buffer, done: Callback<[OracleStat]>): void;
  getData(path: string, done: Callback<[Buffer | undefined, OracleStat]>): void;
  getChildren(path: string, done: Callback<[string[]]>): void;
  remove(path: string, done: Callback<[]>): void;
  transaction(): OracleTransaction;
}

async function connectOracle(connectString: string): Promise<(root: string) => Side> {
  const library = createRequire(import.meta.url)("node-zookeeper-client") as {
    createClient(connectString: string): OracleClient;
  };
  const client = library.createClient(connectString);
  const connected = new Promise<void>((resolve) => client.once("connected", resolve));
  client.connect();
  await connected;
  cleanups.push(async () => client.close());
  const call = <T>(run: (done: (error: unknown, result: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => run((error, result) => (error ? reject(error) : resolve(result))));
  return (root) => ({
    root,
    create: (path, data) => call<string>((done) => client.create(path, data, done)),
    set: (path, data) => call<OracleStat>((done) => client.setData(path, data, done)),
    get: (path) =>
      call((done) =>
        client.getData(path, (error, data, stat) =>
          done(error, { data: data?.toString() ?? "", version: stat?.version ?? 0 }),
        ),
      ),
    children: (path) => call<string[]>((done) => client.getChildren(path, done)),
    delete: (path) => call<unknown>((done) => client.remove(path, (error) => done(error, undefined))),
    multi: (operations) =>
      call<unknown>((done) => {
        const transaction = client.transaction();
        for (const each of operations) {
          if (each.op === "create") transaction.create(each.path, Buffer.from(each.data ?? ""));
          if (each.op === "delete") transaction.remove(each.path, -1);
          if (each.op === "set") transaction.setData(each.path, Buffer.from(each.data), -1);
        }
        transaction.commit(done);
      }),
  });
}

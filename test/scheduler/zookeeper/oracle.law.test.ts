/** The differential oracle: the same actions by our client and node-zookeeper-client, each in a folder of its own. */
import { createRequire } from "node:module";
import { afterEach, describe, expect, test } from "vitest";
import { type Operation, ZooKeeperClient } from "../../../src/scheduler/zookeeper/zookeeper-client.ts";
import { isZooKeeperError } from "../../../src/scheduler/zookeeper/zookeeper-error.ts";
import fc from "../../support/property.ts";
import { startZooKeeper, whyNoZooKeeper } from "../../support/zookeeper.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
const bytes = (text: string): Buffer => Buffer.from(text);

describe.skipIf(whyNoZooKeeper !== undefined)("our client on a real ZooKeeper", () => {
  test("it does what node-zookeeper-client does", async () => {
    const ensemble = await startZooKeeper();
    cleanups.push(() => ensemble.stop());
    const client = await ZooKeeperClient.connect({ servers: ensemble.servers });
    cleanups.push(() => client.close());
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
    if (each.do === "multi") {
      const parts = each.parts.map(({ op, name: part }): Operation => {
        return op === "delete" ? { op, path: at(part) } : { op, path: at(part), data: bytes("m") };
      });
      return [await side.multi(parts)].length;
    }
    if (each.do === "create") return [await side.create(at(each.name), bytes(each.data))].length;
    if (each.do === "set") return (await side.set(at(each.name), bytes(each.data))).version;
    if (each.do === "get") return await side.get(at(each.name));
    if (each.do === "children") return (await side.children(at(each.name))).toSorted();
    return [await side.delete(at(each.name))].length;
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

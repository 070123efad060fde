import { describe, expect, test } from "vitest";
import {
  BadZooKeeperAddress,
  formatServer,
  parseZooKeeperAddress,
} from "../../../src/scheduler/zookeeper/connect-string.ts";
import { decideElection, sortContenders } from "../../../src/scheduler/zookeeper/election-decision.ts";
import { JuteReader, JuteWriter } from "../../../src/scheduler/zookeeper/jute.ts";
import { maxRequestBytes, OperationQueue } from "../../../src/scheduler/zookeeper/operation-queue.ts";
import { requests } from "../../../src/scheduler/zookeeper/protocol.ts";
import { ReconnectPlan } from "../../../src/scheduler/zookeeper/reconnect-plan.ts";
import { decodeNode, encodeWhole, packValue } from "../../../src/scheduler/zookeeper/stored-node.ts";
import fc from "../../support/property.ts";

describe("an address of ZooKeeper", () => {
  const server = (host: string, port = 2181) => ({ host, port });
  const cases: readonly [string, object][] = [
    [
      "zk://h1:2181,h2:2182,h3/mesos",
      { servers: [server("h1"), server("h2", 2182), server("h3")], path: "/mesos" },
    ],
    ["zk://localhost:2181/mesos", { servers: [server("localhost")], path: "/mesos" }],
    ["h1:2181,h2:2181/marathon/", { servers: [server("h1"), server("h2")], path: "/marathon" }],
    ["zk://h1", { servers: [server("h1")], path: "/" }],
    [" zk://[fd00::1]:2181/a/b\n", { servers: [server("fd00::1")], path: "/a/b" }],
    [
      "zk://ann:s:cr@t@h1:2181/x",
      { servers: [server("h1")], path: "/x", auth: { scheme: "digest", credentials: "ann:s:cr@t" } },
    ],
  ];
  test.each(cases)("%j is read", (text, address) => {
    expect(parseZooKeeperAddress(text)).toEqual(address);
  });

  test.each([
    "",
    "zk://",
    "zk://h1:",
    "zk://h1:0/x",
    "zk://h1:99999",
    "zk://h1,,h2",
    "http://h1/x",
    "zk://h1/a//b",
    "zk://h1/../b",
    "zk://user@h1",
    "zk://h 1",
  ])("%j is refused", (text) => {
    expect(() => parseZooKeeperAddress(text)).toThrow(BadZooKeeperAddress);
  });

  test("a password never stands in a message", () => {
    for (const text of ["zk://ann:secret@h1:0/x", "ann:secret@h1:0/x", "zk://secret@h1"]) {
      expect(() => parseZooKeeperAddress(text)).toThrow(/^(?!.*secret)/);
    }
  });

  test("a server is written as it is read", () => {
    for (const text of ["h1:2181", "[fd00::1]:2181"]) {
      expect(parseZooKeeperAddress(text).servers.map(formatServer)).toEqual([text]);
    }
  });
});

describe("jute", () => {
  test("what is written is read", () => {
    const value = fc.tuple(
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.boolean(),
      fc.uint8Array({ maxLength: 700 }),
      fc.string({ unit: "grapheme" }),
      fc.array(fc.string()),
    );
    fc.assert(
      fc.property(value, ([int, long, bool, bytes, text, texts]) => {
        const writer = new JuteWriter();
        writer.int(int).long(long).bool(bool).buffer(bytes).string(text);
        writer.vector(texts, (each) => writer.string(each));
        const reader = new JuteReader(writer.finish());
        expect([reader.int(), reader.long(), reader.bool()]).toEqual([int, long, bool]);
        expect(reader.buffer().equals(bytes)).toBe(true);
        expect(reader.string()).toBe(text);
        expect(reader.vector(() => reader.string())).toEqual(texts);
        expect(reader.isAtEnd).toBe(true);
      }),
    );
  });

  test("an answer that is cut short is an error, never a wrong value", () => {
    const whole = new JuteWriter().int(1).string("abc").long(2n).finish();
    for (let length = 0; length < whole.length; length++) {
      const reader = new JuteReader(whole.subarray(0, length));
      expect(() => [reader.int(), reader.string(), reader.long()]).toThrow("shorter");
    }
    expect(() => new JuteReader(Buffer.from([127, 255, 255, 255])).vector(() => 0)).toThrow("does not fit");
  });
});

describe("who leads", () => {
  const prefix = "json.info_";
  const node = (sequence: number): string => `${prefix}${String(sequence).padStart(10, "0")}`;

  test("the lowest sequence, whatever else stands there", () => {
    const names = [node(12), "log_replicas", node(9), `info_0000000001`, "json.info_", `${prefix}x`];
    expect(sortContenders(names, prefix)).toEqual([node(9), node(12)]);
    expect(decideElection(names, node(9), prefix)).toEqual({ role: "leader" });
    expect(decideElection(names, node(12), prefix)).toEqual({ role: "follower", predecessor: node(9) });
    expect(decideElection(names, node(13), prefix)).toEqual({ role: "absent" });
    expect(decideElection(names, undefined, prefix)).toEqual({ role: "absent" });
  });

  test("of any contenders exactly one leads, and all others wait for the one before them", () => {
    const sequences = fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(sequences, (found) => {
        const names = found.map(node);
        const roles = names.map((name) => decideElection(names, name, prefix));
        expect(roles.filter(({ role }) => role === "leader")).toHaveLength(1);
        const watched = roles.flatMap((decision) =>
          decision.role === "follower" ? [decision.predecessor] : [],
        );
        expect(new Set(watched).size).toBe(names.length - 1);
      }),
    );
  });
});

describe("reconnecting", () => {
  test("a round of all servers has no pause, each further one a longer one, up to a limit", () => {
    const plan = new ReconnectPlan(["a", "b"], () => 0.999, 30_000);
    const waits: number[] = [];
    for (let left = 14; left > 0; left--) {
      waits.push(plan.next().waitMs);
      plan.failed();
    }
    expect(waits.map((ms) => Math.round(ms / 100))).toEqual([0, 0, 2, 0, 4, 0, 8, 0, 16, 0, 20, 0, 20, 0]);
    plan.succeeded();
    expect(plan.next().waitMs).toBe(0);
    const hasty = new ReconnectPlan(["a"], () => 0.999, 1_500);
    for (let left = 9; left > 0; left--) hasty.failed();
    expect(hasty.next().waitMs).toBe(150);
  });

  test("every server gets its turn, in an order of this client's own", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (size, randoms) => {
          const servers = Array.from({ length: size }, (_, index) => index);
          const plan = new ReconnectPlan(servers, () => randoms.next().value as number, 10_000);
          const tried = servers.map(() => plan.next().server);
          expect(tried.toSorted((a, b) => a - b)).toEqual(servers);
        },
      ),
    );
  });
});

describe("operations on their way", () => {
  const submission = (action: string) => ({
    action,
    request: requests.delete("/a", -1),
    decode: () => action,
  });

  test("what waits fails in time; what was sent too, and says that it may have happened", async () => {
    const queue = new OperationQueue({ operationTimeoutMs: 20, maxOperations: 10 });
    const sent = queue.add(submission("send it"));
    queue.takeFrames(0);
    const waiting = queue.add(submission("wait"));
    expect(await Promise.allSettled([waiting, sent])).toMatchObject([
      { reason: { reason: "Timeout", mayHaveHappened: false } },
      { reason: { reason: "Timeout", mayHaveHappened: true } },
    ]);
    expect(queue.takeFrames(1)).toEqual([]);
  });

  test("a broken connection fails what was sent and keeps what waits", async () => {
    const queue = new OperationQueue({ operationTimeoutMs: 1_000, maxOperations: 10 });
    const sent = queue.add(submission("send it"));
    queue.takeFrames(0);
    const waiting = queue.add(submission("wait"));
    const lost = expect(sent).rejects.toMatchObject({ reason: "ConnectionLoss", mayHaveHappened: true });
    queue.failInFlight("cut");
    await lost;
    expect(queue.takeFrames(5)).toHaveLength(1);
    expect(queue.answer({ xid: 2, zxid: 1n, error: 0 }, new JuteReader(Buffer.alloc(0)))).toBe(5);
    expect(await waiting).toBe("wait");
  });

  test("a read is asked again on the next connection, before what waits", async () => {
    const queue = new OperationQueue({ operationTimeoutMs: 1_000, maxOperations: 10 });
    const read = queue.add({ ...submission("read"), isRead: true });
    queue.takeFrames(0);
    const waiting = queue.add(submission("wait"));
    queue.failInFlight("cut");
    expect(queue.takeFrames(5).map((frame) => frame.readInt32BE(4))).toEqual([2, 3]);
    for (const xid of [2, 3]) queue.answer({ xid, zxid: 1n, error: 0 }, new JuteReader(Buffer.alloc(0)));
    expect(await Promise.all([read, waiting])).toEqual(["read", "wait"]);
  });

  test("too many and too large are refused at once; an answer out of order is a broken connection", async () => {
    const queue = new OperationQueue({ operationTimeoutMs: 1_000, maxOperations: 1 });
    const first = queue.add(submission("first"));
    await expect(queue.add(submission("second"))).rejects.toMatchObject({ reason: "Busy" });
    const huge = {
      ...submission("huge"),
      request: requests.setData("/a", Buffer.alloc(maxRequestBytes), -1),
    };
    await expect(queue.add(huge)).rejects.toMatchObject({ reason: "TooLarge" });
    queue.takeFrames(0);
    expect(() => queue.answer({ xid: 9, zxid: 1n, error: 0 }, new JuteReader(Buffer.alloc(0)))).toThrow(
      "was due",
    );
    queue.failAll("Closed", "over");
    await expect(queue.add(submission("late"))).rejects.toMatchObject({ reason: "Closed" });
    await expect(first)
      .resolves.toBe("never")
      .catch(() => undefined);
  });
});

test("any value comes back from a node as it was", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(1, 2_000), (bytes, times) => {
      const value = Buffer.concat(Array.from({ length: times }, () => Buffer.from(bytes)));
      const node = decodeNode(Buffer.from(encodeWhole(packValue(value))));
      expect(node.form === "whole" && node.value.equals(value)).toBe(true);
    }),
  );
});

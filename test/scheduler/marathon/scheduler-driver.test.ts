import { once } from "node:events";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createServer, type HttpServer } from "../../../src/scheduler/http/http-server.ts";
import { type RecordWriter, recordStreamResponse } from "../../../src/scheduler/http/record-stream.ts";
import { emptyResponse, type HttpResponse } from "../../../src/scheduler/http/response.ts";
import {
  type HostPort,
  type MasterDetector,
  SchedulerDriver,
} from "../../../src/scheduler/marathon/driver/scheduler-driver.ts";
import type { SchedulerCall } from "../../../src/scheduler/mesos/protocol/scheduler-call.ts";

interface FakeMaster {
  readonly at: HostPort;
  readonly calls: SchedulerCall[];
  readonly streams: RecordWriter[];
  answer: ((call: SchedulerCall) => HttpResponse | undefined) | undefined;
  readonly server: HttpServer;
}

const masters: FakeMaster[] = [];
let drivers: SchedulerDriver[] = [];
let said: string[] = [];

async function startMaster(frameworkId = "fw-1"): Promise<FakeMaster> {
  const calls: SchedulerCall[] = [];
  const streams: RecordWriter[] = [];
  const master = { calls, streams, answer: undefined } as unknown as FakeMaster;
  const server = createServer({
    routes: [
      {
        method: "POST",
        path: "/api/v1/scheduler",
        handle: async (request) => {
          const call = (await request.json()) as unknown as SchedulerCall;
          calls.push(call);
          const own = master.answer?.(call);
          if (own !== undefined) return own;
          if (call.type !== "SUBSCRIBE") return emptyResponse(202);
          return recordStreamResponse("application/json", { "Mesos-Stream-Id": "s" }, (writer) => {
            streams.push(writer);
            const subscribed = { framework_id: { value: frameworkId }, heartbeat_interval_seconds: 0.5 };
            writer.send(JSON.stringify({ type: "SUBSCRIBED", subscribed }));
          });
        },
      },
    ],
    limits: { closeGraceMs: 10 },
  });
  const { port } = await server.listen(0, "127.0.0.1");
  Object.assign(master, { at: { host: "127.0.0.1", port }, server });
  masters.push(master);
  return master;
}

function detectorOf(first: HostPort | undefined): MasterDetector & { change(to: HostPort): void } {
  let current = first;
  const listeners = new Set<() => void>();
  return {
    get current() {
      return current;
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => undefined,
    change: (to) => {
      current = to;
      for (const listener of listeners) listener();
    },
  };
}

function startDriver(detector: MasterDetector): SchedulerDriver {
  let frameworkId: string | undefined;
  const driver: SchedulerDriver = new SchedulerDriver({
    detector,
    framework: { user: "u", name: "n" },
    frameworkId: () => frameworkId,
    onSubscribed: (id, { port }) => {
      frameworkId = id;
      said.push(`subscribed at ${port}`);
      // What is decided on the spot must reach the master, however early that is.
      driver.send([{ type: "REVIVE" }]);
    },
    onEvent: ({ type }) => said.push(type),
    onDisconnected: () => said.push("disconnected"),
    onError: (text) => {
      said.push(`error: ${text}`);
      frameworkId = undefined;
    },
    log: () => undefined,
  });
  drivers.push(driver);
  driver.start();
  return driver;
}

beforeEach(() => {
  said = [];
});
afterEach(async () => {
  for (const driver of drivers) driver.stop();
  drivers = [];
  await Promise.all(masters.splice(0).map(({ server }) => server.close()));
});

const until = (look: () => boolean): Promise<void> =>
  expect.poll(look, { timeout: 8_000, interval: 10 }).toBe(true);
const typesOf = (master: FakeMaster): string[] => master.calls.map(({ type }) => type);

describe("the scheduler driver", () => {
  test("subscribes, and what is said at once upon it arrives", async () => {
    const master = await startMaster();
    startDriver(detectorOf(master.at));
    await until(() => typesOf(master).includes("REVIVE"));
    expect(master.calls[0]).toEqual({
      type: "SUBSCRIBE",
      subscribe: { framework_info: { user: "u", name: "n" } },
    });
    expect(master.calls[1]).toEqual({ type: "REVIVE", framework_id: { value: "fw-1" } });
  });

  test("follows a redirect to the leading master", async () => {
    const leader = await startMaster();
    const other = await startMaster();
    other.answer = () => emptyResponse(307, { Location: `//127.0.0.1:${leader.at.port}/api/v1/scheduler` });
    startDriver(detectorOf(other.at));
    await until(() => said.includes(`subscribed at ${leader.at.port}`));
    await until(() => typesOf(leader).includes("REVIVE"));
  });

  test("comes back under the same id when the stream ends", async () => {
    const master = await startMaster();
    startDriver(detectorOf(master.at));
    await until(() => master.streams.length === 1);
    master.streams[0]?.end();
    await until(() => master.streams.length === 2);
    expect(said.filter((text) => text === "disconnected")).toHaveLength(1);
    expect(master.calls.filter(({ type }) => type === "SUBSCRIBE")[1]).toMatchObject({
      framework_id: { value: "fw-1" },
      subscribe: { framework_info: { id: { value: "fw-1" } } },
    });
  });

  test("leaves a master that is silent for three heartbeats", async () => {
    const master = await startMaster();
    startDriver(detectorOf(master.at));
    await until(() => master.streams.length === 2);
  });

  test("goes over to a new leader as soon as one is seen", async () => {
    const first = await startMaster();
    const second = await startMaster();
    const detector = detectorOf(first.at);
    startDriver(detector);
    await until(() => said.includes(`subscribed at ${first.at.port}`));
    detector.change(second.at);
    await until(() => said.includes(`subscribed at ${second.at.port}`));
  });

  test("a master that takes the connection and says nothing is left as soon as another one leads", async () => {
    const dead = createTcpServer().listen(0, "127.0.0.1");
    await once(dead, "listening");
    const address = dead.address();
    const second = await startMaster();
    const detector = detectorOf({ host: "127.0.0.1", port: (address as AddressInfo).port });
    const dialled = once(dead, "connection");
    startDriver(detector);
    await dialled;
    detector.change(second.at);
    await until(() => said.includes(`subscribed at ${second.at.port}`));
    dead.close();
  });

  test("subscribes anew when a call is refused", async () => {
    const master = await startMaster();
    const driver = startDriver(detectorOf(master.at));
    await until(() => typesOf(master).includes("REVIVE"));
    master.answer = ({ type }) => (type === "SUPPRESS" ? emptyResponse(403) : undefined);
    driver.send([{ type: "SUPPRESS" }]);
    await until(() => master.streams.length === 2);
  });

  test("a framework that was removed registers as a new one", async () => {
    const master = await startMaster();
    startDriver(detectorOf(master.at));
    await until(() => master.streams.length === 1);
    master.streams[0]?.send(
      JSON.stringify({ type: "ERROR", error: { message: "Framework has been removed" } }),
    );
    await until(() => master.streams.length === 2);
    expect(master.calls.filter(({ type }) => type === "SUBSCRIBE")[1]).not.toHaveProperty("framework_id");
  });

  test("events that only an Apache Mesos sends do no harm", async () => {
    const master = await startMaster();
    startDriver(detectorOf(master.at));
    await until(() => master.streams.length === 1);
    master.streams[0]?.send(
      JSON.stringify({ type: "INVERSE_OFFERS", inverse_offers: { inverse_offers: [] } }),
    );
    master.streams[0]?.send(JSON.stringify({ type: "OFFERS", offers: { offers: [] } }));
    await until(() => said.includes("OFFERS"));
    expect(said).not.toContain("disconnected");
  });
});

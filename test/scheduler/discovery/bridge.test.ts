import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer as createNodeServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JsonValue } from "../../../src/base/json.ts";
import { Bridge, type BridgeOptions, runBridge } from "../../../src/scheduler/discovery/daemon.ts";
import { type EventWriter, eventStreamResponse } from "../../../src/scheduler/http/event-stream.ts";
import { createServer, type HttpServer } from "../../../src/scheduler/http/http-server.ts";
import { jsonResponse, redirectResponse } from "../../../src/scheduler/http/response.ts";

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Says what it is told to, and counts who follows its events. */
class FakeMarathon {
  answer: JsonValue = { apps: [] };
  status = 200;
  asked = 0;
  leader: string | undefined;
  readonly followers = new Set<EventWriter>();
  url = "";
  server: HttpServer | undefined;

  async start(): Promise<this> {
    this.server = createServer({
      limits: { closeGraceMs: 20 },
      routes: [
        {
          method: "GET",
          path: "/v2/apps",
          handle: () => {
            this.asked += 1;
            return jsonResponse(this.status, this.answer);
          },
        },
        {
          method: "GET",
          path: "/v2/events",
          handle: () =>
            this.leader === undefined
              ? eventStreamResponse({ start: (writer) => this.#follow(writer) })
              : redirectResponse(302, `${this.leader}/v2/events`),
        },
      ],
    });
    this.url = `http://127.0.0.1:${(await this.server.listen(0, "127.0.0.1")).port}`;
    cleanups.push(async () => this.stop());
    return this;
  }

  stop(): Promise<void> {
    return this.server?.close() ?? Promise.resolve();
  }

  tell(): void {
    for (const follower of this.followers) follower.send("status_update_event", "{}");
  }

  #follow(writer: EventWriter): void {
    this.followers.add(writer);
    writer.closed.addEventListener("abort", () => this.followers.delete(writer));
  }
}

const appOn = (port: number, servicePort = 10_000): JsonValue => ({
  apps: [{ id: "/www", ports: [servicePort], tasks: [{ id: "www.1", host: "s1", ports: [port] }] }],
});

describe("the bridge", () => {
  let folder: string;
  let options: BridgeOptions;
  let marathon: FakeMarathon;
  let lines: string[];
  const config = (): string => join(folder, "haproxy.cfg");
  const reloads = async (): Promise<number> =>
    (await readFile(join(folder, "reloads"), "utf8").catch(() => "")).length;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "provision-bridge-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    marathon = await new FakeMarathon().start();
    lines = [];
    options = {
      marathons: [marathon.url],
      config: config(),
      haproxy: { haproxyVersion: "2.6" },
      // Stands for `haproxy -c -f`: refuses what names a server "bad".
      check: ["sh", "-c", `! grep 'server bad' "$1"`, "sh"],
      reload: ["sh", "-c", `test ! -e "$1/stuck" && printf r >> "$1/reloads"`, "sh", folder],
      quietMs: 20,
      log: (line) => void lines.push(line),
    };
  });

  test("a difference is written and reloaded once; the same again does nothing", async () => {
    marathon.answer = appOn(31_000);
    const bridge = new Bridge(options);
    expect(await bridge.sync()).toEqual({ outcome: "replaced" });
    expect(await bridge.sync()).toEqual({ outcome: "unchanged" });
    expect(await readFile(config(), "utf8")).toContain("server www.1:31000 s1:31000");
    expect(await reloads()).toBe(1);
    expect(await readdir(folder)).toEqual(["haproxy.cfg", "reloads"]);
  });

  test("owner and mode stay, but others never read the password; somebody's own file is kept", async () => {
    await writeFile(config(), "global\n");
    await chmod(config(), 0o644);
    await new Bridge(options).sync();
    expect((await stat(config())).mode & 0o777).toBe(0o640);
    expect(await readFile(`${config()}.before-provision`, "utf8")).toBe("global\n");
  });

  test("a configuration that haproxy refuses is not put in place, and not tried again", async () => {
    marathon.answer = appOn(31_000);
    const bridge = new Bridge(options);
    await bridge.sync();
    const good = await readFile(config(), "utf8");
    marathon.answer = {
      apps: [{ id: "/x", ports: [10_001], tasks: [{ id: "bad", host: "s1", ports: [31_000] }] }],
    };
    expect(await bridge.sync()).toMatchObject({ outcome: "refused", by: "check" });
    expect(await bridge.sync()).toMatchObject({ outcome: "refused", by: "check" });
    expect(await readFile(config(), "utf8")).toBe(good);
    expect(lines.filter((line) => line.includes("haproxy refuses"))).toHaveLength(1);
    expect(await reloads()).toBe(1);
    expect(await readdir(folder)).toEqual(["haproxy.cfg", "reloads"]);
  });

  test("if the reload fails the old file is put back", async () => {
    marathon.answer = appOn(31_000);
    await new Bridge(options).sync();
    const good = await readFile(config(), "utf8");
    await writeFile(join(folder, "stuck"), "");
    marathon.answer = appOn(31_001);
    expect(await new Bridge(options).sync()).toMatchObject({ outcome: "refused", by: "reload" });
    expect(await readFile(config(), "utf8")).toBe(good);
    await rm(join(folder, "stuck"));
    expect(await new Bridge(options).sync()).toEqual({ outcome: "replaced" });
    expect(await readFile(config(), "utf8")).toContain(":31001");
  });

  test("a reload that was owed when the process died is made up for", async () => {
    await new Bridge(options).sync();
    await writeFile(`${config()}.reload-owed`, "");
    expect(await new Bridge(options).sync()).toEqual({ outcome: "replaced" });
    expect(await new Bridge(options).sync()).toEqual({ outcome: "unchanged" });
    expect(await reloads()).toBe(2);
  });

  test.each([
    ["an error", 503, { message: "no" }],
    ["something else", 200, { message: "hi" }],
    ["a string", 200, "<html>"],
  ])("%s instead of apps leaves the last good file", async (_, status, answer) => {
    marathon.answer = appOn(31_000);
    const bridge = new Bridge(options);
    await bridge.sync();
    Object.assign(marathon, { status, answer });
    expect(await bridge.sync()).toMatchObject({ outcome: "away" });
    expect(await bridge.sync()).toMatchObject({ outcome: "away" });
    expect(await readFile(config(), "utf8")).toContain(":31000");
    expect(lines.filter((line) => line.includes("no Marathon answers"))).toHaveLength(1);
  });

  test("the first Marathon that answers serves, and is asked first from then on", async () => {
    const second = await new FakeMarathon().start();
    second.answer = appOn(31_007);
    const bridge = new Bridge({
      ...options,
      marathons: ["http://127.0.0.1:1", marathon.url, `${second.url}/`],
    });
    marathon.status = 502;
    expect(await bridge.sync()).toEqual({ outcome: "replaced" });
    marathon.asked = 0;
    await bridge.sync();
    expect([marathon.asked, second.asked]).toEqual([0, 2]);
  });

  test("a service port that another program has is left out and told", async () => {
    const taken = createNodeServer();
    await new Promise<void>((resolve) => taken.listen(0, "0.0.0.0", resolve));
    cleanups.push(async () => void taken.close());
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    marathon.answer = appOn(31_000, port);
    await new Bridge({ ...options, haproxy: { ...options.haproxy, taskPorts: [] } }).sync();
    expect(await readFile(config(), "utf8")).not.toContain(`:${port}`);
    expect(lines).toContainEqual(expect.stringContaining("another program on this node listens there"));
  });

  test("running, it follows events at once, wherever the leader is, and stops when told", async () => {
    const leader = await new FakeMarathon().start();
    marathon.leader = leader.url;
    marathon.answer = appOn(31_000);
    const running = runBridge({ ...options, pollIntervalMs: 60_000 });
    cleanups.push(() => running.stop());
    await eventually(async () => leader.followers.size > 0 && (await reloads()) === 1);
    await pause(100);
    marathon.answer = appOn(31_001);
    const askedBefore = marathon.asked;
    for (let left = 5; left > 0; left--) leader.tell();
    await eventually(async () => (await readFile(config(), "utf8")).includes(":31001"));
    expect(marathon.asked - askedBefore).toBeLessThanOrEqual(2);
    // The file is replaced before the reload that follows it.
    await eventually(async () => (await reloads()) === 2);
  });

  test("without events, polling finds what has changed", async () => {
    marathon.leader = "http://127.0.0.1:1";
    const running = runBridge({ ...options, pollIntervalMs: 30 });
    cleanups.push(() => running.stop());
    await eventually(async () => (await reloads()) === 1);
    marathon.answer = appOn(31_002);
    await eventually(async () => (await readFile(config(), "utf8")).includes(":31002"));
    await eventually(async () => lines.some((line) => line.includes("polling goes on")));
  });
});

async function eventually(probe: () => Promise<boolean>): Promise<void> {
  for (let left = 300; left > 0; left--) {
    if (await probe()) return;
    await pause(10);
  }
  throw new Error("it did not come");
}

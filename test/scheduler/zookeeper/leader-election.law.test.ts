import { setTimeout as pause } from "node:timers/promises";
import { afterEach, describe, expect, onTestFailed, test } from "vitest";
import { LeaderDetector } from "../../../src/scheduler/zookeeper/leader-detector.ts";
import { LeaderElection } from "../../../src/scheduler/zookeeper/leader-election.ts";
import { ZooKeeperClient } from "../../../src/scheduler/zookeeper/zookeeper-client.ts";
import { seeded } from "../../support/seeded.ts";
import { startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { startZooKeeper, whyNoZooKeeper, type ZooKeeperEnsemble } from "../../support/zookeeper.ts";

const sessionTimeoutMs = 2_000;
const path = "/mesos";
const prefix = "json.info_";
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Contender {
  readonly name: string;
  readonly election: LeaderElection;
  readonly client: ZooKeeperClient;
  readonly lines: readonly TcpProxy[];
}

/** Three contenders, each with a line of its own to every server, and a record of who claimed to lead when. */
class Contest {
  readonly contenders: Contender[] = [];
  readonly history: string[] = [];
  #polling: NodeJS.Timeout | undefined;
  #worst: readonly string[] = [];

  async start(ensemble: ZooKeeperEnsemble, count = 3): Promise<void> {
    for (let index = 0; index < count; index++) this.contenders.push(await this.#add(ensemble, `m${index}`));
    this.#polling = setInterval(() => this.#look(), 5);
    cleanups.push(() => this.#stop());
    onTestFailed(() => console.error(this.history.join("\n")));
  }

  leaders(): readonly Contender[] {
    return this.contenders.filter(({ election }) => election.isLeader());
  }

  async leader(except?: Contender): Promise<Contender> {
    return await eventually("a leader", () => this.leaders().find((found) => found !== except));
  }

  expectNeverTwo(): void {
    expect(this.#worst).toEqual([]);
  }

  #look(): void {
    const names = this.leaders().map(({ name }) => name);
    if (names.length > 1) this.#worst = names;
  }

  async #add(ensemble: ZooKeeperEnsemble, name: string): Promise<Contender> {
    const lines = await Promise.all(ensemble.servers.map((server) => startTcpProxy(server)));
    const servers = lines.map(({ port }) => ({ host: "127.0.0.1", port }));
    const client = await ZooKeeperClient.connect({
      servers,
      sessionTimeoutMs,
      log: (line) => this.#tell(`${name}: ${line}`),
    });
    const election = new LeaderElection({
      client,
      path,
      prefix,
      content: JSON.stringify({ hostname: name }),
      onElected: () => {
        this.#tell(`${name} elected`);
        this.#look();
      },
      onLost: (why) => this.#tell(`${name} lost: ${why}`),
      log: (line) => this.#tell(`${name}: ${line}`),
    });
    election.start();
    return { name, election, client, lines };
  }

  #tell(line: string): void {
    this.history.push(`${Math.round(performance.now())} ${line}`);
  }

  async #stop(): Promise<void> {
    clearInterval(this.#polling);
    for (const { client, lines } of this.contenders) {
      for (const line of lines) line.mend();
      await client.close();
      await Promise.all(lines.map((line) => line.close()));
    }
  }
}

async function eventually<T>(what: string, probe: () => T | undefined, timeoutMs = 20_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const found = probe();
    if (found !== undefined) return found;
    await pause(10);
  }
  throw new Error(`${what} did not come within ${timeoutMs} ms`);
}

async function ensembleOf(size: 1 | 3): Promise<ZooKeeperEnsemble> {
  const ensemble = await startZooKeeper({ size });
  cleanups.push(() => ensemble.stop());
  return ensemble;
}

async function contest(size: 1 | 3): Promise<{ contest: Contest; ensemble: ZooKeeperEnsemble }> {
  const ensemble = await ensembleOf(size);
  const running = new Contest();
  await running.start(ensemble);
  return { contest: running, ensemble };
}

describe.skipIf(whyNoZooKeeper !== undefined)("leader election on a real ZooKeeper", () => {
  test("one of three leads; when it resigns the next does at once, and it may stand again", async () => {
    const { contest: running } = await contest(1);
    const first = await running.leader();
    const startedAt = performance.now();
    await first.election.resign();
    const second = await running.leader(first);
    expect(performance.now() - startedAt).toBeLessThan(sessionTimeoutMs / 2);
    first.election.start();
    await pause(200);
    expect(running.leaders()).toEqual([second]);
    running.expectNeverTwo();
  });

  test("a leader that is cut off steps down before another leads, and does not come back as leader", async () => {
    const { contest: running } = await contest(1);
    const first = await running.leader();
    for (const line of first.lines) line.cut();
    const second = await running.leader(first);
    expect(first.election.isLeader()).toBe(false);
    for (const line of first.lines) line.mend();
    await eventually("the first to stand again", () => first.election.ownPath);
    await pause(200);
    expect(running.leaders()).toEqual([second]);
    running.expectNeverTwo();
  });

  test("a leader whose line falls silent steps down by its own clock, before the session ends", async () => {
    const { contest: running } = await contest(1);
    const first = await running.leader();
    const startedAt = performance.now();
    for (const line of first.lines) line.silence();
    await eventually("stepping down", () => (first.election.isLeader() ? undefined : true));
    expect(performance.now() - startedAt).toBeLessThan(sessionTimeoutMs);
    await running.leader(first);
    running.expectNeverTwo();
  });

  test("a leader goes on when the server that it speaks to falls silent and the others do not", async () => {
    const { contest: running } = await contest(3);
    const first = await running.leader();
    for (const line of first.lines) if (line.isUsed) line.silence();
    await eventually(
      "the loss",
      () => running.history.some((line) => line.includes("silent for")) || undefined,
    );
    await pause(sessionTimeoutMs);
    expect(running.leaders()).toEqual([first]);
    expect(running.history.filter((line) => line.includes("lost"))).toEqual([]);
    running.expectNeverTwo();
  });

  test("a short cut changes nothing", async () => {
    const { contest: running } = await contest(3);
    const first = await running.leader();
    for (const line of first.lines) line.cut();
    await pause(sessionTimeoutMs / 4);
    for (const line of first.lines) line.mend();
    await eventually("reconnect", () => first.client.isConnected || undefined);
    await pause(sessionTimeoutMs);
    expect(running.leaders()).toEqual([first]);
    expect(running.history.filter((line) => line.includes("lost"))).toEqual([]);
    running.expectNeverTwo();
  });

  test("ZooKeeper's own leader killed: still one leader, and never two", async () => {
    const { contest: running, ensemble } = await contest(3);
    await running.leader();
    const killed = await ensemble.leader();
    await killed.kill();
    await running.leader();
    await killed.start();
    await running.leader();
    running.expectNeverTwo();
  });

  test("a server paused under the leader: it moves on or another leads, and never two", async () => {
    const { contest: running, ensemble } = await contest(3);
    for (const server of ensemble.servers) {
      await running.leader();
      server.pause();
      await pause(sessionTimeoutMs * 1.5);
      server.resume();
    }
    await running.leader();
    running.expectNeverTwo();
  });

  test("without a majority nobody leads", async () => {
    const { contest: running, ensemble } = await contest(3);
    await running.leader();
    await Promise.all(ensemble.servers.slice(1).map((server) => server.kill()));
    await eventually("nobody", () => (running.leaders().length === 0 ? true : undefined));
    await pause(sessionTimeoutMs);
    expect(running.leaders()).toEqual([]);
    await Promise.all(ensemble.servers.slice(1).map((server) => server.start()));
    await running.leader();
    running.expectNeverTwo();
  });

  test("a leader whose node is removed by hand steps down", async () => {
    const { contest: running } = await contest(1);
    const first = await running.leader();
    const [other] = running.contenders.filter((each) => each !== first);
    await other?.client.delete(first.election.ownPath ?? "");
    await eventually("stepping down", () =>
      running.history.find((line) => line.includes(`${first.name} lost: our node was removed`)),
    );
    await running.leader();
  });

  test("a node of this process's past is not waited for", async () => {
    const ensemble = await ensembleOf(1);
    const options = { servers: ensemble.servers, sessionTimeoutMs: 4_000 };
    const past = await ZooKeeperClient.connect(options);
    const present = await ZooKeeperClient.connect(options);
    cleanups.push(
      () => past.close(),
      () => present.close(),
    );
    await past.createRecursive(path);
    await past.create(`${path}/${prefix}`, Buffer.from("m1:5050"), { mode: "ephemeral-sequential" });
    let isElected = false;
    const election = new LeaderElection({
      client: present,
      path,
      prefix,
      content: "m1:5050",
      isOwnPast: (content) => content.toString() === "m1:5050",
      onElected: () => {
        isElected = true;
      },
      onLost: () => undefined,
    });
    election.start();
    await eventually("being elected", () => isElected || undefined, 1_000);
  });

  test.skipIf(process.env.PROVISION_TEST_LONG !== "1")(
    "whatever fails, in whatever order, never two lead, and in the end one does (long)",
    { timeout: 300_000 },
    async () => {
      const { contest: running, ensemble } = await contest(3);
      const seed = Number(process.env.PROVISION_TEST_SEED ?? Date.now() % 1_000_000);
      running.history.push(`seed ${seed}`);
      const random = seeded(seed);
      const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
      const lines = running.contenders.flatMap((each) => each.lines);
      for (let left = 60; left > 0; left--) {
        const server = pick(ensemble.servers);
        const act = pick(["cut", "silence", "mend", "mend", "pause", "kill", "resign", "all"]);
        running.history.push(`${Math.round(performance.now())} ${act}`);
        if (act === "cut" || act === "silence" || act === "mend") pick(lines)[act]();
        if (act === "all") for (const line of pick(running.contenders).lines) line.silence();
        if (act === "pause") server.pause();
        if (act === "kill") await server.kill();
        if (act === "resign") {
          const { election } = pick(running.contenders);
          await election.resign();
          election.start();
        }
        await pause(random() * sessionTimeoutMs);
        for (const each of ensemble.servers) each.resume();
        await Promise.all(ensemble.servers.map((each) => each.isRunning || each.start()));
        running.expectNeverTwo();
      }
      for (const line of lines) line.mend();
      await running.leader();
      running.expectNeverTwo();
    },
  );

  test("a detector follows the leader, and keeps the last one while ZooKeeper is away", async () => {
    const { contest: running, ensemble } = await contest(1);
    const seen: (string | undefined)[] = [];
    const client = await ZooKeeperClient.connect({ servers: ensemble.servers, sessionTimeoutMs });
    cleanups.push(() => client.close());
    const detector = new LeaderDetector({
      client,
      path,
      prefix,
      onChange: (leader) => seen.push(leader && JSON.parse(leader.content.toString()).hostname),
    });
    detector.start();
    cleanups.push(async () => detector.stop());
    const first = await running.leader();
    await eventually("the first", () => (seen.at(-1) === first.name ? true : undefined));
    await first.election.resign();
    const second = await running.leader(first);
    await eventually("the second", () => (seen.at(-1) === second.name ? true : undefined));
    const [server] = ensemble.servers;
    await server?.kill();
    await pause(300);
    expect(seen.at(-1)).toBe(second.name);
    await server?.start();
    await eventually("someone", () => detector.leader);
    running.expectNeverTwo();
  });
});

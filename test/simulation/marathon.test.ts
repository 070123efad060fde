import { describe, expect, test } from "vitest";
import { appOfInstance } from "../../src/scheduler/marathon/model/instance.ts";
import { parseAppUpdate } from "../../src/scheduler/marathon/model/parse-app.ts";
import { seeded } from "../support/seeded.ts";
import { SimulatedMarathon } from "./simulated-marathon.ts";
import { SimulatedMesos } from "./simulated-mesos.ts";
import { VirtualTime } from "./virtual-time.ts";

const seeds = Array.from(
  { length: process.env.PROVISION_TEST_LONG === "1" ? 400 : 25 },
  (_, seed) => seed + 1,
);
const settleMs = 1_200_000;

class Cluster {
  readonly time: VirtualTime;
  readonly mesos: SimulatedMesos;
  readonly marathon: SimulatedMarathon;
  /** What clients were told is true: instances by app; undefined: it was deleted. */
  readonly acknowledged = new Map<string, number | undefined>();
  /** Apps of which a client never heard the outcome. */
  readonly uncertain = new Set<string>();

  constructor(seed: number, actsTooEarly = false) {
    this.time = new VirtualTime(seeded(seed));
    this.mesos = new SimulatedMesos(this.time, 3);
    this.marathon = new SimulatedMarathon(this.time, this.mesos, actsTooEarly);
  }

  put(id: string, instances: number): void {
    const update = parseAppUpdate({ cmd: "serve", cpus: 0.2, mem: 32, instances });
    const command = {
      kind: "updateApps" as const,
      updates: [{ id, update }],
      partial: true,
      create: true,
      force: true,
    };
    this.marathon.run(command, (reply) => {
      if (reply === undefined) this.uncertain.add(id);
      else if (reply.ok) this.#acknowledge(id, instances);
    });
  }

  delete(id: string): void {
    this.marathon.run({ kind: "deleteApp", id, force: true }, (reply) => {
      if (reply === undefined) this.uncertain.add(id);
      else if (reply.ok) this.#acknowledge(id, undefined);
    });
  }

  #acknowledge(id: string, instances: number | undefined): void {
    this.uncertain.delete(id);
    this.acknowledged.set(id, instances);
  }

  count(id: string): number {
    return this.mesos.running.filter(({ task }) => appOfInstance(task) === id).length;
  }

  /** No task runs on two agents. */
  expectNoDoubles(): void {
    const tasks = this.mesos.running.map(({ task }) => task);
    expect(new Set(tasks).size).toBe(tasks.length);
  }

  /** Every acknowledged app is there with just its instances, and nothing else runs. */
  expectSettled(): void {
    const wanted = new Map<string, number>();
    for (const app of this.marathon.state?.apps.values() ?? []) wanted.set(app.id, app.instances);
    for (const [id, instances] of this.acknowledged) {
      if (!this.uncertain.has(id)) expect([id, wanted.get(id)]).toEqual([id, instances]);
    }
    for (const [id, instances] of wanted) expect([id, this.count(id)]).toEqual([id, instances]);
    const total = [...wanted.values()].reduce((sum, instances) => sum + instances, 0);
    expect(this.mesos.running).toHaveLength(total);
    expect(this.marathon.state?.deployments.size).toBe(0);
  }
}

async function launchThroughKills(cluster: Cluster): Promise<void> {
  const { time, mesos, marathon } = cluster;
  await time.run(3_000);
  for (const id of ["/a", "/b", "/c"]) cluster.put(id, 4);
  await time.run(30);
  marathon.crashRate = 0.4;
  for (let step = 0; step < 200; step += 1) {
    await time.run(time.between(1, 400));
    if (time.random() < 0.02) marathon.kill();
    if (time.random() < 0.02) mesos.kill();
    const agent = mesos.agents[time.between(0, 2)];
    const [task] = agent?.containers ?? [];
    if (task !== undefined && time.random() < 0.2) agent?.fail(task);
    cluster.expectNoDoubles();
    for (const id of ["/a", "/b", "/c"]) expect(cluster.count(id)).toBeLessThanOrEqual(4);
  }
  marathon.crashRate = 0;
  await time.run(settleMs);
  cluster.expectSettled();
}

describe("Marathon with masters and agents under a seed", () => {
  test.each(seeds)("leaders killed again and again never touch a running task (seed %i)", async (seed) => {
    const cluster = new Cluster(seed);
    const { time, mesos, marathon } = cluster;
    await time.run(5_000);
    cluster.put("/a", 5);
    cluster.put("/b", 3);
    await time.run(60_000);
    const before = mesos.running.map(({ task, agent }) => `${task} ${agent}`).toSorted();
    expect(before).toHaveLength(8);
    for (let round = 0; round < 6; round += 1) {
      if (time.random() < 0.6) mesos.kill();
      if (time.random() < 0.6) marathon.kill();
      await time.run(time.between(100, 40_000));
      expect(mesos.running.map(({ task, agent }) => `${task} ${agent}`).toSorted()).toEqual(before);
    }
    await time.run(settleMs);
    expect(mesos.running.map(({ task, agent }) => `${task} ${agent}`).toSorted()).toEqual(before);
    cluster.expectSettled();
  });

  test.each(seeds)("launching through kills of leaders never runs too many (seed %i)", async (seed) => {
    await launchThroughKills(new Cluster(seed * 7919));
  });

  test("a Marathon that speaks before it stores is found out", async () => {
    const outcomes = await Promise.allSettled(
      seeds.slice(0, 25).map((seed) => launchThroughKills(new Cluster(seed * 7919, true))),
    );
    expect(outcomes.filter(({ status }) => status === "rejected").length).toBeGreaterThan(0);
  });

  test.each(seeds)("an acknowledged app is never lost, whatever fails (seed %i)", async (seed) => {
    const cluster = new Cluster(seed * 104_729);
    const { time, mesos, marathon } = cluster;
    const ids = ["/a", "/b", "/group/c", "/group/d"];
    marathon.crashRate = 0.1;
    for (let step = 0; step < 60; step += 1) {
      await time.run(time.between(50, 8_000));
      const id = ids[time.between(0, 3)] ?? "/a";
      const dice = time.random();
      if (dice < 0.35) cluster.put(id, time.between(0, 6));
      else if (dice < 0.45) cluster.delete(id);
      else if (dice < 0.55) marathon.kill();
      else if (dice < 0.65) mesos.kill();
      else if (dice < 0.75) mesos.agents[time.between(0, 2)]?.cutOff(time.between(1_000, 200_000));
      else {
        const agent = mesos.agents[time.between(0, 2)];
        const [task] = agent?.containers ?? [];
        if (task !== undefined) agent?.fail(task);
      }
      cluster.expectNoDoubles();
    }
    marathon.crashRate = 0;
    await time.run(settleMs);
    cluster.expectSettled();
  });
});

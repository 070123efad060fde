import { describe, expect, test } from "vitest";
import { seeded } from "../support/seeded.ts";
import { World } from "./mesos-world.ts";
import { isEnd } from "./mesos-world-framework.ts";
import { VirtualTime } from "./virtual-time.ts";

const pick = <T>(time: VirtualTime, items: readonly T[]): T | undefined =>
  items[time.between(0, items.length - 1)];

/** One misfortune, and when it is mended again. */
function disturb(world: World): void {
  const { time } = world;
  const heal = time.between(2_000, 150_000);
  const master = pick(time, world.masters);
  const agent = pick(time, world.agents);
  const [containerId] = agent?.containers.keys() ?? [];
  const taskId = pick(time, world.framework.living());
  switch (time.between(0, 7)) {
    case 0:
      world.ensemble.leader?.die();
      break;
    case 1:
      master?.die();
      break;
    case 2:
      if (master !== undefined) master.isCutFromEnsemble = true;
      break;
    case 3:
      agent?.cutOff();
      break;
    case 4:
      if (agent?.isAlive === true) agent.crash();
      break;
    case 5:
      world.framework.disconnect();
      break;
    case 6:
      if (taskId !== undefined) world.framework.kill(taskId);
      break;
    default:
      if (containerId !== undefined) agent?.endContainer(containerId, time.between(0, 1));
  }
  time.after(heal, () => mend(world));
}

function mend(world: World): void {
  for (const master of world.masters) {
    master.isCutFromEnsemble = false;
    if (!master.isAlive) master.revive();
  }
  for (const agent of world.agents) {
    agent.isCut = false;
    if (!agent.isAlive) agent.restart();
  }
}

async function live(seed: number, info: object): Promise<World> {
  const time = new VirtualTime(seeded(seed));
  const world = new World(time, info);
  await time.run(20_000);
  for (let round = 0; round < 40; round++) {
    disturb(world);
    await time.run(time.between(500, 30_000));
  }
  world.framework.wants = 0;
  world.loss = 0;
  mend(world);
  await time.run(400_000);
  return world;
}

const rounds = process.env.PROVISION_TEST_LONG === undefined ? 25 : 1_000;
const first = Number(process.env.SIMULATION_SEED ?? 1);
const partitionAware = { capabilities: [{ type: "PARTITION_AWARE" }] };

describe.each([
  ["knows partitions", partitionAware],
  ["does not know partitions", {}],
])("a cluster under a framework that %s", (_name, info) => {
  test("never has two leaders, runs a task twice or hands out resources twice, and settles", {
    timeout: 600_000,
  }, async () => {
    let begun = 0;
    for (let seed = first; seed < first + rounds; seed++) {
      const world = await live(seed, info);
      expect(world.violations, `seed ${seed}`).toEqual([]);
      const running = new Set(world.running());
      const believed = new Set(
        world.framework
          .living()
          .filter((taskId) => world.framework.states.get(taskId) !== "TASK_UNREACHABLE"),
      );
      expect([...believed].sort(), `seed ${seed}: what the framework believes to run`).toEqual(
        [...running].sort(),
      );
      for (const agent of world.agents)
        for (const task of agent.state.tasks.values())
          expect([seed, isEnd(task.state), task.unacknowledged.length], "nothing waits to be told").toEqual([
            seed,
            false,
            0,
          ]);
      begun += world.begun;
    }
    expect(begun).toBeGreaterThan(rounds * 10);
  });
});

test("the same seed gives the same course", async () => {
  const [one, other] = [await live(7, partitionAware), await live(7, partitionAware)];
  expect([...one.framework.states]).toEqual([...other.framework.states]);
});

import { describe, expect, test } from "vitest";
import { taskJson } from "../../../src/scheduler/marathon/api/task-json.ts";
import { World } from "./support/world.ts";

const app = { id: "www", cmd: "serve", cpus: 0.5, mem: 64, ports: [0] };
const drainMs = 2_000;

const upgraded = (): { world: World; old: string } => {
  const world = new World({ drainMs });
  world.up({ ...app, instances: 1 }, { a1: {} });
  const old = world.instances("/www")[0]?.id ?? "";
  world.update("/www", { cmd: "serve better" });
  world.offer({ a1: {} });
  world.calls.length = 0;
  world.events.length = 0;
  return { world, old };
};
const killsOf = (world: World): readonly string[] =>
  world.calls.flatMap((call) => (call.type === "KILL" ? [call.kill.task_id.value] : []));
const stateOf = (world: World, id: string): unknown =>
  world.instances("/www").flatMap((one) => (one.id === id ? [taskJson(world.state, one).state] : []))[0];

describe("an instance that others take over from", () => {
  test("is shown as leaving when the new one is ready, and killed only when proxies have had their time", () => {
    const { world, old } = upgraded();
    expect(stateOf(world, old)).toBe("TASK_RUNNING");
    world.runAll("/www");
    expect(stateOf(world, old)).toBe("TASK_KILLING");
    expect(world.events).toContainEqual(
      expect.objectContaining({
        eventType: "instance_changed_event",
        instanceId: old,
        goal: "Decommissioned",
      }),
    );
    world.wait(drainMs - 100);
    expect(killsOf(world)).toEqual([]);
    world.wait(100);
    expect(killsOf(world)).toEqual([old]);
  });

  test("holds its deployment until it has ended", () => {
    const { world } = upgraded();
    world.runAll("/www");
    world.wait(drainMs);
    expect(world.state.deployments.size).toBe(1);
    world.killAll("/www");
    expect(world.state.deployments.size).toBe(0);
  });

  test("is killed at once by the next leader, to whom it is a leftover", () => {
    const { world, old } = upgraded();
    world.runAll("/www");
    world.state = { ...world.state, kills: new Map() };
    const instance = world.instances("/www").find(({ id }) => id === old);
    if (instance !== undefined) world.status(instance, "TASK_RUNNING");
    world.wait(0);
    expect(killsOf(world)).toEqual([old]);
  });

  test("when an app is scaled down it drains, when the app goes nobody waits", () => {
    const world = new World({ drainMs });
    world.up({ ...app, instances: 3 }, { a1: {} });
    world.calls.length = 0;
    world.update("/www", { instances: 2 });
    expect(killsOf(world)).toEqual([]);
    world.wait(drainMs);
    expect(killsOf(world)).toHaveLength(1);
    world.killAll("/www");
    world.calls.length = 0;
    world.update("/www", { instances: 0 });
    expect(killsOf(world)).toHaveLength(2);
  });

  test("an instance that does not serve yet, or has no port, is killed at once", () => {
    for (const more of [{ ports: [] }, { ports: [0] }]) {
      const world = new World({ drainMs });
      world.create({ ...app, ...more, instances: 2 });
      world.offer({ a1: {} });
      if (more.ports.length === 0) world.runAll("/www");
      world.calls.length = 0;
      world.update("/www", { instances: 1 }, { force: true });
      expect(killsOf(world), JSON.stringify(more)).toHaveLength(1);
    }
  });
});

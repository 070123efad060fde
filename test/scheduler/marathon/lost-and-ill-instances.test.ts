import { describe, expect, test } from "vitest";
import { World } from "./support/world.ts";

const app = { id: "www", cmd: "serve", cpus: 0.5, mem: 64 };

describe("health", () => {
  const ill = (world: World, cause = "answered 500") => {
    const instanceId = world.living("/www")[0]?.id ?? "";
    world.send({ type: "health", result: { appId: "/www", instanceId, check: 0, alive: false, cause } });
  };
  const start = (): World => {
    const world = new World();
    const checks = [{ protocol: "HTTP", gracePeriodSeconds: 10, maxConsecutiveFailures: 2 }];
    world.create({ ...app, healthChecks: checks });
    world.offer({ a1: {} });
    world.runAll("/www");
    return world;
  };

  test("failures within the grace period do not count", () => {
    const world = start();
    ill(world);
    ill(world);
    ill(world);
    expect(world.killed()).toEqual([]);
    world.wait(11_000);
    ill(world);
    ill(world);
    expect(world.killed()).toHaveLength(1);
    expect(world.state.failures.get("/www")?.message).toContain("answered 500");
  });

  test("grace ends at the first success", () => {
    const world = start();
    const instanceId = world.living("/www")[0]?.id ?? "";
    world.send({ type: "health", result: { appId: "/www", instanceId, check: 0, alive: true } });
    ill(world);
    ill(world);
    expect(world.killed()).toEqual([instanceId]);
  });
});

describe("failover and partitions", () => {
  test("after a new subscription running tasks are asked about and none is killed", () => {
    const world = new World();
    world.up({ ...app, instances: 2 }, { a1: {} });
    world.calls.length = 0;
    world.send({ type: "disconnected" });
    world.send({ type: "subscribed", frameworkId: "fw", master: "m2:5050" });
    expect(world.calls.filter(({ type }) => type === "RECONCILE")).toHaveLength(2);
    for (const one of world.instances("/www")) {
      world.status(one, "TASK_RUNNING", { reason: "REASON_RECONCILIATION" });
    }
    expect([world.killed().length, world.living("/www").length]).toEqual([0, 2]);
  });

  test("a launch that nobody knows of is made again", () => {
    const world = new World();
    world.create(app);
    world.offer({ a1: {} });
    const [lost] = world.instances("/www");
    world.send({ type: "subscribed", frameworkId: "fw", master: "m2:5050" });
    if (lost !== undefined) world.status(lost, "TASK_UNKNOWN", { uuid: undefined });
    expect(world.instances("/www")).toEqual([]);
    world.offer({ a1: {} });
    expect(world.instances("/www")).toHaveLength(1);
  });

  test("a living task that is not ours to keep is ended", () => {
    const world = new World();
    world.status({ id: "gone.11111111-1111-4111-8111-111111111111", agentId: "a1" }, "TASK_RUNNING");
    expect(world.killed()).toEqual(["gone.11111111-1111-4111-8111-111111111111"]);
  });

  test("one that is being ended already is left to it", () => {
    const world = new World();
    world.status({ id: "gone.11111111-1111-4111-8111-111111111111", agentId: "a1" }, "TASK_KILLING");
    expect(world.killed()).toEqual([]);
  });

  test("an unreachable instance is replaced at once by default", () => {
    const world = new World();
    world.up(app, { a1: {} });
    const [one] = world.instances("/www");
    if (one !== undefined) world.status(one, "TASK_UNREACHABLE");
    expect(world.state.queue.get("/www")?.count).toBe(1);
  });

  test("the unreachable strategy is waited for: first inactive, then forgotten", () => {
    const world = new World();
    const unreachableStrategy = { inactiveAfterSeconds: 60, expungeAfterSeconds: 120 };
    world.up({ ...app, unreachableStrategy }, { a1: {} });
    const [one] = world.instances("/www");
    if (one === undefined) throw new Error("no instance");
    world.status(one, "TASK_UNREACHABLE");
    world.wait(59_000);
    expect(world.state.queue.size).toBe(0);
    world.wait(1_000);
    expect(world.state.queue.get("/www")?.count).toBe(1);
    world.offer({ a2: {} });
    world.runAll("/www");
    expect(world.instances("/www")).toHaveLength(2);
    world.wait(60_000);
    expect(world.instances("/www")).toHaveLength(1);
  });

  test("how long one is out of reach counts from the first that was heard of it", () => {
    const world = new World();
    const unreachableStrategy = { inactiveAfterSeconds: 0, expungeAfterSeconds: 120 };
    world.up({ ...app, unreachableStrategy }, { a1: {} });
    const [one] = world.instances("/www");
    if (one === undefined) throw new Error("no instance");
    for (let minute = 0; minute < 2; minute++) {
      world.status(one, "TASK_UNREACHABLE");
      world.wait(60_000);
    }
    expect(world.instances("/www")).toEqual([]);
  });

  test("a launch that nobody knows of is not waited for, whatever the unreachable strategy", () => {
    const world = new World();
    world.create({ ...app, unreachableStrategy: { inactiveAfterSeconds: 300, expungeAfterSeconds: 600 } });
    world.offer({ a1: {} });
    const [lost] = world.instances("/www");
    if (lost !== undefined) world.status(lost, "TASK_UNKNOWN", { uuid: undefined });
    expect(world.instances("/www")).toEqual([]);
  });

  test("what is said of an instance that was told to end does not bring its next kill forward", () => {
    const world = new World();
    world.up(app, { a1: {} });
    const [one] = world.instances("/www");
    if (one === undefined) throw new Error("no instance");
    world.run({ kind: "killTasks", ids: [one.id], scale: false, wipe: false, force: false });
    world.status(one, "TASK_RUNNING");
    world.wait(1_000);
    expect(world.killed()).toEqual([one.id]);
  });

  test("one that comes back in time is kept and its replacement ends", () => {
    const world = new World();
    const unreachableStrategy = { inactiveAfterSeconds: 0, expungeAfterSeconds: 600 };
    world.up({ ...app, unreachableStrategy }, { a1: {} });
    const [one] = world.instances("/www");
    if (one === undefined) throw new Error("no instance");
    world.status(one, "TASK_UNREACHABLE");
    world.wait(1_000);
    world.offer({ a2: {} });
    world.runAll("/www");
    world.status(one, "TASK_RUNNING");
    const other = world.instances("/www").find(({ id }) => id !== one.id);
    expect(world.killed()).toEqual([other?.id]);
  });

  test("what cannot be reached does not hold a deployment up", () => {
    const world = new World();
    world.up(app, { a1: {} });
    const [one] = world.instances("/www");
    world.run({ kind: "deleteApp", id: "/www", force: true });
    if (one !== undefined) world.status(one, "TASK_UNREACHABLE");
    expect([world.deployments(), world.instances("/www").length]).toEqual([0, 0]);
  });

  test("a launch that never runs is ended after the launch timeout", () => {
    const world = new World({ launchTimeoutMs: 60_000 });
    world.create(app);
    world.offer({ a1: {} });
    const [one] = world.instances("/www");
    if (one !== undefined) world.status(one, "TASK_STAGING");
    world.wait(60_000);
    expect(world.killed()).toEqual([one?.id]);
  });

  test("an update is acknowledged with what it says of the instance", () => {
    const world = new World();
    world.create(app);
    world.offer({ a1: {} });
    const [one] = world.instances("/www");
    const { calls, writes } = world.status(one ?? { id: "", agentId: "" }, "TASK_RUNNING");
    expect(calls).toContainEqual(expect.objectContaining({ type: "ACKNOWLEDGE" }));
    expect(writes).toContainEqual(expect.objectContaining({ kind: "instance", id: one?.id }));
  });

  test("a late update does not make a running task staging again", () => {
    const world = new World();
    world.up(app, { a1: {} });
    const [one] = world.instances("/www");
    world.status(one ?? { id: "", agentId: "" }, "TASK_STAGING");
    expect(world.instances("/www")[0]?.condition).toBe("running");
  });
});

import { describe, expect, test } from "vitest";
import { statusOf, World } from "./support/world.ts";

const app = { id: "www", cmd: "serve", cpus: 0.5, mem: 64 };

describe("scaling", () => {
  test("down ends the youngest, or the oldest when asked", () => {
    for (const [killSelection, expected] of [
      ["YOUNGEST_FIRST", 1],
      ["OLDEST_FIRST", 0],
    ] as const) {
      const world = new World();
      world.up({ ...app, killSelection }, { a1: {} });
      world.wait(1_000);
      world.update("/www", { instances: 2 });
      world.offer({ a1: {} });
      world.runAll("/www");
      const ids = world.instances("/www").map(({ id }) => id);
      world.update("/www", { instances: 1 });
      expect(world.killed()).toEqual([ids[expected]]);
    }
  });

  test("a deployment ends when what it killed is gone", () => {
    const world = new World();
    world.up({ ...app, instances: 2 }, { a1: {} });
    world.update("/www", { instances: 0 });
    expect(world.deployments()).toBe(1);
    world.killAll("/www");
    expect(world.deployments()).toBe(0);
    expect(world.events.at(-1)?.eventType).toBe("group_change_success");
  });

  test("kill and scale ends just the named instance", () => {
    const world = new World();
    world.up({ ...app, instances: 3 }, { a1: {} });
    const named = world.instances("/www")[1]?.id ?? "";
    world.run({ kind: "killTasks", ids: [named], scale: true, wipe: false, force: false });
    expect(world.killed()).toEqual([named]);
    expect(world.state.apps.get("/www")?.instances).toBe(2);
  });

  test("a killed task without scale is replaced", () => {
    const world = new World();
    world.up(app, { a1: {} });
    const ids = world.instances("/www").map(({ id }) => id);
    world.run({ kind: "killTasks", ids, scale: false, wipe: false, force: false });
    world.killAll("/www");
    world.offer({ a1: {} });
    expect(world.living("/www")).toHaveLength(1);
    expect(world.living("/www")[0]?.id).not.toBe(ids[0]);
  });

  test("kills are repeated until Mesos says that the task is gone", () => {
    const world = new World();
    world.up(app, { a1: {} });
    world.run({ kind: "deleteApp", id: "/www", force: true });
    world.wait(5_000);
    world.wait(10_000);
    expect(world.killed()).toHaveLength(3);
    world.killAll("/www");
    world.wait(60_000);
    expect(world.killed()).toHaveLength(3);
    expect(world.state.versions.size).toBe(0);
  });
});

describe("rolling upgrades", () => {
  const rolled = (strategy: object, instances = 4) => {
    const world = new World();
    world.up({ ...app, instances, upgradeStrategy: { ...strategy } }, { a1: { cpus: 100 } });
    world.update("/www", { cmd: "next" });
    return world;
  };

  test("the default starts all new ones before an old one goes", () => {
    const world = rolled({});
    expect(world.killed()).toEqual([]);
    expect(world.state.queue.get("/www")?.count).toBe(4);
    world.offer({ a1: { cpus: 100 } });
    const fresh = world.living("/www").slice(4);
    world.status(fresh[0] ?? { id: "", agentId: "" }, "TASK_RUNNING");
    expect(world.killed()).toHaveLength(1);
    world.runAll("/www");
    expect(world.killed()).toHaveLength(4);
    world.killAll("/www");
    expect(world.deployments()).toBe(0);
    expect(world.living("/www")).toHaveLength(4);
  });

  test("0.5 and 0: half goes at once and room is made for as many", () => {
    const world = rolled({ minimumHealthCapacity: 0.5, maximumOverCapacity: 0 });
    expect(world.killed()).toHaveLength(2);
    expect(world.state.queue.get("/www")?.count).toBe(2);
  });

  test("1 and 0: one more than wanted, or nothing could move", () => {
    const world = rolled({ minimumHealthCapacity: 1, maximumOverCapacity: 0 });
    expect(world.killed()).toEqual([]);
    expect(world.state.queue.get("/www")?.count).toBe(1);
  });

  test("never fewer serve than the strategy says, and it ends", () => {
    for (const [min, over] of [
      [1, 1],
      [1, 0],
      [0.5, 0],
      [0.75, 0.25],
      [0, 0],
      [0.3, 0.7],
    ] as const) {
      const world = rolled({ minimumHealthCapacity: min, maximumOverCapacity: over }, 5);
      const floor = Math.ceil(5 * min);
      for (let step = 0; step < 40 && world.deployments() > 0; step += 1) {
        world.offer({ a1: { cpus: 100 } });
        const next = world.living("/www").find(({ condition }) => condition === "launching");
        if (next !== undefined) world.status(next, "TASK_RUNNING");
        const running = world.living("/www").filter(({ condition }) => condition === "running");
        expect(running.length).toBeGreaterThanOrEqual(floor);
        world.killAll("/www");
      }
      expect(world.deployments()).toBe(0);
      expect(world.living("/www")).toHaveLength(5);
    }
  });

  test("new instances wait for their health checks before old ones go", () => {
    const world = new World();
    const checked = { ...app, healthChecks: [{ protocol: "TCP", gracePeriodSeconds: 5 }] };
    world.create(checked);
    world.offer({ a1: {} });
    world.runAll("/www");
    expect(world.deployments()).toBe(1);
    const [first] = world.instances("/www");
    const result = { appId: "/www", instanceId: first?.id ?? "", check: 0 };
    world.send({ type: "health", result: { ...result, alive: true } });
    expect(world.deployments()).toBe(0);
    world.update("/www", { cmd: "next" });
    world.offer({ a1: {} });
    world.runAll("/www");
    expect(world.killed()).toEqual([]);
    const second = world.living("/www")[1];
    world.send({ type: "health", result: { ...result, instanceId: second?.id ?? "", alive: true } });
    expect(world.killed()).toEqual([first?.id]);
  });

  test("new instances wait for their readiness checks", () => {
    const world = new World();
    world.create({ ...app, readinessChecks: [{ portName: "default" }] });
    world.offer({ a1: {} });
    world.runAll("/www");
    expect(world.deployments()).toBe(1);
    const instanceId = world.instances("/www")[0]?.id ?? "";
    world.send({ type: "readiness", result: { appId: "/www", instanceId, ready: true } });
    expect(world.deployments()).toBe(0);
  });

  test("ill old instances do not hold an upgrade up", () => {
    const world = new World();
    world.create({ ...app, instances: 2, healthChecks: [{ protocol: "TCP" }] });
    world.offer({ a1: {} });
    world.runAll("/www");
    const strategy = { minimumHealthCapacity: 1, maximumOverCapacity: 0 };
    world.update("/www", { cmd: "fixed", upgradeStrategy: strategy, healthChecks: [] }, { force: true });
    expect(world.killed()).toHaveLength(2);
    world.killAll("/www");
    world.offer({ a1: {} });
    world.runAll("/www");
    expect(world.deployments()).toBe(0);
  });

  test("restart replaces every instance of an unchanged app", () => {
    const world = new World();
    world.up({ ...app, instances: 2 }, { a1: {} });
    const before = world.instances("/www").map(({ id }) => id);
    world.run({ kind: "restartApp", id: "/www", force: false });
    world.offer({ a1: {} });
    world.runAll("/www");
    world.killAll("/www");
    expect(world.deployments()).toBe(0);
    expect(
      world
        .living("/www")
        .map(({ id }) => id)
        .some((id) => before.includes(id)),
    ).toBe(false);
  });
});

describe("deployments", () => {
  test("lock their apps; force ends the one before", () => {
    const world = new World();
    world.create(app);
    expect(statusOf(() => world.update("/www", { instances: 2 }))).toBe(409);
    world.update("/www", { instances: 2 }, { force: true });
    expect(world.deployments()).toBe(1);
    expect(world.events.some(({ eventType }) => eventType === "deployment_failed")).toBe(true);
  });

  test("an upgrade that is taken back keeps the old instances that are left", () => {
    const world = new World();
    world.up(
      { ...app, instances: 3, upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 } },
      { a1: {} },
    );
    const before = world.instances("/www").map(({ id }) => id);
    world.update("/www", { cmd: "bad" });
    world.offer({ a1: {} });
    const [id = ""] = world.state.deployments.keys();
    world.run({ kind: "revertDeployment", id, cancelOnly: false });
    expect(world.state.apps.get("/www")?.cmd).toBe("serve");
    world.killAll("/www");
    expect(world.deployments()).toBe(0);
    expect(world.living("/www").map((one) => one.id)).toEqual(before);
  });

  test("a creation that is taken back leaves nothing", () => {
    const world = new World();
    world.create(app);
    world.offer({ a1: {} });
    const [id = ""] = world.state.deployments.keys();
    world.run({ kind: "revertDeployment", id, cancelOnly: false });
    world.killAll("/www");
    expect(world.state.apps.size + world.deployments() + world.instances("/www").length).toBe(0);
  });

  test("dependencies come first", () => {
    const world = new World();
    world.run({
      kind: "changeGroup",
      id: "/shop",
      update: {
        apps: [
          { id: "web", cmd: "x", dependencies: ["/shop/db"] },
          { id: "db", cmd: "x" },
        ],
      },
      create: true,
      force: false,
      dryRun: false,
    });
    world.offer({ a1: {} });
    expect([world.instances("/shop/db").length, world.instances("/shop/web").length]).toEqual([1, 0]);
    world.runAll("/shop/db");
    world.offer({ a1: {} });
    world.runAll("/shop/web");
    expect(world.deployments()).toBe(0);
  });

  test("an identical update changes nothing and needs no deployment", () => {
    const world = new World();
    world.up(app, { a1: {} });
    const version = world.state.apps.get("/www")?.version;
    world.update("/www", app);
    expect(world.deployments()).toBe(0);
    expect(world.state.apps.get("/www")?.version).toBe(version);
  });

  test("no more than the limit run at once", () => {
    const world = new World({ maxRunningDeployments: 2 });
    world.create({ ...app, id: "a" });
    world.create({ ...app, id: "b" });
    expect(statusOf(() => world.create({ ...app, id: "c" }))).toBe(403);
    expect(world.state.apps.has("/c")).toBe(false);
  });
});

import { describe, expect, test } from "vitest";
import { ApiError } from "../../../src/scheduler/marathon/model/api-error.ts";
import { World } from "./support/world.ts";

const app = { id: "www", cmd: "serve", cpus: 0.5, mem: 64 };
const twoAgents = { a1: {}, a2: {} };

const statusOf = (work: () => unknown): number => {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
  return 200;
};

describe("launching", () => {
  test("four instances on two agents land on both", () => {
    const world = new World();
    world.create({ ...app, instances: 4 });
    world.offer(twoAgents);
    const agents = world.instances("/www").map(({ agentId }) => agentId);
    expect(agents.toSorted()).toEqual(["a1", "a1", "a2", "a2"]);
    expect(world.calls.filter(({ type }) => type === "ACCEPT")).toHaveLength(2);
  });

  test("four instances land on both agents even when these are offered one after another", () => {
    const world = new World();
    world.offer(twoAgents);
    world.create({ ...app, instances: 4 });
    world.offer({ a1: {} });
    world.offer({ a2: {} });
    expect(world.instances("/www").map(({ agentId }) => agentId)).toEqual(["a1", "a1", "a2", "a2"]);
  });

  test("an agent that stays silent is not waited for", () => {
    const world = new World();
    world.offer(twoAgents);
    world.create({ ...app, instances: 4 });
    world.offer({ a1: {} });
    world.wait(4_000);
    world.offer({ a1: {} });
    expect(world.instances("/www").map(({ agentId }) => agentId)).toEqual(["a1", "a1", "a1", "a1"]);
  });

  test("an instance is stored in the decision that launches it", () => {
    const world = new World();
    world.create(app);
    const { writes, calls } = world.offer({ a1: {} });
    const [task] = world.launches();
    expect(calls.some(({ type }) => type === "ACCEPT")).toBe(true);
    expect(writes).toContainEqual(expect.objectContaining({ kind: "instance", id: task?.task_id.value }));
  });

  test("nothing to launch: offers are declined for long and no more are asked for", () => {
    const world = new World();
    world.offer({ a1: {} });
    expect(world.calls.slice(-2)).toMatchObject([
      { type: "DECLINE", decline: { filters: { refuse_seconds: 120 } } },
      { type: "SUPPRESS" },
    ]);
    world.create(app);
    expect(world.calls.at(-1)).toMatchObject({ type: "REVIVE" });
  });

  test("resources are taken from what is offered, ports without repeats", () => {
    const world = new World();
    world.create({ ...app, cpus: 1, instances: 10, ports: [0, 0] });
    world.offer({ a1: { cpus: 3, ports: "31000-31009" } });
    expect(world.instances("/www")).toHaveLength(3);
    const ports = world.instances("/www").flatMap(({ hostPorts }) => hostPorts);
    expect(new Set(ports).size).toBe(6);
    expect(world.state.queue.get("/www")).toMatchObject({ count: 7 });
  });

  test("requirePorts takes just these", () => {
    const world = new World();
    world.create({ ...app, ports: [8080], requirePorts: true });
    world.offer({ a1: {} });
    expect(world.instances("/www")).toHaveLength(0);
    world.offer({ a1: {}, a2: {} });
    expect(world.state.queue.get("/www")).toMatchObject({
      processedOffers: 3,
      rejections: { InsufficientPorts: 3 },
      lastOffers: { processed: 2, rejections: { InsufficientPorts: 2 } },
    });
    world.offer({ a1: { ports: "8000-8100" } });
    expect(world.instances("/www")[0]?.hostPorts).toEqual([8080]);
  });

  test("the environment is Marathon's, and the user's wins", () => {
    const world = new World();
    world.create({
      ...app,
      env: { PORT: "mine", SECRET: "x" },
      ports: [0, 0],
      labels: { tier: "front" },
    });
    world.offer({ a1: { ports: "31000-31001" } });
    const [task] = world.launches();
    const env = Object.fromEntries(
      task?.command?.environment?.variables.map(({ name, value }) => [name, value]) ?? [],
    );
    expect(env).toMatchObject({
      HOST: "a1.local",
      PORT: "mine",
      SECRET: "x",
      MARATHON_APP_ID: "/www",
      MARATHON_APP_RESOURCE_CPUS: "0.5",
      MARATHON_APP_RESOURCE_MEM: "64.0",
      MARATHON_APP_LABELS: "TIER",
      MARATHON_APP_LABEL_TIER: "front",
      MESOS_TASK_ID: world.instances("/www")[0]?.id,
    });
    expect([env["PORT0"], env["PORT1"]].toSorted()).toEqual(["31000", "31001"]);
    expect(env["PORTS"]).toBe(`${env["PORT0"]},${env["PORT1"]}`);
  });

  test("the oldest container asks the agent for its EXPOSEd ports", () => {
    const world = new World();
    world.create({ id: "www", container: { image: "docker:///img" }, ports: [0] });
    world.offer({ a1: { ports: "31000-31000" } });
    expect(world.launches()[0]).toMatchObject({
      container: { type: "DOCKER", docker: { image: "img", network: "BRIDGE" } },
      labels: { labels: [{ key: "provision.exposed-ports", value: "31000" }] },
    });
    expect(world.launches()[0]?.container?.docker?.port_mappings).toBeUndefined();
  });

  test("service ports are unique in the cluster and stay over updates", () => {
    const world = new World();
    world.create({ ...app, id: "a", ports: [0, 0] });
    world.create({ ...app, id: "b", ports: [10_001 + 1, 0] });
    world.create({ ...app, id: "c" });
    const ports = (id: string) => world.state.apps.get(id)?.portDefinitions.map(({ port }) => port);
    expect([ports("/a"), ports("/b"), ports("/c")]).toEqual([[10_000, 10_001], [10_002, 10_003], [10_004]]);
    world.update("/a", { ports: [0, 0], cpus: 1 }, { force: true });
    expect(ports("/a")).toEqual([10_000, 10_001]);
    expect(statusOf(() => world.create({ ...app, id: "d", ports: [10_000] }))).toBe(422);
  });
});

describe("backoff", () => {
  const failing = (world: World): void => {
    world.offer({ a1: {} });
    const [one] = world.living("/www");
    if (one !== undefined) world.status(one, "TASK_FAILED");
  };

  test("multiplies with each failure, up to the limit", () => {
    const world = new World();
    world.create({ ...app, backoffSeconds: 2, backoffFactor: 3, maxLaunchDelaySeconds: 10 });
    const delays = [1, 2, 3, 4].map(() => {
      failing(world);
      const delay = world.state.backoffs.get("/www")?.delayMs ?? 0;
      world.wait(delay);
      return delay;
    });
    expect(delays).toEqual([2_000, 6_000, 10_000, 10_000]);
  });

  test("holds launches until it is over, then asks for offers", () => {
    const world = new World();
    world.create({ ...app, backoffSeconds: 5 });
    failing(world);
    world.offer({ a1: {} });
    expect(world.living("/www")).toEqual([]);
    const calls = world.calls.length;
    world.wait(5_000);
    expect(world.calls.slice(calls)).toContainEqual({ type: "REVIVE" });
    world.offer({ a1: {} });
    expect(world.living("/www")).toHaveLength(1);
  });

  test("is not for tasks that were killed", () => {
    const world = new World();
    world.up(app, { a1: {} });
    const [one] = world.living("/www");
    if (one !== undefined) world.status(one, "TASK_KILLED");
    expect(world.state.backoffs.size).toBe(0);
    expect(world.state.queue.get("/www")?.count).toBe(1);
  });

  test("is forgotten by DELETE of the delay and by a new configuration", () => {
    const world = new World();
    world.create({ ...app, backoffSeconds: 50 });
    failing(world);
    world.run({ kind: "resetDelay", id: "/www" });
    world.offer({ a1: {} });
    expect(world.living("/www")).toHaveLength(1);
    failing(world);
    world.update("/www", { cmd: "other" }, { force: true });
    world.offer({ a1: {} });
    expect(world.living("/www")).toHaveLength(1);
  });
});

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

import { describe, expect, test } from "vitest";
import { statusOf, World } from "./support/world.ts";

const app = { id: "www", cmd: "serve", cpus: 0.5, mem: 64 };
const twoAgents = { a1: {}, a2: {} };

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

  test("an agent that offered nothing for ten minutes is not waited for at all", () => {
    const world = new World();
    world.offer(twoAgents);
    world.wait(601_000);
    world.create({ ...app, instances: 4 });
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

import { describe, expect, test } from "vitest";
import { defaultSettings } from "../../../src/scheduler/marathon/core/state.ts";
import { ApiError } from "../../../src/scheduler/marathon/model/api-error.ts";
import { FencedStore } from "../../../src/scheduler/marathon/storage/fenced-store.ts";
import { loadState, operationsOf } from "../../../src/scheduler/marathon/storage/state-store.ts";
import { StoreConflict } from "../../../src/scheduler/store.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import fc from "../../support/property.ts";
import { World } from "./support/world.ts";

const ids = ["/a", "/b", "/g/c", "/g/h/d"];
const act = fc.oneof(
  fc.record({
    do: fc.constant("put" as const),
    id: fc.constantFrom(...ids),
    instances: fc.nat(4),
    cmd: fc.constantFrom("x", "y"),
  }),
  fc.record({ do: fc.constant("delete" as const), id: fc.constantFrom(...ids) }),
  fc.record({ do: fc.constant("offer" as const) }),
  fc.record({
    do: fc.constant("report" as const),
    state: fc.constantFrom("TASK_RUNNING", "TASK_FAILED", "TASK_UNREACHABLE"),
    which: fc.nat(20),
  }),
  fc.record({ do: fc.constant("end" as const) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.nat(20_000) }),
);

const ignoreRefusal = (work: () => unknown): void => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
  }
};

function perform(world: World, step: typeof act extends fc.Arbitrary<infer T> ? T : never): void {
  const all = ids.flatMap((id) => world.instances(id));
  if (step.do === "put") {
    ignoreRefusal(() =>
      world.update(step.id, { cmd: step.cmd, instances: step.instances, cpus: 0.1 }, { force: true }),
    );
  } else if (step.do === "delete") {
    ignoreRefusal(() => world.run({ kind: "deleteApp", id: step.id, force: true }));
  } else if (step.do === "offer") world.offer({ a1: {}, a2: {} });
  else if (step.do === "end") for (const id of ids) world.killAll(id);
  else if (step.do === "wait") world.wait(step.ms);
  else if (step.do === "report") {
    const one = all[step.which % Math.max(1, all.length)];
    if (one !== undefined) world.status(one, step.state);
  }
}

describe("storage", () => {
  test("whatever happened, what was stored gives the same apps, versions, instances and deployments", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (steps) => {
        const world = new World({ maxVersions: 3 });
        for (const step of steps) perform(world, step);
        const store = new MemoryStore();
        await store.commit(operationsOf(world.writes));
        const loaded = await loadState(store, { ...defaultSettings, maxVersions: 3 });
        expect(loaded.frameworkId).toBe(world.state.frameworkId);
        expect(loaded.apps).toEqual(world.state.apps);
        expect(loaded.versions).toEqual(world.state.versions);
        expect(loaded.instances).toEqual(world.state.instances);
        expect(loaded.deployments).toEqual(world.state.deployments);
      }),
      { numRuns: 150 },
    );
  });

  const keys = ["/framework", "/apps/a", "/versions/a/1", "/groups/a", "/instances/a/1", "/deployments/d"];
  const load = async (key: string, text: string) => {
    const store = new MemoryStore();
    await store.commit([{ op: "put", key, value: Buffer.from(text) }]);
    return await loadState(store, defaultSettings);
  };

  test.each(keys)("a node that holds something else is named: %s", async (key) => {
    for (const text of ["", "{", "null", "[]", "{}", '{"id":7}'])
      await expect(load(key, text)).rejects.toThrow(`${key} in the store cannot be understood`);
  });

  test("whatever a node holds, it is read or it is named", async () => {
    const fields = fc.dictionary(
      fc.constantFrom("id", "appId", "version", "changes", "steps", "hostPorts", "condition", "dependencies"),
      fc.oneof(fc.jsonValue(), fc.constant("running"), fc.constant([])),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...keys), fc.oneof(fields, fc.jsonValue()), async (key, value) => {
        const problem = await load(key, JSON.stringify(value)).then(
          () => undefined,
          (error: Error) => error.message,
        );
        if (problem !== undefined) expect(problem).toContain(`${key} in the store cannot be understood`);
      }),
    );
  });

  test("a leader that was replaced cannot write", async () => {
    const store = new MemoryStore();
    const first = await FencedStore.take(store, "first");
    await first.commit([{ op: "put", key: "/x", value: Buffer.from("1") }]);
    const second = await FencedStore.take(store, "second");
    await expect(first.commit([{ op: "put", key: "/x", value: Buffer.from("2") }])).rejects.toThrow(
      StoreConflict,
    );
    await second.commit([{ op: "put", key: "/x", value: Buffer.from("3") }]);
    expect(Buffer.from(store.values.get("/x")?.value ?? []).toString()).toBe("3");
  });

  test("a commit too large for one request goes in parts, none beyond 512 KB", async () => {
    const store = new MemoryStore();
    const fenced = await FencedStore.take(store, "one");
    const before = store.commits;
    const value = Buffer.alloc(100_000);
    const operations = Array.from({ length: 12 }, (_, i) => ({ op: "put" as const, key: `/k${i}`, value }));
    await fenced.commit(operations);
    expect(store.commits - before).toBe(3);
    expect([...store.values.keys()].filter((key) => key.startsWith("/k"))).toHaveLength(12);
  });
});

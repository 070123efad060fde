import { describe, expect, test } from "vitest";
import { hasCycle } from "../../../src/scheduler/marathon/core/dependencies.ts";
import { ApiError } from "../../../src/scheduler/marathon/model/api-error.ts";
import { parseGroupUpdate } from "../../../src/scheduler/marathon/model/group.ts";
import { World } from "./support/world.ts";

const app = (id: string, ...dependencies: string[]) => ({
  id,
  cmd: "serve",
  cpus: 0.1,
  mem: 32,
  dependencies,
});

function refusalOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return [error.status, error.body];
    throw error;
  }
  return undefined;
}

const cyclic = [
  422,
  {
    message: "Object is not valid",
    details: [{ path: "/", errors: ["Dependency graph has cyclic dependencies."] }],
  },
];

describe("dependencies", () => {
  test("in a circle are refused, and nothing is changed", () => {
    const world = new World();
    world.create(app("/a", "/b"));
    const before = world.state;
    expect(refusalOf(() => world.create(app("/b", "/a")))).toEqual(cyclic);
    expect(world.state).toBe(before);
  });

  test("an app cannot need itself", () => {
    expect(refusalOf(() => new World().create(app("/a", "/a")))).toEqual(cyclic);
  });

  test("groups cannot need each other either", () => {
    const world = new World();
    const group = (id: string, needs: string) => ({ id, dependencies: [needs], apps: [app("x")] });
    const update = { id: "/g", groups: [group("a", "/g/b"), group("b", "/g/a")] };
    expect(
      refusalOf(() =>
        world.run({
          kind: "changeGroup",
          id: "/g",
          update: parseGroupUpdate(update),
          create: true,
          force: false,
          dryRun: false,
        }),
      ),
    ).toEqual(cyclic);
  });

  test("a diamond and an app that needs its group's others are no circle", () => {
    const world = new World();
    for (const one of [app("/d"), app("/b", "/d"), app("/c", "/d"), app("/a", "/b", "/c"), app("/g/x")])
      world.create(one);
    expect(refusalOf(() => world.create(app("/g/y", "/g")))).toBeUndefined();
  });

  test("a chain of ten thousand apps is looked through at once", () => {
    const world = new World();
    world.create(app("/a0"));
    const first = world.state.apps.get("/a0");
    if (first === undefined) throw new Error("/a0 is missing");
    const chain = Array.from({ length: 10_000 }, (_, n) => ({
      ...first,
      id: `/a${n}`,
      dependencies: [`/a${n + 1}`],
    }));
    const closed = chain.map((one, n) => (n === 9_999 ? { ...one, dependencies: ["/a0"] } : one));
    const apps = (list: typeof chain) => new Map(list.map((one) => [one.id, one]));
    const changed = chain.slice(-3).map((to) => ({ to }));
    expect(hasCycle({ apps: apps(chain), groups: new Map() }, changed)).toBe(false);
    expect(hasCycle({ apps: apps(closed), groups: new Map() }, [{ to: closed[9_999] }])).toBe(true);
  });
});

describe("what no task could bear", () => {
  test.each([
    [{ ...app(`/${"a".repeat(218)}`) }, "/id", "must not be longer than 218 characters"],
    [{ ...app("/a"), instances: 1e12 }, "/instances", "got 1000000000000, expected 2147483647 or less"],
  ])("is refused (%#)", (json, path, error) => {
    expect(refusalOf(() => new World().create(json))).toEqual([
      422,
      { message: "Object is not valid", details: [{ path, errors: [error] }] },
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { attributeTexts, satisfies } from "../../../src/scheduler/marathon/core/constraints.ts";
import { rollingMove } from "../../../src/scheduler/marathon/core/rolling.ts";
import type { Constraint } from "../../../src/scheduler/marathon/model/app.ts";
import { World } from "./support/world.ts";

const at = (host: string, rack?: string) => ({ host, attributes: rack === undefined ? {} : { rack } });
const on = (...racks: string[]) => racks.map((rack, index) => at(`h${index}`, rack));

type Case = readonly [
  claim: string,
  constraint: Constraint,
  candidate: ReturnType<typeof at>,
  placed: ReturnType<typeof on>,
  expected: boolean,
];

const rack = (operator: Constraint["operator"], value?: string): Constraint =>
  value === undefined ? { field: "rack", operator } : { field: "rack", operator, value };

describe("constraints", () => {
  test.each<Case>([
    ["UNIQUE takes a host once", { field: "hostname", operator: "UNIQUE" }, at("h0"), on("r1"), false],
    ["UNIQUE takes another host", { field: "hostname", operator: "UNIQUE" }, at("h1"), on("r1"), true],
    ["UNIQUE on an attribute", rack("UNIQUE"), at("h9", "r1"), on("r1"), false],
    ["CLUSTER with a value takes only it", rack("CLUSTER", "r1"), at("h", "r2"), [], false],
    ["CLUSTER with a value takes it", rack("CLUSTER", "r1"), at("h", "r1"), [], true],
    ["CLUSTER without one stays with the first", rack("CLUSTER"), at("h", "r2"), on("r1"), false],
    ["CLUSTER without one starts anywhere", rack("CLUSTER"), at("h", "r2"), [], true],
    ["LIKE matches in full", rack("LIKE", "r[12]"), at("h", "r1"), [], true],
    ["LIKE does not match a part", rack("LIKE", "r"), at("h", "r1"), [], false],
    ["UNLIKE refuses what matches", rack("UNLIKE", "r1|r2"), at("h", "r2"), [], false],
    ["UNLIKE takes the rest", rack("UNLIKE", "r1|r2"), at("h", "r3"), [], true],
    ["UNLIKE takes an agent without the attribute", rack("UNLIKE", "r1"), at("h"), [], true],
    ["all others refuse an agent without the attribute", rack("MAX_PER", "3"), at("h"), [], false],
    ["MAX_PER takes up to its number", rack("MAX_PER", "2"), at("h", "r1"), on("r1"), true],
    ["MAX_PER refuses one more", rack("MAX_PER", "2"), at("h", "r1"), on("r1", "r1"), false],
    ["IS takes the value", rack("IS", "r1"), at("h", "r1"), [], true],
    ["IS refuses another", rack("IS", "r1"), at("h", "r2"), [], false],
    ["GROUP_BY fills a value up to its share", rack("GROUP_BY", "2"), at("h", "r1"), on("r1"), true],
    [
      "GROUP_BY gives one more to as many values as remain",
      rack("GROUP_BY", "2"),
      at("h", "r1"),
      on("r1", "r1"),
      true,
    ],
    [
      "GROUP_BY gives it only once",
      rack("GROUP_BY", "2"),
      at("h", "r2"),
      on("r1", "r1", "r1", "r2", "r2"),
      false,
    ],
    [
      "GROUP_BY opens no more groups than it is told",
      rack("GROUP_BY", "2"),
      at("h", "r3"),
      on("r1", "r2"),
      false,
    ],
    [
      "GROUP_BY without a number divides among what is known",
      rack("GROUP_BY"),
      at("h", "r1"),
      on("r1", "r1"),
      false,
    ],
  ])("%s", (_claim, constraint, candidate, placed, expected) => {
    const view = { candidate, placed, agents: on("r1", "r2", "r3"), instances: 5 };
    expect(satisfies(constraint, view)).toBe(expected);
  });

  test("attributes are compared as text, scalars with at most three decimals", () => {
    expect(
      attributeTexts([
        { name: "rack", type: "TEXT", text: { value: "r1" } },
        { name: "size", type: "SCALAR", scalar: { value: 1.50004 } },
        { name: "ports", type: "RANGES", ranges: { range: [{ begin: 1, end: 5 }] } },
        { name: "disks", type: "SET", set: { item: ["a", "b"] } },
      ]),
    ).toEqual({ rack: "r1", size: "1.5", ports: "[1-5]", disks: "{a,b}" });
  });

  test("GROUP_BY spreads, and steers what is ended", () => {
    const world = new World();
    const racks = {
      a: { attributes: { rack: "r1" } },
      b: { attributes: { rack: "r1" } },
      c: { attributes: { rack: "r2" } },
    };
    world.create({ id: "w", cmd: "x", cpus: 0.1, instances: 4, constraints: [["rack", "GROUP_BY"]] });
    world.offer(racks);
    world.runAll("/w");
    const count = (name: string) =>
      world.living("/w").filter(({ attributes }) => attributes["rack"] === name).length;
    expect([count("r1"), count("r2")]).toEqual([2, 2]);
    world.update("/w", { instances: 2 });
    expect([count("r1"), count("r2")]).toEqual([1, 1]);
  });

  test("UNIQUE leaves in the queue what finds no host, and says so", () => {
    const world = new World();
    world.create({ id: "w", cmd: "x", cpus: 0.1, instances: 3, constraints: [["hostname", "UNIQUE"]] });
    world.offer({ a: {}, b: {} });
    expect(world.living("/w")).toHaveLength(2);
    expect(world.state.queue.get("/w")).toMatchObject({ count: 1, rejections: { UnfulfilledConstraint: 2 } });
  });
});

describe("the numbers of a rolling upgrade", () => {
  test.each([
    // wanted, min, over, old, oldHealthy, fresh, freshReady → kill, start
    [4, 1, 1, 4, 4, 0, 0, 0, 4],
    [4, 1, 0, 4, 4, 0, 0, 0, 1],
    [4, 1, 0, 4, 4, 1, 1, 1, 1],
    [4, 0.5, 0, 4, 4, 0, 0, 2, 2],
    [4, 0.5, 0, 2, 2, 2, 0, 0, 0],
    [4, 0.5, 0, 2, 2, 2, 2, 2, 2],
    [4, 0, 0, 4, 4, 0, 0, 4, 4],
    [5, 0.5, 0.5, 5, 5, 0, 0, 2, 4],
    [1, 1, 1, 1, 1, 0, 0, 0, 1],
    [2, 1, 0, 2, 0, 0, 0, 2, 2],
    [2, 1, 1, 6, 6, 0, 0, 4, 2],
    [10, 0.1, 0.1, 10, 10, 0, 0, 9, 10],
  ])(
    "%i wanted at %d/%d, %i old (%i healthy), %i new (%i ready): end %i, start %i",
    (wanted, minimumHealthCapacity, maximumOverCapacity, old, oldHealthy, fresh, freshReady, kill, start) => {
      const counts = { wanted, old, oldHealthy, fresh, freshReady };
      expect(rollingMove(counts, { minimumHealthCapacity, maximumOverCapacity })).toEqual({ kill, start });
    },
  );
});

import { describe, expect, test } from "vitest";
import { checkCompatible, detectResources } from "../../../../src/scheduler/mesos/agent/agent-resources.ts";
import { parseAttributes } from "../../../../src/scheduler/mesos/protocol/attributes.ts";
import { parseResources } from "../../../../src/scheduler/mesos/protocol/resources.ts";

const offering = (resources: string, attributes = "") => ({
  resources: parseResources(resources),
  attributes: parseAttributes(attributes),
});

describe("an agent that keeps its id", () => {
  test.each([
    ["the same", "cpus:2", "rack:a", true, true],
    ["more resources", "cpus:3", "rack:a", false, true],
    ["another attribute besides", "cpus:2", "rack:a;zone:b", false, true],
    ["less", "cpus:1", "rack:a", false, false],
    ["one attribute less", "cpus:2", "", false, false],
    ["another value", "cpus:2", "rack:b", false, false],
  ])("%s", (_what, resources, attributes, whenEqual, whenAdditive) => {
    const fits = (policy: "equal" | "additive"): boolean => {
      try {
        checkCompatible(offering("cpus:2", "rack:a"), offering(resources, attributes), policy);
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: "incompatible-agent" });
        return false;
      }
    };
    expect([fits("equal"), fits("additive")]).toEqual([whenEqual, whenAdditive]);
  });
});

test("what is not said is detected, and the host keeps a part of it", async () => {
  const found = await detectResources("mem:128", "/");
  expect(found.milli("mem")).toBe(128_000);
  expect(found.milli("cpus")).toBeGreaterThan(0);
  const { statfs } = await import("node:fs/promises");
  const { blocks, bsize } = await statfs("/");
  expect(found.milli("disk") / 1000).toBeLessThan((blocks * bsize) / 1024 / 1024);
});

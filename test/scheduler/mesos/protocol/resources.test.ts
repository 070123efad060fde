import { describe, expect, test } from "vitest";
import { attributesModel, parseAttributes } from "../../../../src/scheduler/mesos/protocol/attributes.ts";
import { parseResources, Resources } from "../../../../src/scheduler/mesos/protocol/resources.ts";
import fc from "../../../support/property.ts";

describe("resources", () => {
  test.each([
    ["cpus:4;mem:8192;ports:[31000-32000]", "cpus:4;mem:8192;ports:[31000-32000]"],
    ["cpus:0.1;cpus:0.2", "cpus:0.3"],
    ["ports:[1-5, 3-9,10-10]", "ports:[1-10]"],
    ["bugs(debug_role):{a,b};cpus(web):1", "bugs(debug_role):{a,b};cpus(web):1"],
    ["cpus:0", ""],
    [" cpus : 2 ;; ", "cpus:2"],
  ])("%s reads as %s", (text, expected) => {
    expect(parseResources(text).toString()).toBe(expected);
  });

  test.each(["cpus", "cpus:", "ports:[5-1]", "cpus:-1", "cpus:1;cpus:[1-2]", ":4"])(
    "%s is refused",
    (text) => {
      expect(() => parseResources(text)).toThrow();
    },
  );

  test("roles keep their resources apart", () => {
    const both = parseResources("cpus:1;cpus(web):2");
    expect(both.contains(parseResources("cpus:2"))).toBe(false);
    expect(both.contains(parseResources("cpus(web):2"))).toBe(true);
    expect(both.scalar("cpus")).toBe(3);
  });

  test("a refined framework sees reservations, an old one a role", () => {
    const [old] = parseResources("cpus(web):1").toWire();
    const [refined] = parseResources("cpus(web):1").toWire({ refined: true, allocationRole: "web" });
    expect(old).toEqual({ name: "cpus", type: "SCALAR", scalar: { value: 1 }, role: "web" });
    expect(refined).toEqual({
      name: "cpus",
      type: "SCALAR",
      scalar: { value: 1 },
      allocation_info: { role: "web" },
      reservations: [{ type: "STATIC", role: "web" }],
    });
    for (const wire of [old, refined])
      expect(Resources.fromWire(wire === undefined ? [] : [wire]).toString()).toBe("cpus(web):1");
  });

  test("the model always shows the usual scalars", () => {
    expect(parseResources("cpus:0.5;ports:[1-2]").toModel()).toEqual({
      cpus: 0.5,
      gpus: 0,
      mem: 0,
      disk: 0,
      ports: "[1-2]",
    });
  });

  const range = fc.tuple(fc.nat(60), fc.nat(8)).map(([begin, size]) => `${begin}-${begin + size}`);
  const resources = fc
    .tuple(fc.nat(9000), fc.array(range, { maxLength: 5 }), fc.subarray(["a", "b", "c"]))
    .map(([cpus, list, items]) => parseResources(`cpus:${cpus / 1000};ports:[${list}];disks:{${items}}`));

  test("taking away what was taken gives back nothing more and nothing less", () => {
    fc.assert(
      fc.property(resources, resources, (whole, part) => {
        const rest = whole.minus(part);
        expect(whole.contains(rest)).toBe(true);
        if (whole.contains(part)) expect(rest.plus(part).equals(whole)).toBe(true);
      }),
    );
  });

  test("the wire gives back what it was given", () => {
    fc.assert(
      fc.property(
        resources,
        (some) =>
          Resources.fromWire(some.toWire()).equals(some) && parseResources(some.toString()).equals(some),
      ),
    );
  });
});

test("attributes are numbers, ranges, sets or text", () => {
  expect(attributesModel(parseAttributes("rack:r1;n:1;range:[1-5];os:{a,b};url:http://x"))).toEqual({
    rack: "r1",
    n: 1,
    range: "[1-5]",
    os: "{a,b}",
    url: "http://x",
  });
  expect(() => parseAttributes("rack")).toThrow();
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildScope,
  explain,
  type Layer,
  mapLayer,
  type ScopeParts,
} from "../../../src/provisioning/vars/precedence.ts";
import type { Variable } from "../../../src/provisioning/vars/variable.ts";

/** Ansible's order written down once more, weakest first, with how many layers there may be of each kind. */
const order: readonly {
  readonly part: keyof ScopeParts;
  readonly many: "no" | "strongest first" | "weakest first";
}[] = [
  { part: "roleDefaults", many: "strongest first" },
  { part: "inventory", many: "weakest first" },
  { part: "facts", many: "no" },
  { part: "playVars", many: "no" },
  { part: "varsPrompt", many: "no" },
  { part: "varsFiles", many: "strongest first" },
  { part: "roleVars", many: "strongest first" },
  { part: "blockVars", many: "strongest first" },
  { part: "taskVars", many: "no" },
  { part: "includeVars", many: "no" },
  { part: "setFacts", many: "no" },
  { part: "roleParams", many: "strongest first" },
  { part: "includeParams", many: "strongest first" },
  { part: "extraVars", many: "no" },
  { part: "magic", many: "no" },
  { part: "item", many: "no" },
];
const names = ["a", "b", "c", "d", "e"];
const data = (value: string): Variable => ({ kind: "data", value, origin: { layer: value } });

const layerNames = fc.subarray(names);
const tree = fc.record(
  Object.fromEntries(
    order.map(({ part, many }) => [
      part,
      many === "no" ? fc.array(layerNames, { maxLength: 1 }) : fc.array(layerNames, { maxLength: 3 }),
    ]),
  ),
);

describe("precedence", () => {
  test("of a generated tree is what writing all layers over each other gives", () => {
    fc.assert(
      fc.property(tree, (generated) => {
        const oracle = new Map<string, string>();
        const parts: Record<string, Layer | Layer[]> = {};
        for (const { part, many } of order) {
          const weakestFirst = (generated[part] ?? []).map((defined, index) => {
            const label = `${part}${index}`;
            for (const name of defined) oracle.set(name, label);
            return mapLayer(label, new Map(defined.map((name) => [name, data(label)])));
          });
          const [only] = weakestFirst;
          if (many !== "no")
            parts[part] = many === "weakest first" ? weakestFirst : weakestFirst.toReversed();
          else if (only !== undefined) parts[part] = only;
        }
        const scope = buildScope(parts as ScopeParts);
        const found = names.flatMap((name) => {
          const variable = scope.lookup(name);
          return variable === undefined ? [] : [[name, variable.kind === "data" ? variable.value : ""]];
        });
        expect(Object.fromEntries(found)).toEqual(Object.fromEntries(oracle));
        expect([...scope.names()].sort()).toEqual([...oracle.keys()].sort());
      }),
    );
  });

  test("is explained, the layer that counts first", () => {
    const layer = (label: string): Layer => mapLayer(label, new Map([["x", data(label)]]));
    const scope = buildScope({
      roleDefaults: [layer("defaults")],
      playVars: layer("play"),
      extraVars: layer("-e"),
    });
    expect(explain(scope, "x").map((one) => one.layer)).toEqual(["-e", "play", "defaults"]);
    expect(explain(scope, "y")).toEqual([]);
    expect(scope.with(layer("item")).lookup("x")).toMatchObject({ value: "item" });
  });
});

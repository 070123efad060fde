import { describe, expect, test } from "vitest";
import { type Layer, LayeredScope, type ScopeParts } from "../../../src/provisioning/vars/precedence.ts";
import type { Variable } from "../../../src/provisioning/vars/variable.ts";
import fc from "../../support/property.ts";

/** Ansible's order written down once more, weakest first, with how many layers there may be of each kind. */
const order: readonly { readonly part: keyof ScopeParts; readonly many?: true }[] = [
  { part: "roleDefaults", many: true },
  { part: "inventory", many: true },
  { part: "facts" },
  { part: "playVars", many: true },
  { part: "varsPrompt" },
  { part: "varsFiles", many: true },
  { part: "roleVars", many: true },
  { part: "taskVars", many: true },
  { part: "includeVars" },
  { part: "setFacts" },
  { part: "roleParams", many: true },
  { part: "includeParams", many: true },
  { part: "extraVars" },
  { part: "magic" },
  { part: "loop" },
];
const names = ["a", "b", "c", "d", "e"];
const data = (value: string): Variable => ({ kind: "data", value, origin: { layer: value } });
const layerOfNames = (label: string, defined: readonly string[]): Layer =>
  new Map(defined.map((name) => [name, data(label)]));

const tree = fc.record(
  Object.fromEntries(
    order.map(({ part, many }) => [part, fc.array(fc.subarray(names), { maxLength: many === true ? 3 : 1 })]),
  ),
);

describe("precedence", () => {
  test("of a generated tree is what writing all layers over each other gives", () => {
    fc.assert(
      fc.property(tree, (generated) => {
        const oracle = new Map<string, string[]>();
        const parts: Record<string, Layer | Layer[] | undefined> = {};
        for (const { part, many } of order) {
          const weakestFirst = (generated[part] ?? []).map((defined, index) => {
            const label = `${part}${index}`;
            for (const name of defined) oracle.set(name, [label, ...(oracle.get(name) ?? [])]);
            return layerOfNames(label, defined);
          });
          parts[part] = many === true ? weakestFirst.toReversed() : weakestFirst[0];
        }
        const scope = new LayeredScope(parts as ScopeParts);
        for (const name of names) {
          const labels = oracle.get(name) ?? [];
          expect(scope.lookup(name)?.origin.layer).toBe(labels[0]);
          expect(scope.definitions(name).map(({ origin }) => origin.layer)).toEqual(labels);
        }
        expect([...scope.names()].sort()).toEqual([...oracle.keys()].sort());
      }),
    );
  });

  test("hears of a name that no layer has, and of no other", () => {
    const missing: string[] = [];
    const scope = new LayeredScope({ playVars: [layerOfNames("play", ["a"])] }, (name) => missing.push(name));
    scope.lookup("a");
    scope.lookup("b");
    expect(missing).toEqual(["b"]);
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { filters, tests } from "../../../src/provisioning/vars/expressions/builtins.ts";
import { lookups } from "../../../src/provisioning/vars/expressions/lookups.ts";
import { renderText } from "../../../src/provisioning/vars/render.ts";
import type { HostDirectory } from "../../../src/provisioning/vars/render-context.ts";
import { contextOf, span } from "./contexts.ts";
import {
  type Example,
  filterExamples,
  lookupExamples,
  testAliases,
  testExamples,
} from "./expression-examples.ts";
import { expressionsPage } from "./expressions-page.ts";

const cases = join(import.meta.dirname, "../../cases/expressions");
const web: HostDirectory = {
  names: () => ["a", "b", "c"],
  context: () => undefined,
  matching: (pattern) => (pattern === "web:!b" ? ["a", "c"] : []),
};
const run = (expression: string): string => {
  const text = renderText(`<{{ ${expression} }}>`, span, contextOf({}, { searchPath: [cases], hosts: web }));
  return String(text).slice(1, -1);
};
const names = (examples: readonly Example[]): string[] => examples.map(({ name }) => name).sort();

describe("the examples", () => {
  test("every filter, test and lookup has one", () => {
    expect(names(filterExamples)).toEqual(
      Object.keys(filters)
        .filter((name) => name !== "vault")
        .sort(),
    );
    const withAliases = [...names(testExamples), ...Object.keys(testAliases)].sort();
    expect(withAliases).toEqual(Object.keys(tests).sort());
    expect(names(lookupExamples)).toEqual(Object.keys(lookups).sort());
  });

  const all = [...filterExamples, ...testExamples, ...lookupExamples];
  test.each(all.map(({ expression, prints }) => [expression, prints]))("%s", (expression, prints) => {
    expect(run(expression)).toBe(prints);
  });

  test("docs/expressions.md is made of them (PROVISION_UPDATE=1 writes it)", () => {
    const file = join(import.meta.dirname, "../../../docs/expressions.md");
    const page = expressionsPage();
    if (process.env.PROVISION_UPDATE === "1") writeFileSync(file, page);
    expect(readFileSync(file, "utf8")).toBe(page);
  });
});

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { argumentsOf } from "../../../src/provisioning/modules/arguments.ts";
import { catalogue, loadModule, moduleNames } from "../../../src/provisioning/modules/index.ts";

const tableFile = join(import.meta.dirname, "../../../src/provisioning/modules/module-arguments.ts");

/** The text of module-arguments.ts, from the modules themselves. */
async function tableText(): Promise<string> {
  const rows = await Promise.all(
    moduleNames.map(async (name) => {
      const module = await loadModule(name);
      const infos = argumentsOf(module.args);
      const names = infos && [...infos].flatMap(([argument, { aliases }]) => [argument, ...aliases]);
      const parts = [
        ...(names === undefined ? [] : [`names: ${JSON.stringify(names.join(" "))}`]),
        ...(module.freeForm === undefined ? [] : [`freeForm: ${JSON.stringify(module.freeForm)}`]),
      ];
      return `  ${name}: { ${parts.join(", ")} },\n`.replace("{  }", "{}");
    }),
  );
  return `// Made from the modules by test/provisioning/modules/catalogue.test.ts: PROVISION_UPDATE=1 writes it anew.
// Argument names with their aliases, so that a playbook can be checked without loading a module.
// biome-ignore-all format: one module a line
export const moduleArguments: Readonly<Record<string, { readonly names?: string; readonly freeForm?: string }>> = {
${rows.join("")}};
`;
}

test("the table of argument names says what the modules say", async () => {
  const text = await tableText();
  if (process.env.PROVISION_UPDATE === "1") writeFileSync(tableFile, text);
  expect(readFileSync(tableFile, "utf8")).toBe(text);
});

test("every module calls itself by its name in the catalogue", async () => {
  const modules = await Promise.all(moduleNames.map(loadModule));
  expect(modules.map(({ name }) => name)).toEqual(moduleNames);
});

test("modules are found by all their spellings, and by no other", () => {
  const spellings = ["copy", "ansible.builtin.copy", "ansible.legacy.copy", "community.general.copy", "copi"];
  expect(spellings.map(catalogue.resolve)).toEqual(["copy", "copy", "copy", undefined, undefined]);
  expect(catalogue.resolve("toString")).toBeUndefined();
});

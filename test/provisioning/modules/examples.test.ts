import { expect, test } from "vitest";
import { parse } from "yaml";
import { isJsonObject, type JsonValue } from "../../../src/base/json.ts";
import { loadModule, moduleNames } from "../../../src/provisioning/modules/index.ts";

test.each(moduleNames)("the example of %s is a task that the module takes", async (name) => {
  const module = await loadModule(name);
  const tasks = parse(module.example.replaceAll(/\{\{.*?\}\}/g, "rendered")) as readonly Record<
    string,
    JsonValue
  >[];
  expect(tasks).toHaveLength(1);
  const { [name]: given = {}, args = {}, ...keywords } = tasks[0] ?? {};
  expect(Object.keys(keywords)).toContain("name");
  const own =
    typeof given === "string" && module.freeForm !== undefined ? { [module.freeForm]: given } : (given ?? {});
  const more = isJsonObject(args) ? args : {};
  const result = module.args.safeParse(isJsonObject(own) ? { ...own, ...more } : own);
  expect(result.success ? [] : result.error.issues).toEqual([]);
});

test.each(moduleNames)("%s refuses an argument that it does not know", async (name) => {
  const module = await loadModule(name);
  if (name === "set_fact" || name === "add_host") return;
  const result = module.args.safeParse({ no_such_argument: 1 });
  const issues = result.success ? [] : result.error.issues;
  expect(issues).toContainEqual(
    expect.objectContaining({ code: "unrecognized_keys", keys: ["no_such_argument"] }),
  );
});

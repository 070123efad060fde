import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filterExamples, lookupExamples, testExamples } from "./expression-examples.ts";

interface Answer {
  readonly text?: string;
  readonly error?: string;
}
const folder = join(import.meta.dirname, "../../cases/expressions");

function ansible(templates: readonly string[]): readonly Answer[] {
  const run = spawnSync("/usr/bin/python3", [join(import.meta.dirname, "ansible-oracle.py")], {
    input: JSON.stringify({ templates, variables: {}, folder }),
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, ANSIBLE_DEPRECATION_WARNINGS: "0", TZ: "UTC" },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as readonly Answer[];
}

test("Ansible prints what our examples say", () => {
  const asked = [...filterExamples, ...testExamples, ...lookupExamples].filter(
    ({ differs }) => differs === undefined,
  );
  const answers = ansible(asked.map(({ expression }) => `<{{ ${expression} }}>`));
  const different = asked.flatMap(({ expression, prints }, index) => {
    const { text, error } = answers[index] ?? {};
    return text === `<${prints}>`
      ? []
      : [`${expression}: ${JSON.stringify(prints)}, Ansible: ${error ?? JSON.stringify(text)}`];
  });
  expect(different).toEqual([]);
});

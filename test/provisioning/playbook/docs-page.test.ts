import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { playKeywords } from "../../../src/provisioning/playbook/load-playbook.ts";
import { inheritedKeywords } from "../../../src/provisioning/playbook/read-inherited.ts";
import { blockOnly, everyTaskKeyword } from "../../../src/provisioning/playbook/task-keywords.ts";

test("docs/ansible.md names every keyword", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/ansible.md"), "utf8");
  const known = new Set([...playKeywords, ...blockOnly, ...everyTaskKeyword, ...inheritedKeywords]);
  expect([...known].filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { catalogue } from "../../../src/provisioning/modules/index.ts";
import { loadPlaybook } from "../../../src/provisioning/playbook/load-playbook.ts";
import { formatError } from "../../../src/provisioning/reporting/format-error.ts";

const folder = join(import.meta.dirname, "../../cases/playbook/bad");
const golden = join(import.meta.dirname, "../../golden/playbook");
const parts = new Set(["self.yml", "fine.yml"]);
const playbooks = readdirSync(folder).filter((name) => name.endsWith(".yml") && !parts.has(name));

function refusal(name: string): string {
  try {
    loadPlaybook(join(folder, name), { catalogue, rolesPath: [] });
  } catch (error) {
    if (error instanceof ProvisionError)
      return `${formatError(error).replaceAll(`${folder}/`, "").replaceAll(folder, ".")}\n`;
    throw error;
  }
  throw new Error(`${name} was accepted`);
}

describe("a playbook with mistakes", () => {
  test.each(playbooks)("%s is refused with all its mistakes and their places", (name) => {
    const file = join(golden, name.replace(".yml", ".txt"));
    const text = refusal(name);
    if (process.env["PROVISION_UPDATE"] === "1") {
      mkdirSync(golden, { recursive: true });
      writeFileSync(file, text);
    }
    expect(text).toBe(readFileSync(file, "utf8"));
  });
});

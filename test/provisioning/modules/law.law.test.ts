import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, test } from "vitest";
import { lawCases, obey } from "./law-case.ts";
import { LocalHost, localFacts } from "./local-host.ts";

const shells: Readonly<Record<string, readonly string[]>> = {
  dash: ["dash"],
  bash: ["bash"],
  busybox: ["busybox", "sh"],
};
const root = mkdtempSync(join(tmpdir(), "provision-law-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const isThere = (program: string) => spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;

describe.each(Object.entries(shells))("under %s", (shellName, shell) => {
  describe.each([...lawCases("law")])("%s", (module, cases) => {
    const indexed = cases.map((law, index) => ({ ...law, index }));
    test.runIf(isThere(shell[0] ?? "")).each(indexed)("$claim", async (law) => {
      const folder = join(root, `${shellName}-${module}-${law.index}`);
      const host = new LocalHost({ shell, facts: localFacts(folder) });
      await obey(law, { host, module, folder, controllerFolder: `${folder}.controller` });
    });
  });
});

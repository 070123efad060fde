import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { lawCases, obey } from "./law-case.ts";
import { LocalHost, localFacts } from "./local-host.ts";

/**
 * What changes more than a folder: packages, users, services, sources. In a container of the rehearsal's base image,
 * without a network. `provision rehearse` builds the image; without it these tests are skipped.
 */
const docker = (...words: readonly string[]) => execFileSync("docker", words, { encoding: "utf8" }).trim();

function baseImage(): string | undefined {
  const found = spawnSync("docker", ["images", "provision/base", "--format", "{{.Repository}}:{{.Tag}}"], {
    encoding: "utf8",
  });
  return found.status === 0 ? found.stdout.split("\n").find((line) => line !== "") : undefined;
}

const image = baseImage();
const root = mkdtempSync(join(tmpdir(), "provision-law-"));
let container = "";

beforeAll(() => {
  if (image !== undefined)
    container = docker("run", "-d", "--rm", "--network", "none", image, "sleep", "600");
});
afterAll(() => {
  if (container !== "") docker("rm", "-f", container);
  rmSync(root, { recursive: true, force: true });
});

const title = image === undefined ? "in a container (skipped: no image provision/base)" : "in a container";

describe.skipIf(image === undefined)(title, () => {
  describe.each([...lawCases("container")])("%s", (module, cases) => {
    test.each(cases.map((law, index) => ({ ...law, index })))("$claim", async (law) => {
      const host = new LocalHost({
        shell: ["docker", "exec", "-i", container, "sh"],
        facts: localFacts("/root"),
      });
      const folder = `/case/${module}-${law.index}`;
      await obey(law, { host, module, folder, controllerFolder: join(root, `${module}-${law.index}`) });
    });
  });
});

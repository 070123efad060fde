import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failures, newFolder, outcomes, runText } from "../../support/run-playbook.ts";
import { engineLaws } from "./engine-laws.ts";

let dir = "";
let server: Server;
beforeAll(async () => {
  dir = newFolder();
  writeFileSync(join(dir, "source"), "a file of the host\n");
  writeFileSync(join(dir, "boot"), "1\n");
  server = createServer((_request, response) => response.end("hello\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

describe.each(engineLaws)("$module", ({ module, claim, args, first, second, leaves }) => {
  test(claim, async () => {
    writeFileSync(join(dir, "next"), "2\n");
    const once = () =>
      runText({
        playbook: `- hosts: all\n  gather_facts: false\n  tasks:\n    - {name: t, ${module}: ${args}}\n`,
        extraVars: [`d=${dir}`, `p=${(server.address() as AddressInfo).port}`],
      });
    const ran = await once();
    expect(failures(ran)).toEqual([]);
    expect(outcomes(ran)).toEqual([`t a ${first}`]);
    if (leaves !== undefined) expect(readFileSync(join(dir, leaves[0]), "utf8")).toBe(leaves[1]);
    expect(outcomes(await once())).toEqual([`t a ${second}`]);
  });
});

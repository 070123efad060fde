import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/base/json.ts";
import { compileStep } from "../../../src/provisioning/host/compile-step.ts";
import { loadModule } from "../../../src/provisioning/modules/index.ts";
import type { ModuleContext } from "../../../src/provisioning/modules/module.ts";
import { shells } from "../host/shells.ts";
import { fileSource, localFacts } from "./local-host.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "provision-rest-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function stepOf(name: string, given: JsonObject, source: string) {
  const module = await loadModule(name);
  if (module.kind !== "host") throw new Error(`"${name}" does not act on a host`);
  const args: unknown = module.args.parse(given);
  const context: ModuleContext = {
    ...{ host: "here", facts: localFacts(folder), check: false, diff: false, now: 0, round: 0, elapsedMs: 0 },
    sources: [fileSource(Buffer.from(source))],
  };
  const plan = module.plan(args, { needless: undefined }, context);
  const [step] = plan.steps;
  if (step?.do !== "run") throw new Error("there is nothing to run");
  return compileStep(step);
}

describe.each(shells)("under $name", ({ argv: [program, ...words] }) => {
  const start = ({ script, stdin }: { script: string; stdin?: Uint8Array }) => {
    const env = { ...process.env, TMPDIR: folder };
    const child = spawn(program, [...words, "-c", script], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      env,
    });
    child.stdin.end(stdin);
    return child;
  };

  test("a script that is ended goes with its file, which nobody else could read", async () => {
    const umask = process.umask(0);
    const child = start(await stepOf("script", { cmd: "a.sh" }, "#!/bin/sh\nsleep 30\n"));
    process.umask(umask);
    while (readdirSync(folder).every((name) => (statSync(join(folder, name)).mode & 0o100) === 0))
      await sleep(2);
    const [file = ""] = readdirSync(folder);
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o700);
    await sleep(50);
    process.kill(-(child.pid ?? 0), "SIGTERM");
    await once(child, "close");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a script that fails goes with its file", async () => {
    const child = start(await stepOf("script", { cmd: "a.sh" }, "#!/bin/sh\nexit 3\n"));
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(3);
    expect(readdirSync(folder)).toEqual([]);
  });
});

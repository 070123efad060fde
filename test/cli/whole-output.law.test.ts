import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { packageRoot } from "../support/provision.ts";

const dir = mkdtempSync(join(tmpdir(), "provision-output-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** A pipe holds 64 KiB: what it has not taken when the program ends must not be lost. */
test("a slow reader gets all that is printed", async () => {
  const names = Array.from({ length: 5_000 }, (_, index) => `host${index}`);
  writeFileSync(join(dir, "hosts.ini"), names.map((name) => `${name} x=1`).join("\n"));
  const main = join(packageRoot, "src/main.ts");
  const child = spawn(process.execPath, [main, "inventory", "hosts.ini", "--list"], {
    cwd: dir,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (chunks.length === 0) await sleep(500);
    chunks.push(chunk);
  }
  expect(await ended).toBe(0);
  const { _meta } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  expect(Object.keys(_meta.hostvars)).toEqual(names.toSorted());
});

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import { failures, inNewFolders, runText } from "../../support/run-playbook.ts";

let dir = "";
inNewFolders((folder) => {
  dir = folder;
});

const play = (tasks: string): string => `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`;
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("an interrupted run", () => {
  test("ends what runs on the host, with all that it started, and begins nothing more", async () => {
    const stop = new AbortController();
    const running = runText({
      playbook: play(`    - shell: 'sleep 60 & echo $! > {{ d }}/pid; wait; echo late > {{ d }}/late'
    - shell: 'echo next > {{ d }}/next'
`),
      extraVars: [`d=${dir}`],
      signal: stop.signal,
    });
    const pid = await vi.waitFor(
      () => {
        const found = Number(readFileSync(join(dir, "pid"), "utf8"));
        expect(found).toBeGreaterThan(0);
        return found;
      },
      { timeout: 10_000 },
    );
    stop.abort();
    const ran = await running;
    expect(ran.summary.exitCode).toBe(130);
    expect(failures(ran)).toEqual(["interrupted: it was ended on the host"]);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5_000 });
    expect(existsSync(join(dir, "late")) || existsSync(join(dir, "next"))).toBe(false);
  });

  test("does not wait for a host that only waits itself", async () => {
    const stop = new AbortController();
    const startedAt = performance.now();
    const running = runText({ playbook: play("    - pause: {seconds: 60}\n"), signal: stop.signal });
    setTimeout(() => stop.abort(), 300);
    expect((await running).summary.exitCode).toBe(130);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe("a connection that ends while uri asks (R13)", () => {
  test.each([
    ["POST", 1],
    ["GET", 2],
  ])("%s is sent %d times", async (method, times) => {
    let sent = 0;
    const ran = await runText({
      playbook: play(`    - uri: {url: "http://127.0.0.1:1/", method: ${method}}\n`),
      openSession: async (plan, signal) =>
        Object.assign(await openSession(plan, signal), {
          http: () => {
            sent++;
            const lost = { code: "connection-lost", action: "go on", state: "the connection ended" } as const;
            return Promise.reject(new ProvisionError(lost));
          },
        }),
    });
    expect(sent).toBe(times);
    expect(ran.summary.exitCode).toBe(4);
  });
});

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { baseFactsScript, readBaseFacts } from "../../../src/provisioning/host/base-facts.ts";
import { compileQuestions } from "../../../src/provisioning/host/compile-questions.ts";
import { compileStep, readStepResult } from "../../../src/provisioning/host/compile-step.ts";
import { gatherFactsScript, readGatheredFacts } from "../../../src/provisioning/host/gather-facts.ts";
import type { Question } from "../../../src/provisioning/host/question.ts";
import { readAnswers } from "../../../src/provisioning/host/read-answers.ts";
import type { Step } from "../../../src/provisioning/host/step.ts";
import { openSession } from "../../../src/provisioning/transport/open-session.ts";
import type { FrameResult, Session } from "../../../src/provisioning/transport/session.ts";
import { ask, brief, localPlan, step, streaming } from "./sessions.ts";

/** A host that has busybox and nothing else: no GNU tool can help out. */
const name = `provision-busybox-${process.pid}`;
const docker = (...args: string[]) => spawnSync("docker", args, { encoding: "utf8" });
const hasDocker = docker("version").status === 0 && spawnSync("which", ["busybox"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "provision-busybox-"));
let session: Session;

function makeRoot(): void {
  const root = join(folder, "root");
  for (const each of ["bin", "etc", "tmp", "proc", "root", "usr"])
    mkdirSync(join(root, each), { recursive: true });
  const busybox = String(spawnSync("which", ["busybox"], { encoding: "utf8" }).stdout).trim();
  copyFileSync(busybox, join(root, "bin/busybox"));
  const libraries = spawnSync("ldd", [busybox], { encoding: "utf8" }).stdout.match(/\/\S+/g) ?? [];
  for (const library of libraries) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
  const applets = spawnSync(busybox, ["--list"], { encoding: "utf8" }).stdout.trim().split("\n");
  for (const applet of applets) if (applet !== "busybox") symlinkSync("busybox", join(root, "bin", applet));
  writeFileSync(
    join(root, "etc/passwd"),
    "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:Guest:/tmp:/bin/sh\n",
  );
  writeFileSync(join(root, "etc/group"), "root:x:0:\nguest:x:1000:\nwheel:x:10:root,guest\n");
  spawnSync("tar", ["-C", root, "-cf", join(folder, "root.tar"), "."]);
}

beforeAll(async () => {
  if (!hasDocker) return;
  makeRoot();
  docker("import", join(folder, "root.tar"), name);
  docker("run", "-d", "--rm", "--name", name, "--network", "none", name, "/bin/sleep", "600");
  session = await openSession({ ...localPlan, connection: "docker", host: name });
});
afterAll(async () => {
  await session?.close();
  docker("rm", "-f", name);
  docker("rmi", name);
  rmSync(folder, { recursive: true, force: true });
});

async function run(script: string): Promise<FrameResult> {
  const [result] = await (await session.shell(null)).exchange([ask(script)]);
  if (!result) throw new Error("no result");
  return result;
}
async function answersTo(questions: readonly Question[]) {
  return readAnswers(await run(compileQuestions(questions).script), questions).map(({ value }) => value);
}
async function perform(task: Extract<Step, { do: "run" | "write" }>) {
  const { script, stdin, stream } = compileStep(task);
  const input = { ...(stdin ? { stdin } : {}), ...(stream ? { stream } : {}) };
  const [result] = await (await session.shell(null)).exchange([step(script, input)]);
  if (!result) throw new Error("no result");
  return readStepResult(task, result);
}

describe.skipIf(!hasDocker)("a container with busybox alone", () => {
  test("frames, and hanging ones, work through docker exec", async () => {
    const shell = await session.shell(null);
    const frames = [
      step("echo a >&2; exit 3"),
      step("sleep 60", { timeoutMs: 300 }),
      ask("echo b; for i in 1 2 3 4 5; do ps -o args | grep -q '^sleep 60$' || exit 7; sleep 0.2; done"),
    ];
    expect(brief(await shell.exchange(frames))).toEqual(["3:|a\n", "T:", "7:b\n|"]);
  });

  test("questions are answered", async () => {
    const content = Buffer.from([...Array(256).keys()]);
    await (await session.shell(null)).exchange([
      ask("umask 077; cat >/tmp/it\\'s'\n'odd", streaming(content)),
    ]);
    const answers = await answersTo([
      { of: "path", path: "/tmp/it's\nodd", want: ["stat", "hash", "content"] },
      { of: "path", path: "/bin/sh", want: ["stat", "link"] },
      { of: "path", path: "/etc/group", want: ["content", "hash"] },
      { of: "user", name: "guest" },
      { of: "group", name: "wheel" },
      { of: "package", name: "bash" },
      { of: "unit", name: "ssh" },
    ]);
    expect(answers).toMatchObject([
      {
        stat: { type: "file", mode: 0o600, size: 256, owner: "root" },
        sha256: expect.stringMatching(/^40aff2e9/),
        content,
      },
      { stat: { type: "link" }, linkTarget: "busybox" },
      { content: Buffer.from("root:x:0:\nguest:x:1000:\nwheel:x:10:root,guest\n") },
      { exists: true, uid: 1000, groups: ["wheel"], primaryGroup: "guest", home: "/tmp" },
      { exists: true, gid: 10, members: ["root", "guest"] },
      { installed: false },
      { manager: "sysvinit", exists: false },
    ]);
  });

  test("files are written, small and large, with owner, mode, backup and validation", async () => {
    const write = {
      do: "write",
      why: "test",
      path: "/tmp/conf",
      owner: "guest",
      group: "wheel",
      mode: "0640",
    } as const;
    expect(await perform({ ...write, from: { bytes: Buffer.from("one") } })).toMatchObject({ ok: true });
    const second = await perform({
      ...write,
      from: { bytes: Buffer.alloc(300_000, 66) },
      backup: true,
      validate: "grep -q BBB %s",
    });
    expect(second).toMatchObject({ ok: true, backupPath: expect.stringContaining("/tmp/conf.") });
    const third = await perform({
      do: "write",
      why: "test",
      path: "/tmp/conf",
      from: { bytes: Buffer.from("x") },
      validate: "false %s",
    });
    expect(third.ok).toBe(false);
    const listing = await run(
      `stat -c '%U %G %a %s' /tmp/conf; cat ${second.backupPath}; ls -A /tmp | grep -c provision`,
    );
    expect(Buffer.from(listing.stdout).toString()).toBe("guest wheel 640 300000\none0\n");
  });

  test("a file that is mounted (/etc/hosts) is written in place", async () => {
    const result = await perform({
      do: "write",
      why: "test",
      path: "/etc/hosts",
      from: { bytes: Buffer.from("127.0.0.1 localhost\n") },
    });
    expect([String(result.stderr), result.ok]).toEqual(["", true]);
    expect(String((await run("cat /etc/hosts; ls -A /etc | grep -c provision")).stdout)).toBe(
      "127.0.0.1 localhost\n0\n",
    );
  });

  test("facts are known", async () => {
    expect(readBaseFacts((await run(baseFactsScript().script)).stdout)).toMatchObject({
      uid: 0,
      user: "root",
      home: "/root",
      packageManager: "none",
      serviceManager: "none",
    });
    const facts = readGatheredFacts(await run(gatherFactsScript().script), 0);
    expect(facts).toMatchObject({
      system: "Linux",
      user_dir: "/root",
      virtualization_type: "docker",
      virtualization_role: "guest",
      interfaces: expect.arrayContaining(["lo"]),
    });
    expect(facts.processor_vcpus).toBeGreaterThan(0);
  });
});

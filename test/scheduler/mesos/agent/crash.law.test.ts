import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePorts } from "../../../support/zookeeper.ts";
import { StageCluster, sandboxOf } from "../stage-cluster.ts";
import { TestFramework } from "../test-framework.ts";

let cluster: StageCluster;
let framework: TestFramework;
let daemon: ChildProcess;
let port = 0;

function startDaemon(): void {
  const main = join(import.meta.dirname, "../../../../src/scheduler/mesos/agent/main.ts");
  const flags = [
    "--ip=127.0.0.1",
    "--hostname=127.0.0.1",
    `--port=${port}`,
    `--work_dir=${join(cluster.folder, "work")}`,
    `--master=127.0.0.1:${cluster.masters[0]?.port}`,
    "--resources=cpus:4;mem:1024;disk:1000",
    "--isolation=posix/cpu,posix/mem",
    "--registration_backoff_factor=50ms",
  ];
  const run = `import(process.argv[1]).then(({ agentMain }) => agentMain(process.argv.slice(2), { PROVISION_ETC: "/nonexistent" })).then((code) => process.exit(code));`;
  daemon = spawn(process.execPath, ["-e", run, main, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  daemon.stderr?.on("data", (text: Buffer) => cluster.lines.push(text.toString().trim()));
}

const gone = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => child.once("exit", () => resolve()));

beforeEach(async () => {
  cluster = new StageCluster();
  port = (await freePorts(1))[0] ?? 0;
  const master = await cluster.master();
  await cluster.until(() => master.isLeading);
  startDaemon();
  framework = new TestFramework(master.url);
  await framework.subscribe();
});
afterEach(async () => {
  framework.close();
  daemon.kill("SIGKILL");
  await cluster.stop();
});

test("an agent that is killed outright loses no task, starts none twice, and ends them when asked", async () => {
  const starts = join(cluster.folder, "starts");
  framework.launch(
    { id: "goes-on", command: { value: `echo on >>${starts}; sleep 1000` } },
    {
      id: "ends",
      command: { value: `echo ends >>${starts}; while test ! -e stop; do sleep 0.1; done; exit 9` },
    },
  );
  await framework.state("goes-on", "TASK_RUNNING", 30_000);
  await framework.state("ends", "TASK_RUNNING", 30_000);
  const directory = await sandboxOf({ url: `http://127.0.0.1:${port}` }, "ends");
  const lines = (): string[] =>
    existsSync(starts) ? readFileSync(starts, "utf8").trim().split("\n").sort() : [];
  await cluster.until(() => lines().length === 2);

  const dead = gone(daemon);
  daemon.kill("SIGKILL");
  await dead;
  writeFileSync(join(directory, "stop"), "");
  startDaemon();

  expect((await framework.state("ends", "TASK_FAILED", 30_000)).message).toBe("Command exited with status 9");
  await framework.kill("goes-on");
  await framework.state("goes-on", "TASK_KILLED", 30_000);
  expect(lines()).toEqual(["ends", "on"]);

  const stopped = gone(daemon);
  daemon.kill("SIGTERM");
  await stopped;
  expect(daemon.exitCode).toBe(0);
});

test("an agent that cannot write a task down ends, and the next one has the launch dropped", async () => {
  const meta = join(cluster.folder, "work", "meta");
  framework.launch({ id: "first", command: { value: "sleep 1000" } });
  await framework.state("first", "TASK_RUNNING", 30_000);
  await framework.kill("first");
  await framework.state("first", "TASK_KILLED", 30_000);
  rmSync(join(meta, "tasks"), { recursive: true, force: true });
  writeFileSync(join(meta, "tasks"), "in the way");
  const dead = gone(daemon);
  framework.launch({ id: "second", command: { value: "sleep 1000" } });
  await dead;
  expect(daemon.exitCode).toBe(1);
  rmSync(join(meta, "tasks"));
  startDaemon();
  await framework.state("second", "TASK_LOST", 30_000);
});

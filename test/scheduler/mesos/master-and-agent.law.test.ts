import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requestJson } from "../../../src/scheduler/http/request-json.ts";
import type { AgentOptions, RunningAgent } from "../../../src/scheduler/mesos/agent/run-agent.ts";
import { runAgent } from "../../../src/scheduler/mesos/agent/run-agent.ts";
import { fixedLeader, soleMaster } from "../../../src/scheduler/mesos/daemon/coordination.ts";
import { fixedMasterInfo } from "../../../src/scheduler/mesos/daemon/run-until-signal.ts";
import { type RunningMaster, runMaster } from "../../../src/scheduler/mesos/master/run-master.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { TestFramework } from "./test-framework.ts";

let folder: string;
let store: MemoryStore;
let master: RunningMaster;
let agent: RunningAgent | undefined;
let framework: TestFramework;
const lines: string[] = [];

const startMaster = (port = 0): Promise<RunningMaster> =>
  runMaster({
    bindIp: "127.0.0.1",
    ip: "127.0.0.1",
    port,
    hostname: "127.0.0.1",
    store,
    electorate: soleMaster,
    log: (line) => void lines.push(`master: ${line}`),
  });

const startAgent = async (more: Partial<AgentOptions> = {}): Promise<RunningAgent> => {
  agent = await runAgent({
    bindIp: "127.0.0.1",
    ip: "127.0.0.1",
    port: 0,
    hostname: "127.0.0.1",
    workDir: join(folder, "work"),
    resources: "cpus:4;mem:1024;disk:1000",
    registrationBackoffMs: 50,
    leaders: fixedLeader(fixedMasterInfo(`127.0.0.1:${master.port}`)),
    log: (line) => void lines.push(`agent: ${line}`),
    ...more,
  });
  return agent;
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "provision-mesos-"));
  lines.length = 0;
  store = new MemoryStore();
  master = await startMaster();
  await startAgent();
  framework = new TestFramework(master.url);
  await waitUntil(() => master.isLeading);
  await framework.subscribe();
});

afterEach(async () => {
  framework.close();
  await agent?.stop();
  await master.stop();
  for (const pid of supervisors()) killGroup(pid);
  rmSync(folder, { recursive: true, force: true });
});

async function waitUntil(isSo: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const limit = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > limit) throw new Error(`waited in vain: ${isSo.toString()}\n${lines.join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** The leaders of the sessions that this test's agent started. */
function supervisors(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone, as it should be.
  }
}

const directoryOf = async (taskId: string): Promise<string> => {
  const { json } = await requestJson({ url: `${agent?.url}/slave(1)/state` });
  const state = json as unknown as { frameworks: Framework[]; completed_frameworks: Framework[] };
  interface Framework {
    executors: { id: string; directory: string }[];
    completed_executors: { id: string; directory: string }[];
  }
  const all = [...state.frameworks, ...state.completed_frameworks].flatMap((each) => [
    ...each.executors,
    ...each.completed_executors,
  ]);
  return all.find(({ id }) => id === taskId)?.directory ?? "";
};

describe("a command task", () => {
  test("runs in its sandbox with Mesos's environment, and its end is told", async () => {
    framework.launch({
      id: "t1",
      command: {
        value: `echo "out $MESOS_TASK_ID $SECRET"; echo err >&2; pwd; test "$PWD" = "$MESOS_SANDBOX"`,
        environment: { variables: [{ name: "SECRET", value: "x y" }] },
      },
    });
    await framework.state("t1", "TASK_FINISHED");
    expect(framework.statesOf("t1")).toEqual(["TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"]);
    const directory = await directoryOf("t1");
    expect(readFileSync(join(directory, "../latest/stdout"), "utf8")).toBe(`out t1 x y\n${directory}\n`);
    expect(readFileSync(join(directory, "stderr"), "utf8")).toBe("err\n");
    const read = await requestJson({
      url: `${agent?.url}/files/read?path=${directory}/stdout&offset=0&length=6`,
    });
    expect(read.json).toEqual({ offset: 0, data: "out t1" });
    const away = await requestJson({
      url: `${agent?.url}/files/read?path=${directory}/../../../../../../../meta/agent.json&offset=0`,
    });
    expect(away.status).toBe(404);
  });

  test("that fails says how", async () => {
    framework.launch(
      { id: "t1", command: { value: "exit 3" } },
      { id: "t2", command: { value: "kill -9 $$" } },
    );
    expect((await framework.state("t1", "TASK_FAILED")).message).toBe("Command exited with status 3");
    expect((await framework.state("t2", "TASK_FAILED")).message).toBe(
      "Command terminated with signal Killed",
    );
  });

  test("without a shell gets its arguments as they are", async () => {
    framework.launch({
      id: "t1",
      command: { shell: false, value: "/bin/echo", arguments: ["echo", "a  b", "$HOME"] },
    });
    await framework.state("t1", "TASK_FINISHED");
    expect(readFileSync(join(await directoryOf("t1"), "stdout"), "utf8")).toBe("a  b $HOME\n");
  });

  test("is killed with all its children, gently first", async () => {
    framework.launch({
      id: "t1",
      command: { value: `trap 'echo bye; exit 0' TERM; sleep 1000 & echo $! >child; wait` },
    });
    await framework.state("t1", "TASK_RUNNING");
    const directory = await directoryOf("t1");
    await waitUntil(
      () => existsSync(join(directory, "child")) && readFileSync(join(directory, "child"), "utf8") !== "",
    );
    await framework.kill("t1");
    await framework.state("t1", "TASK_KILLED");
    expect(readFileSync(join(directory, "stdout"), "utf8")).toBe("bye\n");
    const child = readFileSync(join(directory, "child"), "utf8").trim();
    await waitUntil(
      () => !existsSync(`/proc/${child}`) || readFileSync(`/proc/${child}/stat`, "utf8").includes(") Z"),
    );
  });

  test("that ignores SIGTERM is killed after its grace period", async () => {
    framework.launch({
      id: "t1",
      command: { value: "trap '' TERM; echo up; while :; do sleep 0.2; done" },
      kill_policy: { grace_period: { nanoseconds: 600e6 } },
    });
    const directory = await framework.state("t1", "TASK_RUNNING").then(() => directoryOf("t1"));
    await waitUntil(() => readFileSync(join(directory, "stdout"), "utf8") === "up\n");
    const asked = Date.now();
    await framework.kill("t1");
    await framework.state("t1", "TASK_KILLED");
    expect(Date.now() - asked).toBeGreaterThan(550);
  });
});

test("a health check tells when its verdict changes, and kills what stays unhealthy", async () => {
  framework.launch({
    id: "t1",
    command: { value: "touch well; sleep 1000" },
    health_check: {
      type: "COMMAND",
      command: { value: "test -e well" },
      delay_seconds: 0.2,
      interval_seconds: 0.1,
      grace_period_seconds: 0,
      consecutive_failures: 2,
    },
  });
  await framework.until(() => framework.statuses.some(({ healthy }) => healthy === true));
  rmSync(join(await directoryOf("t1"), "well"));
  const killed = await framework.state("t1", "TASK_KILLED");
  expect(killed.healthy).toBe(false);
});

describe("the fetcher", () => {
  test("fetches, unpacks and makes executable", async () => {
    const source = join(folder, "source");
    mkdirSync(source);
    writeFileSync(join(source, "serve"), "#!/bin/sh\necho served $1\n", { mode: 0o755 });
    execFileSync("tar", ["-czf", join(folder, "serve.tar.gz"), "-C", source, "serve"]);
    const server = createServer((request, response) => {
      if (request.url === "/go") response.writeHead(302, { Location: "/serve.tar.gz" }).end();
      else response.end(readFileSync(join(folder, "serve.tar.gz")));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    framework.launch({
      id: "t1",
      command: {
        value: "./serve well && ./plain",
        uris: [
          { value: `http://127.0.0.1:${port}/serve.tar.gz` },
          { value: `file://${source}/serve`, executable: true, output_file: "plain" },
        ],
      },
    });
    await framework.state("t1", "TASK_FINISHED");
    server.close();
    expect(readFileSync(join(await directoryOf("t1"), "stdout"), "utf8")).toBe("served well\nserved\n");
  });

  test("that fails, fails the task with the URI", async () => {
    framework.launch({ id: "t1", command: { value: "true", uris: [{ value: "file:///no/such/file" }] } });
    expect((await framework.state("t1", "TASK_FAILED")).message).toContain(
      "Failed to fetch all URIs for container: 'file:///no/such/file'",
    );
  });
});

describe("a restart", () => {
  test("of the agent leaves its tasks running, and it keeps its id", async () => {
    framework.launch({
      id: "t1",
      command: { value: "echo $$ >pid; while test ! -e stop; do sleep 0.1; done; exit 5" },
    });
    await framework.state("t1", "TASK_RUNNING");
    const directory = await directoryOf("t1");
    const before = agent?.agentId;
    await waitUntil(
      () => existsSync(join(directory, "pid")) && readFileSync(join(directory, "pid"), "utf8") !== "",
    );
    const pid = readFileSync(join(directory, "pid"), "utf8");
    await agent?.stop();
    expect(existsSync(`/proc/${pid.trim()}`)).toBe(true);
    await startAgent();
    await waitUntil(() => lines.filter((line) => line.includes("registered")).length > 0);
    expect(agent?.agentId).toBe(before);
    writeFileSync(join(directory, "stop"), "");
    expect((await framework.state("t1", "TASK_FAILED")).message).toBe("Command exited with status 5");
    expect(readFileSync(join(directory, "pid"), "utf8")).toBe(pid);
    expect(framework.statesOf("t1").filter((state) => state === "TASK_STARTING")).toHaveLength(1);
  });

  test("of the agent finds what ended meanwhile", async () => {
    framework.launch({ id: "t1", command: { value: "while test ! -e stop; do sleep 0.1; done; exit 7" } });
    await framework.state("t1", "TASK_RUNNING");
    const directory = await directoryOf("t1");
    await agent?.stop();
    writeFileSync(join(directory, "stop"), "");
    await waitUntil(() => supervisors().length === 0);
    await startAgent();
    expect((await framework.state("t1", "TASK_FAILED")).message).toBe("Command exited with status 7");
  });

  test("of the master brings back agents, frameworks and tasks", async () => {
    framework.launch({ id: "t1", command: { value: "sleep 1000" } });
    await framework.state("t1", "TASK_RUNNING");
    const { port } = master;
    const agentId = agent?.agentId;
    await master.stop();
    framework.close();
    master = await startMaster(port);
    await waitUntil(() => master.isLeading);
    await waitUntil(async () => {
      const { json } = await requestJson({ url: `${master.url}/slaves` });
      return (
        JSON.stringify(json).includes(`"id":"${agentId}"`) && !JSON.stringify(json).includes('"slaves":[]')
      );
    });
    await framework.subscribe();
    framework.statuses.length = 0;
    await framework.call({ type: "RECONCILE", reconcile: { tasks: [] } });
    expect((await framework.state("t1", "TASK_RUNNING")).reason).toBe("REASON_RECONCILIATION");
    await framework.kill("t1");
    await framework.state("t1", "TASK_KILLED");
  });

  test("with other resources is refused, unless they grew and may", async () => {
    await waitUntil(() => agent?.agentId !== undefined);
    await agent?.stop();
    agent = undefined;
    await expect(startAgent({ resources: "cpus:2;mem:1024;disk:1000" })).rejects.toThrow(
      "Incompatible agent info",
    );
    await expect(startAgent({ resources: "cpus:8;mem:1024;disk:1000" })).rejects.toThrow(
      "Incompatible agent info",
    );
    await startAgent({ resources: "cpus:8;mem:1024;disk:1000", reconfigurationPolicy: "additive" });
  });
});

test("news wait until they are acknowledged, one at a time", async () => {
  framework.acknowledges = false;
  framework.launch({ id: "t1", command: { value: "true" } });
  const starting = await framework.state("t1", "TASK_STARTING");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(framework.statesOf("t1")).toEqual(["TASK_STARTING"]);
  await framework.acknowledge(starting);
  await framework.acknowledge(await framework.state("t1", "TASK_RUNNING"));
  await framework.acknowledge(await framework.state("t1", "TASK_FINISHED"));
  await waitUntil(async () => {
    const { json } = await requestJson({ url: `${master.url}/master/state.json` });
    const state = json as unknown as { frameworks: { completed_tasks: unknown[]; tasks: unknown[] }[] };
    return state.frameworks[0]?.completed_tasks.length === 1 && state.frameworks[0].tasks.length === 0;
  });
});

describe("endpoints", () => {
  test.each([
    "/state",
    "/master/state.json",
    "/slaves",
    "/master/frameworks/",
    "/tasks?order=asc&limit=-1",
    "/roles",
    "/state-summary",
    "/version",
    "/flags",
    "/metrics/snapshot",
  ])("%s of the master", async (path) => {
    const { status, json } = await requestJson({ url: `${master.url}${path}` });
    expect(status).toBe(200);
    expect(json).toBeTypeOf("object");
  });

  test.each([
    "/state",
    "/slave(1)/state.json",
    "/containers",
    "/monitor/statistics",
    "/metrics/snapshot",
    "/flags",
  ])("%s of the agent", async (path) => {
    expect((await requestJson({ url: `${agent?.url}${path}` })).status).toBe(200);
  });

  test("health is empty, redirect names the leader", async () => {
    expect((await requestJson({ url: `${master.url}/health` })).json).toBeUndefined();
    const { status, headers } = await requestJson({ url: `${master.url}/master/redirect` });
    expect([status, headers.location]).toEqual([307, `//127.0.0.1:${master.port}`]);
  });

  test.each([
    ["GET", {}, 405],
    ["POST", {}, 400],
    ["POST", { "Content-Type": "text/plain" }, 415],
    ["POST", { "Content-Type": "application/json" }, 400],
  ])("the scheduler API answers %s %j with %i", async (method, headers, status) => {
    // Without a body fetch makes up no Content-Type of its own.
    const body = "Content-Type" in headers ? { body: "{}" } : {};
    const response = await fetch(`${master.url}/api/v1/scheduler`, { method, headers, ...body });
    expect(response.status).toBe(status);
  });
});

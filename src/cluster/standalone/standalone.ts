/**
 * A whole cluster in one process on one machine: a master, an agent and Marathon, on loopback, without ZooKeeper and
 * without root. State is kept in journals under the work folder, so that apps are there again after a restart; tasks
 * may outlive the process. What the three are is theirs; here they are only put together and taken apart in order.
 */
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import { join } from "node:path";
import { ProvisionError } from "../../base/errors.ts";
import { JournalStore } from "../../scheduler/journal-store.ts";
import { fixedMaster } from "../../scheduler/marathon/detector.ts";
import { soleLeadership } from "../../scheduler/marathon/leadership.ts";
import { type RunningMarathon, runMarathon } from "../../scheduler/marathon/marathon.ts";
import { type RunningAgent, runAgent } from "../../scheduler/mesos/agent/run-agent.ts";
import { fixedLeader, soleMaster } from "../../scheduler/mesos/daemon/coordination.ts";
import { type RunningMaster, runMaster } from "../../scheduler/mesos/master/run-master.ts";
import { masterInfo } from "../../scheduler/mesos/protocol/master-info.ts";

export interface StandaloneOptions {
  readonly workDir: string;
  /** 0 takes any free port. */
  readonly ports: { readonly master: number; readonly agent: number; readonly marathon: number };
  /** `cpus:2;mem:1024`; what it leaves out is what the machine has. */
  readonly resources?: string | undefined;
  readonly log: (line: string) => void;
}

export interface RunningStandalone {
  readonly master: RunningMaster;
  readonly agent: RunningAgent;
  readonly marathon: RunningMarathon;
  /** Docker tasks work: its engine answers. */
  readonly hasDocker: boolean;
  /** Ends all; tasks too, unless they are to be kept. */
  stop(options: { readonly keepTasks: boolean }): Promise<void>;
}

const ip = "127.0.0.1";
const dockerTimeoutMs = 3_000;
const endTasksTimeoutMs = 15_000;
const failoverTimeoutS = 604_800;

export async function runStandalone(options: StandaloneOptions): Promise<RunningStandalone> {
  const { workDir, log } = options;
  const hasDocker = await dockerAnswers();
  const started: (() => Promise<void>)[] = [];
  const undo = async (): Promise<void> => {
    for (const stop of started.toReversed()) await stop();
  };
  try {
    const master = await startMaster(options, started);
    const agent = await startAgent(options, started, { port: master.port, hasDocker });
    const marathon = await startMarathon(options, started, master.port);
    log(`state and sandboxes are in ${workDir}`);
    const stop = async ({ keepTasks }: { readonly keepTasks: boolean }): Promise<void> => {
      if (!keepTasks && !(await marathon.endTasks(endTasksTimeoutMs))) {
        log("some tasks did not end in time; the next start takes them up again");
      }
      await undo();
    };
    return { master, agent, marathon, hasDocker, stop };
  } catch (error) {
    await undo();
    throw error;
  }
}

type Stops = (() => Promise<void>)[];

async function startMaster(
  { workDir, ports, log }: StandaloneOptions,
  started: Stops,
): Promise<RunningMaster> {
  const store = await JournalStore.open({ folder: join(workDir, "master"), log });
  started.push(() => store.close());
  const master = await onPort("the master", ports.master, () =>
    runMaster({
      bindIp: ip,
      port: ports.master,
      ip,
      hostname: ip,
      cluster: "standalone",
      store,
      electorate: soleMaster,
      log: (line) => log(`master: ${line}`),
    }),
  );
  started.push(() => master.stop());
  return master;
}

async function startAgent(
  { workDir, ports, resources, log }: StandaloneOptions,
  started: Stops,
  { port, hasDocker }: { readonly port: number; readonly hasDocker: boolean },
): Promise<RunningAgent> {
  const agent = await onPort("the agent", ports.agent, () =>
    runAgent({
      bindIp: ip,
      port: ports.agent,
      ip,
      hostname: ip,
      workDir: join(workDir, "agent"),
      resources,
      reconfigurationPolicy: "additive",
      containerizers: hasDocker ? ["docker", "mesos"] : ["mesos"],
      switchUser: false,
      registrationBackoffMs: 100,
      leaders: fixedLeader(masterInfo({ id: randomUUID(), hostname: ip, ip, port })),
      log: (line) => log(`agent: ${line}`),
    }),
  );
  started.push(() => agent.stop());
  return agent;
}

async function startMarathon(
  { workDir, ports, log }: StandaloneOptions,
  started: Stops,
  masterPort: number,
): Promise<RunningMarathon> {
  const store = await JournalStore.open({ folder: join(workDir, "marathon"), log });
  started.push(() => store.close());
  const marathon = await onPort("Marathon", ports.marathon, () =>
    runMarathon({
      bindIp: ip,
      port: ports.marathon,
      hostname: ip,
      detector: fixedMaster({ host: ip, port: masterPort }),
      leadership: soleLeadership,
      store,
      framework: {
        user: userInfo().username,
        name: "marathon",
        role: "*",
        failover_timeout: failoverTimeoutS,
        checkpoint: true,
        capabilities: [{ type: "PARTITION_AWARE" }, { type: "TASK_KILLING_STATE" }],
      },
      log: (line) => log(`marathon: ${line}`),
    }),
  );
  started.push(() => marathon.stop());
  return marathon;
}

async function onPort<T>(who: string, port: number, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || cause.code !== "EADDRINUSE") throw cause;
    throw new ProvisionError({
      code: "port-in-use",
      action: `start ${who} on port ${port}`,
      state: `another process listens on ${ip}:${port}`,
      why: "a standalone cluster takes the ports 5050, 5051 and 8080, unless told otherwise",
      fix: "end that process, or choose with --master-port, --agent-port, --marathon-port",
      cause,
    });
  }
}

function dockerAnswers(): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("docker", ["version", "--format", "{{.Server.Version}}"], { stdio: "ignore" });
    const timer = setTimeout(() => child.kill("SIGKILL"), dockerTimeoutMs);
    const end = (answers: boolean): void => {
      clearTimeout(timer);
      resolve(answers);
    };
    child.once("error", () => end(false));
    child.once("exit", (code) => end(code === 0));
  });
}

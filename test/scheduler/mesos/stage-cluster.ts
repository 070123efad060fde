/** A master and an agent on loopback for law tests, torn down with everything that they started. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestJson } from "../../../src/scheduler/http/request-json.ts";
import {
  type AgentOptions,
  type RunningAgent,
  runAgent,
} from "../../../src/scheduler/mesos/agent/run-agent.ts";
import {
  type Electorate,
  fixedLeader,
  type LeaderSource,
  soleMaster,
} from "../../../src/scheduler/mesos/daemon/coordination.ts";
import { fixedMasterInfo } from "../../../src/scheduler/mesos/daemon/run-until-signal.ts";
import {
  type MasterOptions,
  type RunningMaster,
  runMaster,
} from "../../../src/scheduler/mesos/master/run-master.ts";
import { MemoryStore } from "../../support/memory-store.ts";

export class StageCluster {
  readonly folder = mkdtempSync(join(tmpdir(), "provision-mesos-"));
  readonly store = new MemoryStore();
  readonly lines: string[] = [];
  readonly masters: RunningMaster[] = [];
  readonly agents: RunningAgent[] = [];

  async master(more: Partial<MasterOptions> = {}): Promise<RunningMaster> {
    const electorate: Electorate = soleMaster;
    const name = `master${this.masters.length}`;
    const master = await runMaster({
      bindIp: "127.0.0.1",
      ip: "127.0.0.1",
      port: 0,
      hostname: "127.0.0.1",
      store: this.store,
      electorate,
      log: (line) => void this.lines.push(`${name}: ${line}`),
      ...more,
    });
    this.masters.push(master);
    return master;
  }

  /** Of the first master, unless it is told where the leader is found. */
  async agent(more: Partial<AgentOptions> = {}): Promise<RunningAgent> {
    const leaders: LeaderSource = fixedLeader(fixedMasterInfo(`127.0.0.1:${this.masters[0]?.port ?? 0}`));
    const name = `agent${this.agents.length}`;
    const agent = await runAgent({
      bindIp: "127.0.0.1",
      ip: "127.0.0.1",
      port: 0,
      hostname: "127.0.0.1",
      workDir: join(this.folder, "work"),
      resources: "cpus:4;mem:1024;disk:1000",
      registrationBackoffMs: 50,
      leaders,
      log: (line) => void this.lines.push(`${name}: ${line}`),
      ...more,
    });
    this.agents.push(agent);
    return agent;
  }

  async until(isSo: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
    const limit = Date.now() + timeoutMs;
    while (!(await isSo())) {
      if (Date.now() > limit) throw new Error(`waited in vain: ${isSo.toString()}\n${this.lines.join("\n")}`);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  async stop(): Promise<void> {
    for (const agent of this.agents) await agent.stop();
    for (const master of this.masters) await master.stop();
    this.killSupervisors();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** With all that they run. */
  killSupervisors(): void {
    for (const pid of this.supervisors()) killGroup(pid);
  }

  /** The leaders of the sessions that these agents started. */
  supervisors(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && commandLine(name).includes(this.folder))
      .map(Number);
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It is gone, as it should be.
  }
}

interface ShownFramework {
  readonly executors: readonly { readonly id: string; readonly directory: string }[];
  readonly completed_executors: readonly { readonly id: string; readonly directory: string }[];
}

export async function sandboxOf(agent: Pick<RunningAgent, "url">, taskId: string): Promise<string> {
  const { json } = await requestJson({ url: `${agent.url}/slave(1)/state` });
  const state = json as unknown as Record<"frameworks" | "completed_frameworks", ShownFramework[]>;
  const all = [...state.frameworks, ...state.completed_frameworks];
  const executors = all.flatMap((each) => [...each.executors, ...each.completed_executors]);
  return executors.find(({ id }) => id === taskId)?.directory ?? "";
}

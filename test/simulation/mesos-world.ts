import type { AgentRecord } from "../../src/scheduler/mesos/master/cluster-state.ts";
import type { FrameworkInfo } from "../../src/scheduler/mesos/protocol/framework.ts";
import { SimAgent, total } from "./mesos-world-agent.ts";
import { SimFramework } from "./mesos-world-framework.ts";
import { SimMaster } from "./mesos-world-master.ts";
import type { VirtualTime } from "./virtual-time.ts";

const sessionMs = 10_000;

/** What ZooKeeper does for masters: who stands, who leads, and a registry that only the leader's node may write. */
export class Ensemble {
  readonly registry = new Map<string, AgentRecord>();
  readonly #standing: { readonly master: SimMaster; heardAt: number }[] = [];
  readonly #time: VirtualTime;

  constructor(time: VirtualTime) {
    this.#time = time;
    time.every(500, () => this.#expire());
  }

  get leader(): SimMaster | undefined {
    return this.#standing[0]?.master;
  }

  stand(master: SimMaster): void {
    this.leave(master);
    this.#standing.push({ master, heardAt: this.#time.now });
  }

  leave(master: SimMaster): void {
    const index = this.#standing.findIndex((each) => each.master === master);
    if (index >= 0) this.#standing.splice(index, 1);
  }

  /** False: the session is gone. */
  hear(master: SimMaster): boolean {
    const found = this.#standing.find((each) => each.master === master);
    if (found !== undefined) found.heardAt = this.#time.now;
    return found !== undefined;
  }

  write(master: SimMaster, record: AgentRecord): boolean {
    if (this.leader !== master) return false;
    this.registry.set(record.id, record);
    return true;
  }

  #expire(): void {
    for (const { master, heardAt } of [...this.#standing])
      if (this.#time.now - heardAt >= sessionMs) this.leave(master);
  }
}

export class World {
  readonly time: VirtualTime;
  readonly ensemble: Ensemble;
  readonly masters: SimMaster[];
  readonly agents: SimAgent[];
  readonly framework: SimFramework;
  readonly violations: string[] = [];
  /** Of single messages. */
  loss = 0.03;
  readonly #begun = new Set<string>();

  constructor(time: VirtualTime, info: Partial<FrameworkInfo>) {
    this.time = time;
    this.ensemble = new Ensemble(time);
    this.masters = ["m1", "m2", "m3"].map((name) => new SimMaster(this, name));
    this.agents = ["a1", "a2", "a3", "a4"].map((name) => new SimAgent(this, name));
    this.framework = new SimFramework(this, info);
    time.every(100, () => this.#check());
  }

  /** How many tasks ever began. */
  get begun(): number {
    return this.#begun.size;
  }

  began(agent: SimAgent, key: string): void {
    if (this.#begun.has(key)) this.violations.push(`${key} began twice, now on ${agent.name}`);
    this.#begun.add(key);
    if (!total.contains(agent.used()))
      this.violations.push(`${agent.name} runs more than it has: ${agent.used()}`);
  }

  running(): string[] {
    return this.agents.flatMap(({ containers }) =>
      [...containers.values()].map(({ key }) => key.split("\0")[1] ?? ""),
    );
  }

  #check(): void {
    const leaders = this.masters.filter(({ core }) => core !== undefined);
    if (leaders.length > 1)
      this.violations.push(`two leaders: ${leaders.map(({ name }) => name).join(", ")}`);
    for (const { core } of leaders)
      for (const agent of core?.state.agents.values() ?? [])
        if (!agent.total.contains(agent.used.plus(agent.offered)))
          this.violations.push(`handed out twice on ${agent.hostname}: ${agent.used} and ${agent.offered}`);
  }
}

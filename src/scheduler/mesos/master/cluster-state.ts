/**
 * What a leading master knows, in memory. It is rebuilt from the agents after a change of leaders; only the list of
 * agents outlives the master, through the registrar.
 *
 * For speed at tens of thousands of tasks the state is changed in place, but only by the functions of this folder that
 * `decide` calls: no clock, no I/O, and no randomness that is not passed in.
 */
import type { FrameworkInfo } from "../protocol/framework.ts";
import type { MasterInfo } from "../protocol/master-info.ts";
import type { Attribute } from "../protocol/resource.ts";
import { Resources } from "../protocol/resources.ts";
import type { KillPolicy, TaskInfo, TaskState, TaskStatus } from "../protocol/task.ts";
import { Ring } from "./ring.ts";

export interface MasterSettings {
  readonly agentPingTimeoutMs: number;
  readonly maxAgentPingTimeouts: number;
  readonly agentReregisterTimeoutMs: number;
  /** 0: offers stay until used or declined. */
  readonly offerTimeoutMs: number;
  readonly maxCompletedFrameworks: number;
  readonly maxCompletedTasksPerFramework: number;
  /** Agents given up are remembered at most so many and so long. */
  readonly maxLostAgents: number;
  readonly lostAgentMemoryMs: number;
  readonly heartbeatIntervalMs: number;
  readonly roleWeights: Readonly<Record<string, number>>;
}

export const defaultMasterSettings: MasterSettings = {
  agentPingTimeoutMs: 15_000,
  maxAgentPingTimeouts: 5,
  agentReregisterTimeoutMs: 600_000,
  offerTimeoutMs: 0,
  maxCompletedFrameworks: 50,
  maxCompletedTasksPerFramework: 1000,
  maxLostAgents: 10_000,
  lostAgentMemoryMs: 14 * 86_400_000,
  heartbeatIntervalMs: 15_000,
  roleWeights: {},
};

/** What shows of a task once it is launched; its command went to the agent. */
export type TaskSummary = Pick<
  TaskInfo,
  "name" | "task_id" | "labels" | "discovery" | "container" | "health_check" | "limits"
> & { readonly user?: string | undefined };

export interface MesosTask {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly role: string;
  readonly summary: TaskSummary;
  readonly resources: Resources;
  /** The newest state known, acknowledged or not. */
  state: TaskState;
  /** Newest last, one a state. */
  statuses: TaskStatus[];
  /** The terminal update that waits for the framework's acknowledgement, or any earlier one. */
  unacknowledged: string | undefined;
  /** Asked for, and not yet seen to end: repeated when the agent comes back. */
  kill: { readonly policy: KillPolicy | undefined } | undefined;
}

export interface Offer {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly role: string;
  readonly resources: Resources;
  readonly madeAt: number;
}

export interface Agent {
  readonly id: string;
  hostname: string;
  ip: string;
  port: number;
  version: string;
  attributes: readonly Attribute[];
  total: Resources;
  /** Held by living tasks. */
  used: Resources;
  /** Lies in outstanding offers. */
  offered: Resources;
  /** By framework id and task id. */
  readonly tasks: Map<string, MesosTask>;
  readonly offers: Set<Offer>;
  /** The stream that its commands go down; undefined while it is away. */
  session: string | undefined;
  boot: string;
  attempt: number;
  registeredAt: number;
  reregisteredAt: number | undefined;
  lastPingAt: number;
  unansweredPings: number;
  /** Waits for the registrar: admitted or given up, neither is said before it is written. */
  writing: boolean;
  /** Taken out of offers by an operator. */
  deactivated: boolean;
}

/** An agent that the registrar knows and that is not connected: awaited after a failover, or given up. */
export interface AbsentAgent {
  readonly id: string;
  readonly record: AgentRecord;
  readonly since: number;
}

/** What the registrar keeps of an agent. */
export interface AgentRecord {
  readonly id: string;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
  readonly standing: "admitted" | "unreachable" | "gone";
  /** Milliseconds since the epoch of the standing. */
  readonly since: number;
}

export interface Framework {
  readonly id: string;
  info: FrameworkInfo;
  roles: readonly string[];
  /** The open stream; undefined while it is away. */
  stream: string | undefined;
  /** Known from agents only, since the last change of leaders. */
  recovered: boolean;
  registeredAt: number;
  reregisteredAt: number | undefined;
  unregisteredAt: number | undefined;
  /** When it is given up, while it is away. */
  deadline: number | undefined;
  readonly tasks: Map<string, MesosTask>;
  readonly unreachableTasks: Map<string, MesosTask>;
  readonly completedTasks: Ring<MesosTask>;
  readonly offers: Set<Offer>;
  readonly suppressed: Set<string>;
}

export class ClusterState {
  readonly info: MasterInfo;
  readonly settings: MasterSettings;
  readonly electedAt: number;
  readonly agents = new Map<string, Agent>();
  readonly bySession = new Map<string, Agent>();
  /** By ip:port: a new agent takes the place of one that went away. */
  readonly byAddress = new Map<string, Agent>();
  /** Streams of agents that are open, registered or not yet. */
  readonly openSessions = new Set<string>();
  /** Ids that wait for the registrar to be let in. */
  readonly admitting = new Set<string>();
  /** From before the last change of leaders, not yet back. */
  readonly awaited = new Map<string, AbsentAgent>();
  readonly unreachable = new Map<string, AbsentAgent>();
  readonly gone = new Map<string, AbsentAgent>();
  readonly frameworks = new Map<string, Framework>();
  readonly byStream = new Map<string, Framework>();
  readonly completedFrameworks: Ring<Framework>;
  readonly offers = new Map<string, Offer>();
  /** Agents whose free resources or audience changed since the last allocation. */
  readonly dirty = new Set<Agent>();
  readonly counts = { agents: 0, frameworks: 0, offers: 0 };
  readonly tally = { launched: 0, finished: 0, failed: 0, killed: 0, lost: 0, errors: 0, offersMade: 0 };

  constructor(info: MasterInfo, settings: MasterSettings, electedAt: number) {
    this.info = info;
    this.settings = settings;
    this.electedAt = electedAt;
    this.completedFrameworks = new Ring(settings.maxCompletedFrameworks);
  }

  /** Also when it is among those removed. */
  findFramework(frameworkId: string): Framework | undefined {
    return (
      this.frameworks.get(frameworkId) ?? [...this.completedFrameworks].find(({ id }) => id === frameworkId)
    );
  }

  /** Whoever comes to its address from now on does not take this agent's place. */
  leaveAddress(agent: Agent): void {
    const address = `${agent.ip}:${agent.port}`;
    if (this.byAddress.get(address) === agent) this.byAddress.delete(address);
  }

  newAgentId(): string {
    return `${this.info.id}-S${this.counts.agents++}`;
  }

  newFrameworkId(): string {
    return `${this.info.id}-${String(this.counts.frameworks++).padStart(4, "0")}`;
  }

  newOfferId(): string {
    return `${this.info.id}-O${this.counts.offers++}`;
  }
}

export const taskKey = (frameworkId: string, taskId: string): string => `${frameworkId}\0${taskId}`;

export const newAgent = (id: string, now: number): Agent => ({
  id,
  hostname: "",
  ip: "",
  port: 0,
  version: "",
  attributes: [],
  total: Resources.none,
  used: Resources.none,
  offered: Resources.none,
  tasks: new Map(),
  offers: new Set(),
  session: undefined,
  boot: "",
  attempt: 0,
  registeredAt: now,
  reregisteredAt: undefined,
  lastPingAt: now,
  unansweredPings: 0,
  writing: false,
  deactivated: false,
});

export const isOffering = (agent: Agent): boolean =>
  agent.session !== undefined && !agent.writing && !agent.deactivated;

export const freeOf = (agent: Agent): Resources => agent.total.minus(agent.used).minus(agent.offered);

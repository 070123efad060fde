/**
 * Masters, agents, a framework and an election in one process and virtual time, with a network that is cut and daemons
 * that die. The daemons' `decide` is the real one; what runs on the agents is the truth that claims are held against.
 */
import {
  type AgentState,
  type AgentTask,
  defaultAgentSettings,
  keyOf,
  newAgentState,
} from "../../src/scheduler/mesos/agent/agent-state.ts";
import { decide as decideAgent, helloOf } from "../../src/scheduler/mesos/agent/decide.ts";
import type { AgentAction, AgentEvent } from "../../src/scheduler/mesos/agent/turn.ts";
import { type AgentRecord, defaultMasterSettings } from "../../src/scheduler/mesos/master/cluster-state.ts";
import {
  decide as decideMaster,
  type MasterCore,
  newMaster,
} from "../../src/scheduler/mesos/master/decide.ts";
import type { Answer, MasterAction, MasterEvent } from "../../src/scheduler/mesos/master/turn.ts";
import type { AgentCommand } from "../../src/scheduler/mesos/protocol/agent-link.ts";
import type { FrameworkInfo } from "../../src/scheduler/mesos/protocol/framework.ts";
import { masterInfo } from "../../src/scheduler/mesos/protocol/master-info.ts";
import { parseResources, Resources } from "../../src/scheduler/mesos/protocol/resources.ts";
import type { SchedulerEvent } from "../../src/scheduler/mesos/protocol/scheduler-event.ts";
import type { TaskState } from "../../src/scheduler/mesos/protocol/task.ts";
import type { Channel, VirtualTime } from "./virtual-time.ts";

const total = parseResources("cpus:4;mem:4096");
const sessionMs = 10_000;
const stepDownMs = (sessionMs * 2) / 3;

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

interface Stream {
  readonly down: Channel;
  readonly onMessage: (message: never) => void;
  readonly onClosed: () => void;
}

export class SimMaster {
  readonly name: string;
  core: MasterCore | undefined;
  isAlive = true;
  isCutFromEnsemble = false;
  readonly #world: World;
  readonly #streams = new Map<string, Stream>();
  #provenAt = 0;
  #term = 0;
  #streamCount = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    world.time.every(1_500, () => this.#beat());
    world.time.every(500, () => this.#guard());
    world.time.every(1_000, () => this.tell({ is: "tick" }));
  }

  die(): void {
    this.isAlive = false;
    this.#endLeadership();
  }

  revive(): void {
    this.isAlive = true;
    this.#world.ensemble.leave(this);
  }

  /** A request of another: undefined when nobody answers. */
  ask(event: MasterEvent): Answer | undefined {
    if (!this.isAlive) return undefined;
    if (this.core === undefined) return { status: 503 };
    return this.#decide(this.core, event);
  }

  tell(event: MasterEvent): void {
    if (this.core !== undefined) this.#decide(this.core, event);
  }

  openStream(stream: Stream): string {
    const name = `${this.name}:${this.#term}:${this.#streamCount++}`;
    this.#streams.set(name, stream);
    return name;
  }

  /** The other side is gone; we notice. */
  closeStream(name: string, event: MasterEvent): void {
    if (this.#streams.delete(name)) this.tell(event);
  }

  #decide(core: MasterCore, event: MasterEvent): Answer {
    const { answer, actions } = decideMaster(core, event, this.#world.time.now, this.#world.time.random);
    for (const action of actions) this.#carryOut(core, action);
    return answer;
  }

  #carryOut(core: MasterCore, action: MasterAction): void {
    const { time, ensemble } = this.#world;
    if (action.do === "send-event") this.#send(action.stream, action.event);
    else if (action.do === "send-command") this.#send(action.session, action.command);
    else if (action.do === "close-stream") this.#close(action.stream);
    else if (action.do === "close-session") this.#close(action.session);
    else if (action.do === "persist")
      time.after(time.between(1, 30), () => {
        if (this.core !== core) return;
        if (this.isCutFromEnsemble || !ensemble.write(this, action.record)) this.#endLeadership();
        else this.tell({ is: "persisted", record: action.record, next: action.next });
      });
  }

  #send(name: string, message: SchedulerEvent | AgentCommand): void {
    const stream = this.#streams.get(name);
    stream?.down.send(() => stream.onMessage(structuredClone(message) as never));
  }

  #close(name: string): void {
    const stream = this.#streams.get(name);
    this.#streams.delete(name);
    stream?.down.send(() => stream.onClosed());
  }

  #endLeadership(): void {
    this.core = undefined;
    this.#world.ensemble.leave(this);
    for (const name of [...this.#streams.keys()]) this.#close(name);
  }

  #beat(): void {
    if (!this.isAlive || this.isCutFromEnsemble) return;
    const { ensemble, time } = this.#world;
    if (!ensemble.hear(this)) {
      if (this.core !== undefined) this.#endLeadership();
      ensemble.stand(this);
    }
    this.#provenAt = time.now;
    if (ensemble.leader === this && this.core === undefined) this.#lead();
  }

  #guard(): void {
    if (this.core !== undefined && this.#world.time.now - this.#provenAt >= stepDownMs) this.#endLeadership();
  }

  #lead(): void {
    this.#term++;
    const records = [...this.#world.ensemble.registry.values()];
    const info = masterInfo({
      id: `${this.name}t${this.#term}`,
      hostname: this.name,
      ip: "1.1.1.1",
      port: 5050,
    });
    this.core = newMaster({
      info,
      settings: { ...defaultMasterSettings, agentReregisterTimeoutMs: 120_000 },
      records,
      now: this.#world.time.now,
    });
  }
}

interface Disk {
  agentId: string | undefined;
  readonly frameworks: Map<string, FrameworkInfo>;
  readonly tasks: Map<string, AgentTask>;
}

export class SimAgent {
  readonly name: string;
  readonly containers = new Map<string, { readonly key: string; readonly resources: Resources }>();
  isAlive = true;
  /** From every master. */
  isCut = false;
  readonly #world: World;
  readonly #disk: Disk = { agentId: undefined, frameworks: new Map(), tasks: new Map() };
  state: AgentState = newAgentState(defaultAgentSettings);
  #boot = 0;
  #attempt = 0;
  #uuids = 0;
  #link:
    | { readonly master: SimMaster; readonly session: string; readonly up: Channel; readonly down: Channel }
    | undefined;
  #heardAt = 0;

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
    world.time.every(1_000, () => this.#look());
    world.time.every(500, () => this.#tell({ is: "tick" }));
  }

  crash(): void {
    this.isAlive = false;
    this.#boot++;
    this.#cut();
  }

  restart(): void {
    this.isAlive = true;
    this.#attempt = 0;
    this.state = newAgentState(defaultAgentSettings);
    this.state.agentId = this.#disk.agentId;
    for (const [id, info] of this.#disk.frameworks) this.state.frameworks.set(id, info);
    for (const task of structuredCloneTasks(this.#disk.tasks.values())) {
      this.state.tasks.set(keyOf(task), task);
      const about = { key: keyOf(task), containerId: task.containerId };
      if (this.containers.has(task.containerId))
        this.#soon(() => this.#tell({ is: "started", ...about, containerStatus: {} }));
      else
        this.#soon(() =>
          this.#tell({ is: "ended", ...about, ending: { problem: "not found after a restart" } }),
        );
    }
  }

  /** The connection stalls; both sides notice in their own time. */
  cutOff(): void {
    this.isCut = true;
    this.#link?.up.cut();
    this.#link?.down.cut();
  }

  endContainer(containerId: string, exitCode: number): void {
    const container = this.containers.get(containerId);
    if (container === undefined) return;
    this.containers.delete(containerId);
    this.#tell({ is: "ended", key: container.key, containerId, ending: { exitCode } });
  }

  used(): Resources {
    return [...this.containers.values()].reduce((sum, { resources }) => sum.plus(resources), Resources.none);
  }

  #soon(work: () => void): void {
    const boot = this.#boot;
    const { time } = this.#world;
    time.after(time.between(5, 3_000), () => {
      if (this.#boot === boot && this.isAlive) work();
    });
  }

  #tell(event: AgentEvent): void {
    if (!this.isAlive) return;
    const actions = decideAgent(this.state, event, {
      now: this.#world.time.now,
      newUuid: () => `${this.#world.time.now.toString(16)}${(this.#uuids++).toString(16)}`.padStart(32, "0"),
      directoryOf: (_framework, taskId) => `/${taskId}`,
    });
    for (const action of actions) this.#carryOut(action);
  }

  #carryOut(action: AgentAction): void {
    const { time } = this.#world;
    if (action.do === "keep-agent-id") this.#disk.agentId = action.agentId;
    else if (action.do === "keep-framework")
      this.#disk.frameworks.set(action.info.id?.value ?? "", action.info);
    else if (action.do === "forget-framework") this.#disk.frameworks.delete(action.frameworkId);
    else if (action.do === "keep-task")
      this.#disk.tasks.set(keyOf(action.task), structuredClone(action.task));
    else if (action.do === "forget-task") this.#disk.tasks.delete(keyOf(action.task));
    else if (action.do === "start") this.#soon(() => this.#start(action.task));
    else if (action.do === "stop")
      time.after(time.between(1, action.hard ? 50 : 4_000), () => this.#stop(action.task));
    else if (action.do === "relink") this.#cut();
    else if (action.do === "send") this.#send(action);
  }

  #start(task: AgentTask): void {
    const about = { key: keyOf(task), containerId: task.containerId };
    if (task.kill !== undefined) {
      this.#tell({ is: "ended", ...about, ending: { problem: "killed before it began" } });
      return;
    }
    this.#tell({ is: "process", ...about, process: { pid: 1, startTicks: "1", bootId: "b" } });
    this.containers.set(task.containerId, {
      key: about.key,
      resources: Resources.fromWire(task.info.resources),
    });
    this.#world.began(this, about.key);
    const { time } = this.#world;
    // Most tasks end by themselves, whether their agent is there to see it or not.
    if (time.random() < 0.8)
      time.after(time.between(5_000, 120_000), () => this.endContainer(task.containerId, time.between(0, 1)));
    this.#soon(() => this.#tell({ is: "started", ...about, containerStatus: {} }));
  }

  #stop(task: AgentTask): void {
    if (!this.containers.delete(task.containerId)) return;
    this.#tell({
      is: "ended",
      key: keyOf(task),
      containerId: task.containerId,
      ending: { signal: "Killed" },
    });
  }

  /** A message whose answer does not come ends the link, whether it arrived or not. */
  #send(action: Extract<AgentAction, { do: "send" }>): void {
    const link = this.#link;
    if (link === undefined || link.session !== action.session) return;
    const { time } = this.#world;
    const { message } = structuredClone(action);
    const isLost = time.random() < this.#world.loss;
    link.up.send(() => {
      const answer =
        isLost && time.random() < 0.5
          ? undefined
          : link.master.ask({ is: "agent-message", session: link.session, message });
      if (isLost || answer?.status !== 202) time.after(10, () => this.#cut(link));
    });
    if (!link.up.isOpen) time.after(10_000, () => this.#cut(link));
  }

  #cut(link = this.#link): void {
    if (link === undefined || this.#link !== link) return;
    this.#link = undefined;
    link.up.cut();
    link.down.cut();
    this.#tell({ is: "unlinked", session: link.session });
    const { time } = this.#world;
    time.after(time.between(10, 20_000), () =>
      link.master.closeStream(link.session, { is: "agent-closed", session: link.session }),
    );
  }

  #look(): void {
    if (!this.isAlive) return;
    const { time, ensemble } = this.#world;
    if (this.#link !== undefined) {
      const isStale =
        time.now - this.#heardAt > 75_000 ||
        (ensemble.leader !== undefined && ensemble.leader !== this.#link.master);
      if (isStale) this.#cut();
    } else if (!this.isCut && ensemble.leader?.core !== undefined) this.#hello(ensemble.leader);
  }

  #hello(master: SimMaster): void {
    const { time } = this.#world;
    const down = time.channel();
    const up = time.channel();
    const boot = this.#boot;
    let session = "";
    const isCurrent = (): boolean => this.#boot === boot && this.#link?.session === session && session !== "";
    const early: AgentCommand[] = [];
    const hear = (command: AgentCommand): void => {
      this.#heardAt = time.now;
      this.#tell({ is: "command", session, command });
    };
    session = master.openStream({
      down,
      onMessage: (command: AgentCommand) => (isCurrent() ? hear(command) : early.push(command)),
      onClosed: () => this.#cut(this.#link?.session === session ? this.#link : undefined),
    });
    const info = {
      hostname: this.name,
      ip: this.name,
      port: 5051,
      resources: total.toWire(),
      attributes: [],
      version: "1",
    };
    const hello = structuredClone(helloOf(this.state, info, `${this.name}.${boot}`, ++this.#attempt));
    const answer = master.ask({ is: "agent-hello", session, hello });
    if (answer?.status !== 202) {
      master.closeStream(session, { is: "agent-closed", session });
      return;
    }
    this.#link = { master, session, up, down };
    this.#heardAt = time.now;
    this.#tell({ is: "linked", session });
    for (const command of early.splice(0)) hear(command);
  }
}

const structuredCloneTasks = (tasks: Iterable<AgentTask>): AgentTask[] =>
  [...tasks].map((task) => structuredClone(task));

/** Launches on every offer, and believes what it is told. */
export class SimFramework {
  readonly states = new Map<string, TaskState>();
  readonly #world: World;
  readonly #info: FrameworkInfo;
  #link:
    | { readonly master: SimMaster; readonly stream: string; readonly up: Channel; readonly down: Channel }
    | undefined;
  id: string | undefined;
  launches = 0;
  wants = 12;

  constructor(world: World, info: Partial<FrameworkInfo>) {
    this.#world = world;
    this.#info = { user: "u", name: "sim", failover_timeout: 100_000, ...info };
    world.time.every(1_000, () => this.#look());
    world.time.every(15_000, () => this.#reconcile());
  }

  living(): string[] {
    return [...this.states].filter(([, state]) => !isEnd(state)).map(([taskId]) => taskId);
  }

  kill(taskId: string): void {
    this.#call({
      type: "KILL",
      framework_id: { value: this.id ?? "" },
      kill: { task_id: { value: taskId } },
    });
  }

  disconnect(): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    link.up.cut();
    link.down.cut();
    link.master.closeStream(link.stream, { is: "stream-closed", stream: link.stream });
  }

  #look(): void {
    const { time, ensemble } = this.#world;
    const leader = ensemble.leader;
    if (this.#link !== undefined && leader !== undefined && leader !== this.#link.master) this.disconnect();
    if (this.#link !== undefined || leader?.core === undefined) return;
    const [up, down] = [time.channel(), time.channel()];
    let stream = "";
    stream = leader.openStream({
      down,
      onMessage: (event: SchedulerEvent) => this.#hear(stream, event),
      onClosed: () => {
        if (this.#link?.stream === stream) this.disconnect();
      },
    });
    this.#link = { master: leader, stream, up, down };
    const known = this.id === undefined ? {} : { id: { value: this.id } };
    leader.ask({
      is: "subscribe",
      stream,
      call: { type: "SUBSCRIBE", subscribe: { framework_info: { ...this.#info, ...known } } },
    });
  }

  #hear(stream: string, event: SchedulerEvent): void {
    if (this.#link?.stream !== stream) return;
    if (event.type === "SUBSCRIBED") this.id = event.subscribed.framework_id.value;
    else if (event.type === "OFFERS") for (const offer of event.offers.offers) this.#use(offer);
    else if (event.type === "UPDATE") this.#learn(event.update.status);
  }

  #learn(status: Extract<SchedulerEvent, { type: "UPDATE" }>["update"]["status"]): void {
    const taskId = status.task_id.value;
    const known = this.states.get(taskId);
    if (known === undefined || !isEnd(known)) this.states.set(taskId, status.state);
    if (status.uuid === undefined || status.agent_id === undefined) return;
    const { uuid, agent_id, task_id } = status;
    this.#call({
      type: "ACKNOWLEDGE",
      framework_id: { value: this.id ?? "" },
      acknowledge: { uuid, agent_id, task_id },
    });
  }

  #use(offer: {
    readonly id: { readonly value: string };
    readonly agent_id: { readonly value: string };
  }): void {
    const framework_id = { value: this.id ?? "" };
    if (this.living().length >= this.wants) {
      this.#call({
        type: "DECLINE",
        framework_id,
        decline: { offer_ids: [{ ...offer.id }], filters: { refuse_seconds: 2 } },
      });
      return;
    }
    const taskId = `t${this.launches++}`;
    this.states.set(taskId, "TASK_STAGING");
    const task = {
      name: taskId,
      task_id: { value: taskId },
      agent_id: { ...offer.agent_id },
      resources: parseResources("cpus:1;mem:512").toWire(),
      command: { value: "x" },
    };
    const operations = [{ type: "LAUNCH" as const, launch: { task_infos: [task] } }];
    this.#call({
      type: "ACCEPT",
      framework_id,
      accept: { offer_ids: [{ ...offer.id }], operations, filters: { refuse_seconds: 1 } },
    });
  }

  #reconcile(): void {
    const framework_id = { value: this.id ?? "" };
    const tasks = this.living().map((taskId) => ({ task_id: { value: taskId } }));
    if (tasks.length > 0) this.#call({ type: "RECONCILE", framework_id, reconcile: { tasks } });
  }

  #call(call: Extract<MasterEvent, { is: "call" }>["call"]): void {
    const link = this.#link;
    if (link === undefined || this.#world.time.random() < this.#world.loss) return;
    link.up.send(() => {
      link.master.ask({ is: "call", stream: link.stream, call });
    });
  }
}

const ends: ReadonlySet<TaskState> = new Set([
  "TASK_FINISHED",
  "TASK_FAILED",
  "TASK_KILLED",
  "TASK_ERROR",
  "TASK_LOST",
  "TASK_DROPPED",
  "TASK_GONE",
  "TASK_UNKNOWN",
  "TASK_GONE_BY_OPERATOR",
]);
export const isEnd = (state: TaskState): boolean => ends.has(state);

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

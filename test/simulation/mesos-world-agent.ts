/** An agent in virtual time: its memory dies with it, its disk and its containers do not. */
import {
  type AgentState,
  type AgentTask,
  defaultAgentSettings,
  keyOf,
  newAgentState,
} from "../../src/scheduler/mesos/agent/agent-state.ts";
import { decide as decideAgent, helloOf } from "../../src/scheduler/mesos/agent/decide.ts";
import type { AgentAction, AgentEvent } from "../../src/scheduler/mesos/agent/turn.ts";
import type { AgentCommand } from "../../src/scheduler/mesos/protocol/agent-link.ts";
import type { FrameworkInfo } from "../../src/scheduler/mesos/protocol/framework.ts";
import { parseResources, Resources } from "../../src/scheduler/mesos/protocol/resources.ts";
import type { World } from "./mesos-world.ts";
import type { SimMaster } from "./mesos-world-master.ts";
import type { Channel } from "./virtual-time.ts";
export const total = parseResources("cpus:4;mem:4096");

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

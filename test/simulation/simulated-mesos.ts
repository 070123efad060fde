import {
  type AgentState,
  type AgentTask,
  defaultAgentSettings,
  keyOf,
  newAgentState,
} from "../../src/scheduler/mesos/agent/agent-state.ts";
import { decide as decideAgent, helloOf } from "../../src/scheduler/mesos/agent/decide.ts";
import type { AgentEvent } from "../../src/scheduler/mesos/agent/turn.ts";
import { type AgentRecord, defaultMasterSettings } from "../../src/scheduler/mesos/master/cluster-state.ts";
import {
  decide as decideMaster,
  type MasterCore,
  newMaster,
} from "../../src/scheduler/mesos/master/decide.ts";
import type { Answer, MasterEvent } from "../../src/scheduler/mesos/master/turn.ts";
import type { AgentCommand } from "../../src/scheduler/mesos/protocol/agent-link.ts";
import { masterInfo } from "../../src/scheduler/mesos/protocol/master-info.ts";
import type { SchedulerEvent } from "../../src/scheduler/mesos/protocol/scheduler-event.ts";
import type { Channel, VirtualTime } from "./virtual-time.ts";

const resources = [
  { name: "cpus", type: "SCALAR" as const, scalar: { value: 8 } },
  { name: "mem", type: "SCALAR" as const, scalar: { value: 8192 } },
  { name: "disk", type: "SCALAR" as const, scalar: { value: 8192 } },
  { name: "ports", type: "RANGES" as const, ranges: { range: [{ begin: 31000, end: 32000 }] } },
];

interface Stream {
  readonly id: string;
  readonly channel: Channel;
  readonly onEvent: (event: SchedulerEvent) => void;
  readonly onClosed: () => void;
}

/** Masters one after another, over the same registry, and agents whose containers are the truth about what runs. */
export class SimulatedMesos {
  readonly #time: VirtualTime;
  readonly #registry = new Map<string, AgentRecord>();
  #core: MasterCore | undefined;
  #term = 0;
  #streams = new Map<string, Stream>();
  readonly agents: SimulatedAgent[] = [];

  constructor(time: VirtualTime, agents: number) {
    this.#time = time;
    for (let index = 0; index < agents; index += 1) this.agents.push(new SimulatedAgent(time, this, index));
    this.elect();
    time.every(1_000, () => this.handle({ is: "tick" }));
  }

  get isLed(): boolean {
    return this.#core !== undefined;
  }

  /** The leading master dies with everything that it had in memory. */
  kill(): void {
    if (this.#core === undefined) return;
    this.#core = undefined;
    this.#term += 1;
    for (const { channel, onClosed } of this.#streams.values()) {
      channel.cut();
      this.#time.after(5, onClosed);
    }
    this.#streams.clear();
    for (const agent of this.agents) agent.unlink();
    this.#time.after(this.#time.between(1_000, 10_000), () => this.elect());
  }

  elect(): void {
    const info = masterInfo({ id: `m${this.#term}`, hostname: "m", ip: "10.0.0.1", port: 5050 });
    const records = [...this.#registry.values()];
    this.#core = newMaster({ info, settings: defaultMasterSettings, records, now: this.#time.now });
    for (const agent of this.agents) agent.linkSoon();
  }

  subscribe(stream: Stream, call: Extract<MasterEvent, { is: "subscribe" }>["call"]): void {
    this.#streams.set(stream.id, stream);
    if (this.handle({ is: "subscribe", stream: stream.id, call }).status >= 400) this.close(stream.id);
  }

  /** The framework's end of the stream is gone. */
  close(stream: string): void {
    this.#streams.get(stream)?.channel.cut();
    if (this.#streams.delete(stream)) this.handle({ is: "stream-closed", stream });
  }

  handle(event: MasterEvent): Answer {
    const core = this.#core;
    if (core === undefined) return { status: 503 };
    const { answer, actions } = decideMaster(core, event, this.#time.now, this.#time.random);
    const term = this.#term;
    for (const action of actions) {
      if (action.do === "send-event") {
        const stream = this.#streams.get(action.stream);
        stream?.channel.send(() => stream.onEvent(structuredClone(action.event)));
      } else if (action.do === "close-stream") {
        const stream = this.#streams.get(action.stream);
        this.#streams.delete(action.stream);
        stream?.channel.send(stream.onClosed);
      } else if (action.do === "send-command") {
        this.#agentOf(action.session)?.receive(action.session, structuredClone(action.command));
      } else if (action.do === "close-session") {
        this.#agentOf(action.session)?.unlink();
      } else if (action.do === "persist") {
        this.#time.after(this.#time.between(1, 30), () => {
          if (this.#term !== term) return;
          this.#registry.set(action.record.id, action.record);
          this.handle({ is: "persisted", record: action.record, next: action.next });
        });
      } else if (action.do === "forget") this.#registry.delete(action.agentId);
    }
    return answer;
  }

  #agentOf(session: string): SimulatedAgent | undefined {
    return this.agents.find((agent) => agent.session === session);
  }

  /** Ids of the tasks that really run, with the agents that run them. */
  get running(): readonly { readonly task: string; readonly agent: number }[] {
    return this.agents.flatMap((agent) =>
      [...agent.containers].map((task) => ({ task, agent: agent.index })),
    );
  }
}

export class SimulatedAgent {
  readonly index: number;
  readonly containers = new Set<string>();
  readonly #time: VirtualTime;
  readonly #mesos: SimulatedMesos;
  readonly #state: AgentState = newAgentState(defaultAgentSettings);
  #attempt = 0;
  #isCutOff = false;
  #channel: Channel | undefined;
  #uplink: Channel | undefined;
  session: string | undefined;

  constructor(time: VirtualTime, mesos: SimulatedMesos, index: number) {
    this.#time = time;
    this.#mesos = mesos;
    this.index = index;
    time.every(1_000, () => this.#handle({ is: "tick" }));
    time.every(3_000, () => this.session === undefined && this.#link());
  }

  linkSoon(): void {
    this.#time.after(this.#time.between(10, 2_000), () => this.#link());
  }

  cutOff(ms: number): void {
    this.#isCutOff = true;
    const session = this.session;
    this.unlink();
    if (session !== undefined) this.#mesos.handle({ is: "agent-closed", session });
    this.#time.after(ms, () => {
      this.#isCutOff = false;
    });
  }

  unlink(): void {
    const session = this.session;
    if (session === undefined) return;
    this.session = undefined;
    this.#channel?.cut();
    this.#uplink?.cut();
    this.#handle({ is: "unlinked", session });
  }

  #link(): void {
    if (this.#isCutOff || this.session !== undefined || !this.#mesos.isLed) return;
    this.#attempt += 1;
    const session = `s${this.index}-${this.#attempt}`;
    this.session = session;
    this.#channel = this.#time.channel();
    this.#uplink = this.#time.channel();
    this.#handle({ is: "linked", session });
    const info = {
      hostname: `agent${this.index}`,
      ip: `10.0.1.${this.index}`,
      port: 5051,
      resources,
      attributes: [],
      version: "1.11.0",
    };
    const hello = helloOf(this.#state, info, `boot${this.index}`, this.#attempt);
    this.#uplink.send(() => {
      if (this.#mesos.handle({ is: "agent-hello", session, hello: structuredClone(hello) }).status >= 400)
        this.unlink();
    });
  }

  receive(session: string, command: AgentCommand): void {
    this.#channel?.send(() => this.#handle({ is: "command", session, command }));
  }

  fail(task: string): void {
    const found = [...this.#state.tasks.values()].find(({ info }) => info.task_id.value === task);
    if (found !== undefined && this.containers.delete(task)) this.#ended(found, { exitCode: 1 });
  }

  #handle(event: AgentEvent): void {
    const actions = decideAgent(this.#state, event, {
      now: this.#time.now,
      newUuid: () => `u${Math.floor(this.#time.random() * 1e15)}`,
      directoryOf: (_framework, task) => `/sandbox/${task}`,
    });
    for (const action of actions) {
      if (action.do === "send") {
        const { session, message } = action;
        this.#uplink?.send(() => {
          this.#mesos.handle({ is: "agent-message", session, message: structuredClone(message) });
        });
      } else if (action.do === "start") this.#start(action.task);
      else if (action.do === "stop") this.#stop(action.task);
      else if (action.do === "relink") this.unlink();
    }
  }

  #start(task: AgentTask): void {
    const id = task.info.task_id.value;
    this.containers.add(id);
    this.#time.after(this.#time.between(10, 500), () => {
      if (!this.containers.has(id)) return;
      const { containerId } = task;
      this.#handle({ is: "started", key: keyOf(task), containerId, containerStatus: undefined });
    });
  }

  #stop(task: AgentTask): void {
    this.#time.after(this.#time.between(10, 1_000), () => {
      if (this.containers.delete(task.info.task_id.value)) this.#ended(task, { signal: "SIGTERM" });
    });
  }

  #ended(task: AgentTask, ending: { readonly exitCode?: number; readonly signal?: string }): void {
    this.#handle({ is: "ended", key: keyOf(task), containerId: task.containerId, ending });
  }
}

import { defaultMasterSettings } from "../../src/scheduler/mesos/master/cluster-state.ts";
import {
  decide as decideMaster,
  type MasterCore,
  newMaster,
} from "../../src/scheduler/mesos/master/decide.ts";
import type { Answer, MasterAction, MasterEvent } from "../../src/scheduler/mesos/master/turn.ts";
import type { AgentCommand } from "../../src/scheduler/mesos/protocol/agent-link.ts";
import { masterInfo } from "../../src/scheduler/mesos/protocol/master-info.ts";
import type { SchedulerEvent } from "../../src/scheduler/mesos/protocol/scheduler-event.ts";
import type { World } from "./mesos-world.ts";
import type { Channel } from "./virtual-time.ts";

/** Must end before ZooKeeper lets another lead, after 10 s. */
const stepDownMs = 6_600;

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

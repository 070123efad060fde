import type { MasterEvent } from "../../src/scheduler/mesos/master/turn.ts";
import type { FrameworkInfo } from "../../src/scheduler/mesos/protocol/framework.ts";
import { parseResources } from "../../src/scheduler/mesos/protocol/resources.ts";
import type { SchedulerEvent } from "../../src/scheduler/mesos/protocol/scheduler-event.ts";
import type { TaskState } from "../../src/scheduler/mesos/protocol/task.ts";
import type { World } from "./mesos-world.ts";
import type { SimMaster } from "./mesos-world-master.ts";
import type { Channel } from "./virtual-time.ts";
/** Launches on every offer, and believes what it is told. */
export class SimFramework {
  readonly states = new Map<string, TaskState>();
  readonly #world: World;
  readonly #info: FrameworkInfo;
  readonly #agents = new Map<string, string>();
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
    this.#agents.set(taskId, offer.agent_id.value);
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
    // Without the agent a master that does not know the task may say so, though it is on an unreachable one.
    const tasks = this.living().map((taskId) => ({
      task_id: { value: taskId },
      agent_id: { value: this.#agents.get(taskId) ?? "" },
    }));
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

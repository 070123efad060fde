import type { Command } from "../../src/scheduler/marathon/core/command.ts";
import {
  type CoreEvent,
  coreEventsOf,
  type Decision,
  decide,
  decideTogether,
  type Reply,
} from "../../src/scheduler/marathon/core/decide.ts";
import type { Context, MesosCall } from "../../src/scheduler/marathon/core/draft.ts";
import { defaultSettings, type MarathonState } from "../../src/scheduler/marathon/core/state.ts";
import { loadState, operationsOf } from "../../src/scheduler/marathon/storage/state-store.ts";
import type { MasterEvent } from "../../src/scheduler/mesos/master/turn.ts";
import type { FrameworkInfo } from "../../src/scheduler/mesos/protocol/framework.ts";
import type { SchedulerEvent } from "../../src/scheduler/mesos/protocol/scheduler-event.ts";
import { MemoryStore } from "../support/memory-store.ts";
import type { SimulatedMesos } from "./simulated-mesos.ts";
import type { Channel, VirtualTime } from "./virtual-time.ts";

interface Waiting {
  readonly event: CoreEvent;
  readonly answer?: (reply: Reply | undefined) => void;
}

const framework: FrameworkInfo = {
  user: "nobody",
  name: "marathon",
  failover_timeout: 604_800,
  checkpoint: true,
  capabilities: [{ type: "PARTITION_AWARE" }, { type: "TASK_KILLING_STATE" }],
};

/** Marathons one after another over the same store: decide, commit, act, as engine.ts does, and may die in between. */
export class SimulatedMarathon {
  /** How often it dies while a launch is being stored: the moment that hurts most. */
  crashRate = 0;
  readonly store = new MemoryStore();
  readonly #time: VirtualTime;
  readonly #mesos: SimulatedMesos;
  #state: MarathonState | undefined;
  #term = 0;
  #waiting: Waiting[] = [];
  #isCommitting = false;
  #stream: string | undefined;
  #streams = 0;
  #uplink: Channel | undefined;

  /** A planted defect, to see that it is found: it speaks to Mesos before what it says is stored. */
  readonly #actsTooEarly: boolean;

  constructor(time: VirtualTime, mesos: SimulatedMesos, actsTooEarly = false) {
    this.#time = time;
    this.#actsTooEarly = actsTooEarly;
    this.#mesos = mesos;
    time.after(10, () => this.elect());
    time.every(500, () => this.#post({ event: { type: "tick" } }));
    time.every(300, () => this.#subscribe());
  }

  get state(): MarathonState | undefined {
    return this.#state;
  }

  async elect(): Promise<void> {
    this.#state = await loadState(this.store, defaultSettings);
  }

  kill(): void {
    if (this.#state === undefined) return;
    this.#state = undefined;
    this.#term += 1;
    for (const { answer } of this.#waiting.splice(0)) answer?.(undefined);
    this.#isCommitting = false;
    this.#leaveMesos();
    this.#time.after(this.#time.between(500, 12_000), () => this.elect());
  }

  /** undefined: no answer; whether it happened is not known. */
  run(command: Command, answer: (reply: Reply | undefined) => void): void {
    if (this.#state === undefined) answer(undefined);
    else this.#post({ event: { type: "command", command }, answer });
  }

  #post(waiting: Waiting): void {
    if (this.#state === undefined) return;
    this.#waiting.push(waiting);
    this.#next();
  }

  #next(): void {
    if (this.#isCommitting || this.#state === undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    const { now, random } = this.#time;
    const { state, writes, calls, reply } = this.#decide(this.#state, waiting.event, { now, random });
    this.#state = state;
    this.#isCommitting = true;
    const term = this.#term;
    const operations = operationsOf(writes);
    if (calls.some(({ type }) => type === "ACCEPT") && random() < this.crashRate) {
      this.#time.after(this.#time.between(0, 20), () => this.kill());
    }
    if (this.#actsTooEarly) for (const call of calls) this.#send(call);
    // It dies before, or after, what it wrote is there; either way before it could act on it.
    this.#time.after(operations.length === 0 ? 0 : this.#time.between(1, 20), async () => {
      if (this.#term !== term) {
        waiting.answer?.(undefined);
        if (this.#time.random() < 0.5) await this.store.commit(operations);
        return;
      }
      await this.store.commit(operations);
      this.#isCommitting = false;
      if (!this.#actsTooEarly) for (const call of calls) this.#send(call);
      waiting.answer?.(reply);
      this.#next();
    });
  }

  /** Now and then what else waits is decided in the same go, as engine.ts does. */
  #decide(state: MarathonState, first: CoreEvent, context: Context): Decision {
    if (first.type === "command" || context.random() < 0.5) return decide(state, first, context);
    const together = [first];
    for (;;) {
      const next = this.#waiting[0]?.event;
      if (next === undefined || next.type === "command") return decideTogether(state, together, context);
      together.push(next);
      this.#waiting.shift();
    }
  }

  #send(call: MesosCall): void {
    const frameworkId = this.#state?.frameworkId;
    const stream = this.#stream;
    if (frameworkId === undefined || stream === undefined) return;
    const whole = { ...structuredClone(call), framework_id: { value: frameworkId } };
    this.#uplink?.send(() => {
      const event = { is: "call", stream, call: whole } as MasterEvent;
      if (this.#mesos.handle(event).status >= 400) this.#leaveMesos();
    });
  }

  #subscribe(): void {
    if (this.#state === undefined || this.#stream !== undefined || !this.#mesos.isLed) return;
    this.#streams += 1;
    const id = `stream${this.#streams}`;
    this.#stream = id;
    this.#uplink = this.#time.channel();
    const known = this.#state.frameworkId;
    const value = known === undefined ? {} : { framework_id: { value: known } };
    const info = known === undefined ? framework : { ...framework, id: { value: known } };
    const channel = this.#time.channel();
    this.#uplink.send(() =>
      this.#mesos.subscribe(
        {
          id,
          channel,
          onEvent: (event) => this.#stream === id && this.#hear(event),
          onClosed: () => this.#stream === id && this.#leaveMesos(),
        },
        { type: "SUBSCRIBE", ...value, subscribe: { framework_info: info } },
      ),
    );
  }

  #hear(event: SchedulerEvent): void {
    if (event.type === "SUBSCRIBED") {
      const frameworkId = event.subscribed.framework_id.value;
      this.#post({ event: { type: "subscribed", frameworkId, master: "m" } });
    } else if (event.type === "ERROR") this.#leaveMesos();
    else for (const one of coreEventsOf(event)) this.#post({ event: one });
  }

  #leaveMesos(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    this.#uplink?.cut();
    this.#time.after(5, () => this.#mesos.close(stream));
    this.#post({ event: { type: "disconnected" } });
  }
}

/** A framework for tests: subscribes, takes offers, launches what it is told, acknowledges, and remembers. */
import { type OpenStream, openRecordStream } from "../../../src/scheduler/http/open-stream.ts";
import { requestJson } from "../../../src/scheduler/http/request-json.ts";
import type { FrameworkInfo } from "../../../src/scheduler/mesos/protocol/framework.ts";
import type { Offer } from "../../../src/scheduler/mesos/protocol/offer.ts";
import { parseResources } from "../../../src/scheduler/mesos/protocol/resources.ts";
import type { SchedulerEvent } from "../../../src/scheduler/mesos/protocol/scheduler-event.ts";
import type { TaskInfo, TaskStatus } from "../../../src/scheduler/mesos/protocol/task.ts";

export interface Wanted extends Partial<Omit<TaskInfo, "resources" | "task_id">> {
  readonly id: string;
  readonly needs?: string;
}

export class TestFramework {
  readonly statuses: TaskStatus[] = [];
  readonly offers: Offer[] = [];
  id: string | undefined;
  acknowledges = true;
  #url: string;
  #stream: OpenStream | undefined;
  #session = "";
  #changed = Promise.withResolvers<void>();
  readonly #wanted: Wanted[] = [];
  readonly #info: Partial<FrameworkInfo>;

  constructor(url: string, info: Partial<FrameworkInfo> = {}) {
    this.#url = url;
    this.#info = info;
  }

  async subscribe(url = this.#url): Promise<void> {
    this.#url = url;
    const known = this.id === undefined ? {} : { id: { value: this.id } };
    const framework_info = {
      user: "",
      name: "test",
      checkpoint: true,
      failover_timeout: 600,
      ...this.#info,
      ...known,
    };
    this.offers.length = 0;
    const early: SchedulerEvent[] = [];
    let isOpen = false;
    this.#stream = await openRecordStream({
      url: `${url}/api/v1/scheduler`,
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({
        type: "SUBSCRIBE",
        ...(this.id === undefined ? {} : { framework_id: { value: this.id } }),
        subscribe: { framework_info },
      }),
      silenceTimeoutMs: 0,
      onRecord: (record) => {
        const event: SchedulerEvent = JSON.parse(record.toString("utf8"));
        if (isOpen) this.#hear(event);
        else early.push(event);
      },
    });
    this.#session = String(this.#stream.headers["mesos-stream-id"]);
    isOpen = true;
    for (const event of early) this.#hear(event);
    await this.until(() => this.id !== undefined);
  }

  close(): void {
    this.#stream?.close();
  }

  async call(call: object): Promise<number> {
    const { status } = await requestJson({
      url: `${this.#url}/api/v1/scheduler`,
      json: { framework_id: { value: this.id }, ...call },
      headers: { "Mesos-Stream-Id": this.#session },
    });
    return status;
  }

  launch(...wanted: readonly Wanted[]): void {
    this.#wanted.push(...wanted);
    this.#useOffers();
  }

  kill(taskId: string): Promise<number> {
    return this.call({ type: "KILL", kill: { task_id: { value: taskId } } });
  }

  statesOf(taskId: string): string[] {
    return this.statuses.filter(({ task_id }) => task_id.value === taskId).map(({ state }) => state);
  }

  async state(taskId: string, state: string, timeoutMs = 20_000): Promise<TaskStatus> {
    const find = (): TaskStatus | undefined =>
      this.statuses.find((status) => status.task_id.value === taskId && status.state === state);
    await this.until(
      () => find() !== undefined,
      timeoutMs,
      () =>
        `${taskId} to be ${state}; it was ${JSON.stringify(this.statuses.map(({ state, message }) => [state, message]))}`,
    );
    return find() as TaskStatus;
  }

  async until(isSo: () => boolean, timeoutMs = 20_000, what = (): string => "it"): Promise<void> {
    const limit = Date.now() + timeoutMs;
    while (!isSo()) {
      const left = limit - Date.now();
      if (left <= 0) throw new Error(`waited ${timeoutMs} ms for ${what()}`);
      await Promise.race([
        this.#changed.promise,
        new Promise((resolve) => setTimeout(resolve, Math.min(left, 200))),
      ]);
    }
  }

  #hear(event: SchedulerEvent): void {
    if (event.type === "SUBSCRIBED") this.id = event.subscribed.framework_id.value;
    if (event.type === "OFFERS") {
      this.offers.push(...event.offers.offers);
      this.#useOffers();
    }
    if (event.type === "RESCIND") {
      const index = this.offers.findIndex(({ id }) => id.value === event.rescind.offer_id.value);
      if (index >= 0) this.offers.splice(index, 1);
    }
    if (event.type === "UPDATE") {
      this.statuses.push(event.update.status);
      if (this.acknowledges) void this.acknowledge(event.update.status);
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  async acknowledge({ uuid, agent_id, task_id }: TaskStatus): Promise<void> {
    if (uuid === undefined) return;
    await this.call({ type: "ACKNOWLEDGE", acknowledge: { uuid, agent_id, task_id } }).catch(() => 0);
  }

  #useOffers(): void {
    if (this.#wanted.length === 0) return;
    const offer = this.offers.shift();
    if (offer === undefined) return;
    const task_infos = this.#wanted.splice(0).map(({ id, needs, ...task }) => ({
      name: id,
      agent_id: offer.agent_id,
      resources: parseResources(needs ?? "cpus:0.1;mem:32").toWire(),
      ...task,
      task_id: { value: id },
    }));
    void this.call({
      type: "ACCEPT",
      accept: {
        offer_ids: [offer.id],
        operations: [{ type: "LAUNCH", launch: { task_infos } }],
        filters: { refuse_seconds: 0 },
      },
    });
  }
}

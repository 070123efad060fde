import { expect } from "vitest";
import type { JsonObject } from "../../../../src/base/json.ts";
import type { Command } from "../../../../src/scheduler/marathon/core/command.ts";
import { type CoreEvent, type Decision, decide } from "../../../../src/scheduler/marathon/core/decide.ts";
import type { MarathonEvent, MesosCall, Write } from "../../../../src/scheduler/marathon/core/draft.ts";
import {
  defaultSettings,
  emptyState,
  instancesOf,
  type MarathonState,
  type Settings,
} from "../../../../src/scheduler/marathon/core/state.ts";
import { ApiError } from "../../../../src/scheduler/marathon/model/api-error.ts";
import type { Instance } from "../../../../src/scheduler/marathon/model/instance.ts";
import { parseAppUpdate } from "../../../../src/scheduler/marathon/model/parse-app.ts";
import type { Offer } from "../../../../src/scheduler/mesos/protocol/offer.ts";
import type { TaskInfo, TaskState } from "../../../../src/scheduler/mesos/protocol/task.ts";
import { seeded } from "../../../support/seeded.ts";

/** What the API answers to it: 200, or the refusal's status. */
export const statusOf = (work: () => unknown): number => {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
  return 200;
};

export interface AgentSpec {
  readonly cpus?: number;
  readonly mem?: number;
  readonly ports?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A Marathon core with a hand-held clock; events go in, what it says is gathered. */
export class World {
  state: MarathonState;
  now = Date.parse("2026-01-01T00:00:00.000Z");
  readonly random = seeded(1);
  readonly calls: MesosCall[] = [];
  readonly writes: Write[] = [];
  readonly events: MarathonEvent[] = [];
  #offers = 0;

  constructor(settings: Partial<Settings> = {}) {
    this.state = emptyState({ ...defaultSettings, drainMs: 0, ...settings });
    this.send({ type: "subscribed", frameworkId: "fw", master: "m:5050" });
  }

  send(event: CoreEvent): Decision {
    const decision = decide(this.state, event, { now: this.now, random: this.random });
    this.state = decision.state;
    this.calls.push(...decision.calls);
    this.writes.push(...decision.writes);
    this.events.push(...decision.events);
    return decision;
  }

  run(command: Command): Decision {
    const decision = this.send({ type: "command", command });
    if (decision.reply?.ok === false) throw decision.reply.error;
    return decision;
  }

  create(json: JsonObject, force = false): Decision {
    return this.run({ kind: "createApp", update: parseAppUpdate(json), force });
  }

  update(id: string, json: JsonObject, options: { force?: boolean; partial?: boolean } = {}): Decision {
    const updates = [{ id, update: parseAppUpdate(json) }];
    const { force = false, partial = true } = options;
    return this.run({ kind: "updateApps", updates, partial, create: true, force });
  }

  /** Offers of the agents, all in one event. */
  offer(agents: Readonly<Record<string, AgentSpec>>): Decision {
    return this.send({
      type: "offers",
      offers: Object.entries(agents).map(([id, spec]) => this.#offer(id, spec)),
    });
  }

  #offer(agent: string, { cpus = 4, mem = 4096, ports = "31000-32000", attributes = {} }: AgentSpec): Offer {
    this.#offers += 1;
    const [begin = 0, end = 0] = ports.split("-").map(Number);
    return {
      id: { value: `O${this.#offers}` },
      framework_id: { value: "fw" },
      agent_id: { value: agent },
      hostname: `${agent}.local`,
      resources: [
        { name: "cpus", type: "SCALAR", scalar: { value: cpus }, role: "*" },
        { name: "mem", type: "SCALAR", scalar: { value: mem }, role: "*" },
        { name: "disk", type: "SCALAR", scalar: { value: 10_000 }, role: "*" },
        { name: "ports", type: "RANGES", ranges: { range: [{ begin, end }] }, role: "*" },
      ],
      attributes: Object.entries(attributes).map(([name, value]) => ({
        name,
        type: "TEXT",
        text: { value },
      })),
    };
  }

  status(instance: Pick<Instance, "id" | "agentId">, state: TaskState, more: object = {}): Decision {
    return this.send({
      type: "status",
      status: {
        task_id: { value: instance.id },
        agent_id: { value: instance.agentId },
        state,
        uuid: "dQ==",
        ...more,
      },
    });
  }

  /** All that is launched says that it runs. */
  runAll(appId: string): void {
    for (const one of this.instances(appId))
      if (one.condition === "launching") this.status(one, "TASK_RUNNING");
  }

  /** All that was told to end has ended. */
  killAll(appId: string): void {
    for (const one of this.instances(appId)) if (one.goal === "stopped") this.status(one, "TASK_KILLED");
  }

  wait(ms: number): void {
    this.now += ms;
    this.send({ type: "tick" });
  }

  instances(appId: string): readonly Instance[] {
    return [...instancesOf(this.state, appId).values()];
  }

  living(appId: string): readonly Instance[] {
    return this.instances(appId).filter(({ goal }) => goal === "running");
  }

  launches(): readonly TaskInfo[] {
    return this.calls.flatMap((call) =>
      call.type === "ACCEPT"
        ? call.accept.operations.flatMap((operation) =>
            operation.type === "LAUNCH" ? operation.launch.task_infos : [],
          )
        : [],
    );
  }

  killed(): readonly string[] {
    return this.calls.flatMap((call) => (call.type === "KILL" ? [call.kill.task_id.value] : []));
  }

  deployments(): number {
    return this.state.deployments.size;
  }

  /** Creates the app and brings it up on the agents. */
  up(json: JsonObject & { readonly id: string }, agents: Readonly<Record<string, AgentSpec>>): void {
    this.create(json);
    const id = `/${json.id.replace(/^\//, "")}`;
    this.offer(agents);
    this.runAll(id);
    expect(this.deployments()).toBe(0);
  }
}

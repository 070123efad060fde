/** A master's core with a tape of what it did, and short names for what may happen to it. */

import {
  type AgentRecord,
  defaultMasterSettings,
  type MasterSettings,
} from "../../../../src/scheduler/mesos/master/cluster-state.ts";
import { decide, type MasterCore, newMaster } from "../../../../src/scheduler/mesos/master/decide.ts";
import type {
  Answer,
  MasterAction,
  MasterEvent,
  OtherCall,
} from "../../../../src/scheduler/mesos/master/turn.ts";
import type { AgentMessage, TaskReport } from "../../../../src/scheduler/mesos/protocol/agent-link.ts";
import type { FrameworkInfo } from "../../../../src/scheduler/mesos/protocol/framework.ts";
import { masterInfo } from "../../../../src/scheduler/mesos/protocol/master-info.ts";
import type { Offer } from "../../../../src/scheduler/mesos/protocol/offer.ts";
import { parseResources } from "../../../../src/scheduler/mesos/protocol/resources.ts";
import type { SchedulerEvent } from "../../../../src/scheduler/mesos/protocol/scheduler-event.ts";
import type { TaskInfo, TaskState, TaskStatus } from "../../../../src/scheduler/mesos/protocol/task.ts";
import { id } from "../../../../src/scheduler/mesos/protocol/wire.ts";

export interface StageOptions {
  readonly settings?: Partial<MasterSettings>;
  readonly records?: readonly AgentRecord[];
}

export class Stage {
  readonly core: MasterCore;
  now = 1_000_000;
  /** Everything done since the last `take`. */
  tape: MasterAction[] = [];
  /** Records are written at once unless held back. */
  holdWrites = false;
  readonly #attempts = new Map<string, number>();

  constructor({ settings, records }: StageOptions = {}) {
    const info = masterInfo({ id: "M", hostname: "m1", ip: "127.0.0.1", port: 5050 });
    this.core = newMaster({
      info,
      settings: { ...defaultMasterSettings, ...settings },
      records: records ?? [],
      now: this.now,
    });
  }

  happen(event: MasterEvent): Answer {
    const { answer, actions } = decide(this.core, event, this.now, () => 0.5);
    for (const action of actions) {
      this.tape.push(action);
      if (action.do === "persist" && !this.holdWrites)
        this.happen({ is: "persisted", record: action.record, next: action.next });
    }
    return answer;
  }

  take(): MasterAction[] {
    const taken = this.tape;
    this.tape = [];
    return taken;
  }

  tick(ms = 0): void {
    this.now += ms;
    this.happen({ is: "tick" });
  }

  /** An agent says hello on stream `session`. */
  agent(
    session: string,
    options: {
      id?: string;
      resources?: string;
      tasks?: TaskReport[];
      frameworks?: FrameworkInfo[];
      ip?: string;
    } = {},
  ): Answer {
    const attempt = (this.#attempts.get(session) ?? 0) + 1;
    this.#attempts.set(session, attempt);
    return this.happen({
      is: "agent-hello",
      session,
      hello: {
        ...(options.id === undefined ? {} : { agent_id: id(options.id) }),
        boot: session,
        attempt,
        info: {
          hostname: session,
          ip: options.ip ?? session,
          port: 5051,
          resources: parseResources(options.resources ?? "cpus:4;mem:4096;ports:[31000-31009]").toWire(),
          attributes: [],
          version: "1.11.0",
        },
        tasks: options.tasks ?? [],
        frameworks: options.frameworks ?? [],
      },
    });
  }

  framework(stream: string, info: Partial<FrameworkInfo> = {}): Answer {
    return this.happen({
      is: "subscribe",
      stream,
      call: {
        type: "SUBSCRIBE",
        subscribe: { framework_info: { user: "root", name: stream, ...info } },
      },
    });
  }

  call(stream: string, call: OtherCall): Answer {
    return this.happen({ is: "call", stream, call });
  }

  accept(stream: string, offers: readonly Offer[], tasks: readonly TaskInfo[]): Answer {
    return this.call(stream, {
      type: "ACCEPT",
      framework_id: offers[0]?.framework_id ?? id("?"),
      accept: {
        offer_ids: offers.map((offer) => offer.id),
        operations: [{ type: "LAUNCH", launch: { task_infos: [...tasks] } }],
      },
    });
  }

  update(
    session: string,
    frameworkId: string,
    status: Partial<TaskStatus> & { readonly taskId: string },
    latest?: TaskState,
  ): Answer {
    const { taskId, ...rest } = status;
    const state = status.state ?? "TASK_RUNNING";
    const message: AgentMessage = {
      type: "UPDATE",
      framework_id: id(frameworkId),
      latest_state: latest ?? state,
      status: { task_id: id(taskId), uuid: `u-${state}`, source: "SOURCE_EXECUTOR", ...rest, state },
    };
    return this.happen({ is: "agent-message", session, message });
  }

  acknowledge(stream: string, frameworkId: string, agentId: string, taskId: string, uuid: string): Answer {
    return this.call(stream, {
      type: "ACKNOWLEDGE",
      framework_id: id(frameworkId),
      acknowledge: { agent_id: id(agentId), task_id: id(taskId), uuid },
    });
  }
}

export function eventsTo(tape: readonly MasterAction[], stream: string): SchedulerEvent[] {
  return tape.flatMap((action) =>
    action.do === "send-event" && action.stream === stream ? [action.event] : [],
  );
}

export const offersIn = (tape: readonly MasterAction[], stream: string): Offer[] =>
  eventsTo(tape, stream).flatMap((event) => (event.type === "OFFERS" ? event.offers.offers : []));

export const statusesIn = (tape: readonly MasterAction[], stream: string): TaskStatus[] =>
  eventsTo(tape, stream).flatMap((event) => (event.type === "UPDATE" ? [event.update.status] : []));

export const commandsTo = (tape: readonly MasterAction[], session: string) =>
  tape.flatMap((action) =>
    action.do === "send-command" && action.session === session ? [action.command] : [],
  );

export const taskOn = (offer: Offer | undefined, taskId: string, resources = "cpus:1;mem:64"): TaskInfo => ({
  name: taskId,
  task_id: id(taskId),
  agent_id: offer?.agent_id ?? id("?"),
  resources: parseResources(resources).toWire(),
  command: { value: "sleep 1000" },
});

export const partitionAware = { capabilities: [{ type: "PARTITION_AWARE" }], failover_timeout: 60 };

/** One agent, one framework, its offers made. */
export function running(info = {}): { stage: Stage; offer: Offer } {
  const stage = new Stage();
  stage.agent("a1");
  stage.framework("f1", info);
  stage.tick();
  const [offer] = offersIn(stage.tape, "f1");
  if (offer === undefined) throw new Error("no offer was made");
  return { stage, offer };
}

export function launched(info = {}): Stage {
  const { stage, offer } = running(info);
  stage.accept("f1", [offer], [taskOn(offer, "t1")]);
  stage.update("a1", "M-0000", { taskId: "t1", state: "TASK_RUNNING" });
  stage.take();
  return stage;
}

export const agentOf = (stage: Stage, agentId = "M-S0") => {
  const agent = stage.core.state.agents.get(agentId);
  if (agent === undefined) throw new Error(`no agent ${agentId}`);
  return agent;
};

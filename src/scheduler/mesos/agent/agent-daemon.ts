/** Carries out what the agent's `decide` says: checkpoints, containers, messages, timers. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import type { LeaderSource, Log } from "../daemon/coordination.ts";
import type { AgentInfo } from "../protocol/agent-link.ts";
import type { MasterInfo } from "../protocol/master-info.ts";
import { isTerminal, type TaskStatus } from "../protocol/task.ts";
import { type AgentSettings, type AgentState, type AgentTask, keyOf, newAgentState } from "./agent-state.ts";
import type { AgentIdentity, Checkpoint, Recovered } from "./checkpoint.ts";
import type { Containerizer, ContainerObserver } from "./containerizer.ts";
import { decide, helloOf } from "./decide.ts";
import { checkHealth } from "./health-check.ts";
import { MasterLink } from "./master-link.ts";
import { sandboxPath } from "./sandbox.ts";
import type { AgentAction, AgentEvent } from "./turn.ts";

export interface AgentDaemonOptions {
  readonly info: AgentInfo;
  readonly workDir: string;
  readonly settings: AgentSettings;
  readonly checkpoint: Checkpoint;
  readonly identity: Omit<AgentIdentity, "agentId">;
  readonly containerizers: Readonly<Partial<Record<AgentTask["kind"], Containerizer>>>;
  /** The words that run a shell command where a task runs. */
  readonly shellIn: (task: AgentTask, command: string) => readonly string[];
  readonly leaders: LeaderSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly firstBackoffMs: number;
}

const tickMs = 500;

export class AgentDaemon {
  readonly state: AgentState;
  readonly startedAt: number;
  master: MasterInfo | undefined;
  readonly #options: AgentDaemonOptions;
  readonly #link: MasterLink;
  readonly #pending: AgentEvent[] = [];
  readonly #checks = new Map<string, AbortController>();
  #isBusy = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AgentDaemonOptions) {
    this.#options = options;
    this.startedAt = options.clock.now();
    this.state = newAgentState(options.settings);
    this.#link = new MasterLink({
      leaders: options.leaders,
      log: options.log,
      firstBackoffMs: options.firstBackoffMs,
      hello: (boot, attempt) => helloOf(this.state, options.info, boot, attempt),
      onLinked: (session, master) => {
        this.master = master;
        this.tell({ is: "linked", session });
      },
      onUnlinked: (session) => this.tell({ is: "unlinked", session }),
      onCommand: (session, command) => this.tell({ is: "command", session, command }),
    });
  }

  /** Takes up the tasks of the process before this one, then looks for a master. */
  start(recovered: Recovered): void {
    const { state } = this;
    state.agentId = recovered.identity?.agentId;
    for (const info of recovered.frameworks) state.frameworks.set(info.id?.value ?? "", info);
    for (const task of recovered.tasks) {
      state.tasks.set(keyOf(task), task);
      if (isTerminal(task.state)) continue;
      this.#containerizerOf(task).recover(task, this.#observe(task));
      if (task.state === "TASK_RUNNING") this.#check(task, task.statuses.at(-1)?.container_status);
    }
    if (recovered.tasks.length > 0) this.#options.log(`recovered ${recovered.tasks.length} tasks`);
    this.#timer = setInterval(() => this.tell({ is: "tick" }), tickMs);
    this.#link.start();
  }

  /** Its tasks go on. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    for (const checking of this.#checks.values()) checking.abort();
    await this.#link.stop();
    for (const containerizer of Object.values(this.#options.containerizers)) containerizer?.close();
  }

  tell(event: AgentEvent): void {
    this.#pending.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let next = this.#pending.shift(); next !== undefined; next = this.#pending.shift())
        this.#turn(next);
    } catch (error) {
      // A full disk, say. Carried out in part: only a new process, from what is on disk, knows where things stand.
      setImmediate(() => {
        throw error;
      });
    } finally {
      this.#isBusy = false;
    }
  }

  #turn(event: AgentEvent): void {
    const { clock, workDir } = this.#options;
    const actions = decide(this.state, event, {
      now: clock.now(),
      newUuid: randomUUID,
      directoryOf: (frameworkId, taskId, containerId) =>
        sandboxPath({ workDir, agentId: this.state.agentId ?? "", frameworkId, taskId, containerId }),
    });
    for (const action of actions) this.#carryOut(action);
  }

  #carryOut(action: AgentAction): void {
    const { checkpoint, identity, log } = this.#options;
    switch (action.do) {
      case "keep-agent-id":
        checkpoint.keepIdentity({
          ...identity,
          ...(action.agentId === undefined ? {} : { agentId: action.agentId }),
        });
        return;
      case "keep-framework":
        checkpoint.keepFramework(action.info);
        return;
      case "forget-framework":
        checkpoint.forgetFramework(action.frameworkId);
        return;
      case "keep-task":
        checkpoint.keepTask(action.task);
        return;
      case "forget-task":
        checkpoint.forgetTask(action.task);
        return;
      case "start":
        this.#containerizerOf(action.task).start(action.task, action.framework, this.#observe(action.task));
        return;
      case "stop":
        this.#containerizerOf(action.task).stop(action.task, action.hard, action.graceMs);
        return;
      case "send":
        this.#link.send(action.session, action.message);
        return;
      case "relink":
        this.#link.relink();
        return;
      case "log":
        log(action.text);
        return;
    }
  }

  #containerizerOf(task: AgentTask): Containerizer {
    return this.#options.containerizers[task.kind] ?? missing(task.kind);
  }

  #observe(task: AgentTask): ContainerObserver {
    const about = { key: keyOf(task), containerId: task.containerId };
    return {
      spawned: (process) => this.tell({ is: "process", ...about, process }),
      started: (containerStatus) => {
        this.tell({ is: "started", ...about, containerStatus });
        this.#check(task, containerStatus);
      },
      ended: (ending) => {
        this.#checks.get(task.containerId)?.abort();
        this.#checks.delete(task.containerId);
        this.tell({ is: "ended", ...about, ending });
      },
    };
  }

  #check(task: AgentTask, containerStatus: TaskStatus["container_status"]): void {
    const check = task.info.health_check;
    if (check === undefined || this.#checks.has(task.containerId)) return;
    const checking = new AbortController();
    this.#checks.set(task.containerId, checking);
    checkHealth({
      task,
      check,
      containerStatus,
      signal: checking.signal,
      shellIn: this.#options.shellIn,
      onVerdict: (verdict) =>
        this.tell({ is: "health", key: keyOf(task), containerId: task.containerId, ...verdict }),
    }).catch((error: unknown) =>
      this.#options.log(`health check of ${task.info.task_id.value}: ${String(error)}`),
    );
  }
}

const missing = (kind: AgentTask["kind"]): Containerizer => {
  const fail = (observer: ContainerObserver): void =>
    queueMicrotask(() =>
      observer.ended({
        problem: `this agent has no containerizer for ${kind} tasks: see --containerizers`,
        reason: "REASON_CONTAINER_LAUNCH_FAILED",
      }),
    );
  return {
    start: (_task, _framework, observer) => fail(observer),
    recover: (_task, observer) => fail(observer),
    stop: () => undefined,
    close: () => undefined,
  };
};

/**
 * The agent's decisions: which task to start, stop and report. No clock, no I/O, no chance of its own.
 *
 * A launch whose task is known, running or over, is ignored: commands may be repeated, a task never runs twice. News of
 * a task are kept on disk before they are sent, sent one at a time, and repeated until the framework acknowledges them.
 */
import type { AgentCommand, AgentHello, AgentInfo, TaskReport } from "../protocol/agent-link.ts";
import { hasCapability } from "../protocol/framework.ts";
import { isTerminal, type KillPolicy } from "../protocol/task.ts";
import { id, nanosecondsToMs } from "../protocol/wire.ts";
import { type AgentState, type AgentTask, keyOf, taskKey } from "./agent-state.ts";
import { firstNews, report, sendFirst } from "./news.ts";
import type { AgentAction, AgentEvent, AgentTurn, Ending } from "./turn.ts";

export type AgentSurroundings = Omit<AgentTurn, "act" | "state">;

export function decide(
  state: AgentState,
  event: AgentEvent,
  around: AgentSurroundings,
): readonly AgentAction[] {
  const actions: AgentAction[] = [];
  handle({ ...around, state, act: (action) => actions.push(action) }, event);
  return actions;
}

function handle(turn: AgentTurn, event: AgentEvent): void {
  const { state } = turn;
  switch (event.is) {
    case "linked":
      state.session = event.session;
      return;
    case "unlinked":
      if (state.session === event.session) state.session = undefined;
      return;
    case "command":
      if (event.session === state.session) obey(turn, event.command);
      return;
    case "tick":
      tick(turn);
      return;
    default: {
      const task = state.tasks.get(event.key);
      if (task !== undefined && task.containerId === event.containerId) observe(turn, task, event);
    }
  }
}

function observe(
  turn: AgentTurn,
  task: AgentTask,
  event: Extract<AgentEvent, { readonly key: string }>,
): void {
  if (isTerminal(task.state)) return;
  if (event.is === "process") {
    task.process = event.process;
    turn.act({ do: "keep-task", task });
  } else if (event.is === "started") {
    if (task.state === "TASK_RUNNING" || task.state === "TASK_KILLING") return;
    report(turn, task, {
      state: "TASK_RUNNING",
      container_status: event.containerStatus,
      source: "SOURCE_EXECUTOR",
    });
  } else if (event.is === "health") beHealthy(turn, task, event.healthy, event.killAsUnhealthy);
  else end(turn, task, event.ending);
}

function beHealthy(turn: AgentTurn, task: AgentTask, healthy: boolean, killAsUnhealthy: boolean): void {
  const before = task.healthy;
  task.healthy = healthy;
  if (task.state === "TASK_RUNNING" && before !== healthy)
    report(turn, task, {
      state: "TASK_RUNNING",
      reason: "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED",
      container_status: task.statuses.at(-1)?.container_status,
      source: "SOURCE_EXECUTOR",
    });
  if (killAsUnhealthy) stop(turn, task, undefined);
}

function end(turn: AgentTurn, task: AgentTask, ending: Ending): void {
  const wasKilled = task.kill !== undefined;
  const unhealthyEnd = wasKilled && task.healthy === false ? { healthy: false } : {};
  const { exitCode, signal, problem } = ending;
  const subject = task.kind === "docker" ? "Container" : "Command";
  const message =
    problem ??
    (signal === undefined
      ? `${subject} exited with status ${exitCode ?? "unknown"}`
      : `${subject} terminated with signal ${signal}`);
  const state = wasKilled
    ? "TASK_KILLED"
    : exitCode === 0 && problem === undefined
      ? "TASK_FINISHED"
      : "TASK_FAILED";
  const usualReason = state === "TASK_FAILED" ? "REASON_COMMAND_EXECUTOR_FAILED" : undefined;
  const reason = wasKilled ? undefined : (ending.reason ?? usualReason);
  report(turn, task, {
    state,
    message,
    source: "SOURCE_EXECUTOR",
    ...(reason === undefined ? {} : { reason }),
    ...unhealthyEnd,
  });
  if (turn.state.isShuttingDown) forget(turn, task);
}

function obey(turn: AgentTurn, command: AgentCommand): void {
  const { state } = turn;
  switch (command.type) {
    case "REGISTERED":
      if (state.agentId !== command.agent_id.value) {
        state.agentId = command.agent_id.value;
        turn.act({ do: "keep-agent-id", agentId: state.agentId });
      }
      for (const task of state.tasks.values()) sendFirst(turn, task, true);
      return;
    case "PING":
      if (state.session !== undefined)
        turn.act({ do: "send", session: state.session, message: { type: "PONG" } });
      return;
    case "LAUNCH":
      launch(turn, command);
      return;
    case "KILL": {
      const task = state.tasks.get(taskKey(command.framework_id.value, command.task_id.value));
      if (task !== undefined) stop(turn, task, command.kill_policy);
      return;
    }
    case "ACKNOWLEDGE":
      acknowledge(turn, command);
      return;
    case "SHUTDOWN_FRAMEWORK":
      for (const task of state.tasks.values())
        if (task.frameworkId === command.framework_id.value) stop(turn, task, undefined);
      return;
    case "SHUTDOWN":
      shutDown(turn, command.message);
      return;
  }
}

function launch(turn: AgentTurn, { framework, task: info }: Extract<AgentCommand, { type: "LAUNCH" }>): void {
  const { state, now, act } = turn;
  const frameworkId = framework.id?.value ?? "";
  const taskId = info.task_id.value;
  const key = taskKey(frameworkId, taskId);
  if (state.isShuttingDown || state.tasks.has(key) || state.completed.has(key)) {
    act({ do: "log", text: `launch of ${taskId} ignored: it is known` });
    return;
  }
  const containerId = turn.newUuid();
  const task: AgentTask = {
    frameworkId,
    info,
    kind: info.container?.type === "DOCKER" ? "docker" : "command",
    containerId,
    directory: turn.directoryOf(frameworkId, taskId, containerId),
    launchedAt: now,
    state: "TASK_STAGING",
    statuses: [],
    unacknowledged: [],
    process: undefined,
    retryAt: 0,
    retryMs: state.settings.firstRetryMs,
    kill: undefined,
    healthy: undefined,
  };
  state.tasks.set(key, task);
  state.frameworks.set(frameworkId, framework);
  act({ do: "keep-framework", info: framework });
  report(turn, task, { state: "TASK_STARTING", source: "SOURCE_EXECUTOR" });
  act({ do: "start", task, framework });
  act({ do: "log", text: `task ${taskId} of ${frameworkId} launched` });
}

/** A second kill with a shorter grace counts; the same again changes nothing. */
function stop(turn: AgentTurn, task: AgentTask, policy: KillPolicy | undefined): void {
  if (isTerminal(task.state) || task.kill?.hard === true) return;
  const { state, now, act } = turn;
  const grace = policy?.grace_period ?? task.info.kill_policy?.grace_period;
  const graceMs = grace === undefined ? state.settings.killGraceMs : nanosecondsToMs(grace.nanoseconds);
  const deadline = now + graceMs;
  if (task.kill !== undefined && task.kill.deadline <= deadline) return;
  const isFirst = task.kill === undefined;
  task.kill = { deadline, hard: false };
  const framework = state.frameworks.get(task.frameworkId);
  if (
    isFirst &&
    task.state === "TASK_RUNNING" &&
    framework !== undefined &&
    hasCapability(framework, "TASK_KILLING_STATE")
  )
    report(turn, task, { state: "TASK_KILLING", source: "SOURCE_EXECUTOR" });
  act({ do: "stop", task, hard: false, graceMs });
}

function acknowledge(turn: AgentTurn, command: Extract<AgentCommand, { type: "ACKNOWLEDGE" }>): void {
  const task = turn.state.tasks.get(taskKey(command.framework_id.value, command.task_id.value));
  if (task === undefined || firstNews(task)?.uuid !== command.uuid) return;
  task.unacknowledged.shift();
  if (task.unacknowledged.length === 0 && isTerminal(task.state)) {
    forget(turn, task);
    return;
  }
  turn.act({ do: "keep-task", task });
  sendFirst(turn, task, true);
}

function forget(turn: AgentTurn, task: AgentTask): void {
  const { state, act } = turn;
  const key = keyOf(task);
  state.tasks.delete(key);
  const { frameworkId, info, kind, containerId, directory, statuses } = task;
  state.completed.set(key, { frameworkId, info, kind, containerId, directory, state: task.state, statuses });
  const [oldest] = state.completed.keys();
  if (state.completed.size > state.settings.maxCompletedTasks && oldest !== undefined)
    state.completed.delete(oldest);
  act({ do: "forget-task", task });
  if ([...state.tasks.values()].some((other) => other.frameworkId === frameworkId)) return;
  state.frameworks.delete(frameworkId);
  act({ do: "forget-framework", frameworkId });
}

/** The master gave this agent up for good; whatever replaces its tasks may run already. */
function shutDown(turn: AgentTurn, message: string): void {
  const { state, act } = turn;
  act({ do: "log", text: `told to shut down: ${message}` });
  state.isShuttingDown = true;
  for (const task of [...state.tasks.values()]) {
    if (isTerminal(task.state)) forget(turn, task);
    else stop(turn, task, undefined);
  }
  startAnew(turn);
}

function startAnew({ state, act }: AgentTurn): void {
  if (!state.isShuttingDown || state.tasks.size > 0) return;
  state.isShuttingDown = false;
  state.agentId = undefined;
  act({ do: "keep-agent-id", agentId: undefined });
  act({ do: "relink" });
}

function tick(turn: AgentTurn): void {
  const { state, now, act } = turn;
  for (const task of state.tasks.values()) {
    if (task.kill !== undefined && !task.kill.hard && now >= task.kill.deadline && !isTerminal(task.state)) {
      task.kill.hard = true;
      act({ do: "stop", task, hard: true, graceMs: 0 });
    }
    if (now >= task.retryAt) sendFirst(turn, task, false);
  }
  startAnew(turn);
}

/** Everything that this agent runs: the next stream begins with it. */
export function helloOf(state: AgentState, info: AgentInfo, boot: string, attempt: number): AgentHello {
  return {
    ...(state.agentId === undefined ? {} : { agent_id: id(state.agentId) }),
    boot,
    attempt,
    info,
    tasks: [...state.tasks.values()].map(reportOf),
    frameworks: [...state.frameworks.values()],
  };
}

function reportOf(task: AgentTask): TaskReport {
  const { command, ...shown } = task.info;
  return {
    framework_id: id(task.frameworkId),
    info: command?.user === undefined ? shown : { ...shown, command: { user: command.user } },
    state: task.state,
    statuses: task.statuses,
  };
}

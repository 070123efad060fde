/** Agents say hello: new ones, ones that come back, and ones that had been given up. */
import type { AgentHello, TaskReport } from "../protocol/agent-link.ts";
import { hasCapability } from "../protocol/framework.ts";
import { Resources } from "../protocol/resources.ts";
import { isTerminal } from "../protocol/task.ts";
import { id } from "../protocol/wire.ts";
import { type Agent, type AgentRecord, type Framework, newAgent, taskKey } from "./cluster-state.ts";
import { recoverFramework } from "./frameworks.ts";
import { giveUpAgent } from "./lost-agents.ts";
import { rescindOffersOfAgent } from "./offers.ts";
import {
  addTask,
  completeTask,
  forFramework,
  recordStatus,
  repeatKill,
  statusOfMaster,
  tell,
} from "./tasks.ts";
import { type Answer, accepted, type Turn } from "./turn.ts";

const retryLater: Answer = {
  status: 503,
  message: "this agent's standing is being written; say hello again",
};

export function welcome(turn: Turn, session: string, hello: AgentHello): Answer {
  const { state } = turn;
  const known = hello.agent_id?.value;
  if (known === undefined) return introduce(turn, session, hello, state.newAgentId());
  if (state.admitting.has(known)) return retryLater;
  const agent = state.agents.get(known);
  if (agent !== undefined) return welcomeBack(turn, agent, session, hello);
  state.openSessions.add(session);
  if (state.gone.has(known)) {
    const message = `agent ${known} was marked gone`;
    turn.act({ do: "send-command", session, command: { type: "SHUTDOWN", message } });
    return accepted;
  }
  const awaited = state.awaited.get(known);
  if (awaited?.record.standing !== "admitted") return introduce(turn, session, hello, known);
  admit(turn, { agentId: known, session, hello, wasGivenUp: false });
  return accepted;
}

/** Into the registrar first; only then is the agent told that it belongs to the cluster. */
function introduce(turn: Turn, session: string, hello: AgentHello, agentId: string): Answer {
  const { state, now } = turn;
  state.openSessions.add(session);
  state.admitting.add(agentId);
  const other = state.byAddress.get(`${hello.info.ip}:${hello.info.port}`);
  if (other !== undefined && other.session === undefined && !other.writing) giveUpAgent(turn, other, "gone");
  const record: AgentRecord = { id: agentId, ...addressOf(hello), standing: "admitted", since: now };
  turn.act({ do: "persist", record, next: { step: "admit", session, hello } });
  return accepted;
}

const addressOf = ({
  info: { hostname, ip, port },
}: AgentHello): Pick<AgentRecord, "hostname" | "ip" | "port"> => ({
  hostname,
  ip,
  port,
});

const sameAddress = (agent: Agent, { info }: AgentHello): boolean =>
  agent.ip === info.ip && agent.port === info.port;

/**
 * The registrar has written it. When the stream has ended meanwhile, the agent is awaited like one of before; one that
 * had been given up stays so, for its tasks' sake.
 */
export function admitted(turn: Turn, record: AgentRecord, session: string, hello: AgentHello): void {
  const { state } = turn;
  state.admitting.delete(record.id);
  const wasGivenUp = state.unreachable.has(record.id);
  if (state.openSessions.has(session)) admit(turn, { agentId: record.id, session, hello, wasGivenUp });
  else if (!wasGivenUp) state.awaited.set(record.id, { id: record.id, record, since: turn.now });
}

interface Coming {
  readonly agentId: string;
  readonly session: string;
  readonly hello: AgentHello;
  readonly wasGivenUp: boolean;
}

function admit(turn: Turn, { agentId, session, hello, wasGivenUp }: Coming): void {
  const { state, now } = turn;
  state.awaited.delete(agentId);
  state.unreachable.delete(agentId);
  const agent = newAgent(agentId, now);
  state.agents.set(agentId, agent);
  if (hello.agent_id !== undefined) agent.reregisteredAt = now;
  attach(turn, agent, session, hello);
  takeOver(turn, agent, hello, wasGivenUp);
  turn.act({ do: "log", text: `agent ${agentId} (${agent.hostname}) registered with ${agent.total}` });
}

/** The agent is known and its hello is newer than what we have: the older stream ends, the hello counts. */
function welcomeBack(turn: Turn, agent: Agent, session: string, hello: AgentHello): Answer {
  if (agent.writing) return retryLater;
  if (agent.boot === hello.boot && hello.attempt <= agent.attempt)
    return { status: 409, message: "a newer hello of this agent has been answered" };
  const { state, now } = turn;
  if (agent.session !== undefined) endSession(turn, agent.session);
  state.openSessions.add(session);
  rescindOffersOfAgent(turn, agent);
  turn.allocator.agentRemoved(agent.id, agent.total);
  agent.reregisteredAt = now;
  if (!sameAddress(agent, hello)) {
    state.leaveAddress(agent);
    const record: AgentRecord = { id: agent.id, ...addressOf(hello), standing: "admitted", since: now };
    turn.act({ do: "persist", record, next: { step: "nothing" } });
  }
  attach(turn, agent, session, hello);
  dropUnreported(turn, agent, hello);
  takeOver(turn, agent, hello, false);
  return accepted;
}

function attach(turn: Turn, agent: Agent, session: string, hello: AgentHello): void {
  const { state, now, act } = turn;
  Object.assign(agent, addressOf(hello), { version: hello.info.version, attributes: hello.info.attributes });
  agent.total = Resources.fromWire(hello.info.resources);
  turn.allocator.agentAdded(agent.total);
  Object.assign(agent, {
    session,
    boot: hello.boot,
    attempt: hello.attempt,
    lastPingAt: now,
    unansweredPings: 0,
  });
  state.bySession.set(session, agent);
  state.byAddress.set(`${agent.ip}:${agent.port}`, agent);
  state.dirty.add(agent);
  const { agentPingTimeoutMs, maxAgentPingTimeouts } = state.settings;
  act({
    do: "send-command",
    session,
    command: {
      type: "REGISTERED",
      agent_id: id(agent.id),
      master_info: state.info,
      silence_limit_ms: agentPingTimeoutMs * maxAgentPingTimeouts,
    },
  });
}

/** A launch that the agent does not know of went down a stream that ended, and will never be carried out. */
function dropUnreported(turn: Turn, agent: Agent, hello: AgentHello): void {
  const reported = new Set(
    hello.tasks.map(({ framework_id, info }) => taskKey(framework_id.value, info.task_id.value)),
  );
  for (const [key, task] of [...agent.tasks]) {
    if (reported.has(key)) continue;
    const framework = turn.state.frameworks.get(task.frameworkId);
    const wasOver = isTerminal(task.state);
    if (framework !== undefined && !wasOver) {
      const status = statusOfMaster(turn.now, {
        taskId: task.id,
        agentId: agent.id,
        state: forFramework(framework, "TASK_DROPPED"),
        reason: "REASON_SLAVE_DISCONNECTED",
        message: "The agent was away when the task was to be launched",
      });
      recordStatus(turn, task, status, status.state);
      tell(turn, framework, status);
    }
    completeTask(turn, task);
  }
}

function takeOver(turn: Turn, agent: Agent, hello: AgentHello, wasGivenUp: boolean): void {
  for (const info of hello.frameworks) {
    const frameworkId = info.id?.value ?? "";
    if (turn.state.frameworks.has(frameworkId)) continue;
    if (turn.state.findFramework(frameworkId) === undefined) recoverFramework(turn, info);
    else if (agent.session !== undefined)
      turn.act({
        do: "send-command",
        session: agent.session,
        command: { type: "SHUTDOWN_FRAMEWORK", framework_id: id(frameworkId) },
      });
  }
  for (const report of hello.tasks) takeOverTask(turn, agent, report, wasGivenUp);
}

function takeOverTask(turn: Turn, agent: Agent, report: TaskReport, wasGivenUp: boolean): void {
  const framework = turn.state.findFramework(report.framework_id.value);
  if (framework === undefined) return;
  const taskId = report.info.task_id.value;
  const known = agent.tasks.get(taskKey(framework.id, taskId));
  if (known !== undefined) {
    const last = report.statuses.at(-1);
    if (last !== undefined && report.state !== known.state) recordStatus(turn, known, last, report.state);
    repeatKill(turn, known);
    return;
  }
  if (isTerminal(report.state) && [...framework.completedTasks].some(({ id }) => id === taskId)) return;
  const lost = framework.unreachableTasks.get(taskId);
  const role = lost?.role ?? roleOf(report) ?? framework.roles[0] ?? "*";
  const { info, state, statuses } = report;
  const task = addTask(turn, { framework, agent, info, role, state, statuses });
  if (lost !== undefined) {
    framework.unreachableTasks.delete(taskId);
    task.kill = lost.kill;
  } else if (wasToldLost(framework, taskId, wasGivenUp)) task.kill = { policy: undefined };
  repeatKill(turn, task);
  if (lost !== undefined && !isTerminal(state))
    tell(
      turn,
      framework,
      statusOfMaster(turn.now, {
        taskId,
        agentId: agent.id,
        state,
        reason: "REASON_SLAVE_REREGISTERED",
        message: "The task's agent is back",
      }),
    );
}

/**
 * Its framework was told TASK_LOST, which is final: what still runs must not go on beside its replacement. That an agent
 * was given up is in the registry, so a later leader knows it too.
 */
const wasToldLost = (framework: Framework, taskId: string, wasGivenUp: boolean): boolean =>
  (wasGivenUp && !hasCapability(framework.info, "PARTITION_AWARE")) ||
  [...framework.completedTasks].some(({ id }) => id === taskId);

const roleOf = ({ info }: TaskReport): string | undefined =>
  info.resources.find(({ allocation_info }) => allocation_info?.role !== undefined)?.allocation_info?.role;

export function agentClosed(turn: Turn, session: string): void {
  const { state } = turn;
  state.openSessions.delete(session);
  const agent = state.bySession.get(session);
  state.bySession.delete(session);
  if (agent === undefined || agent.session !== session) return;
  agent.session = undefined;
  rescindOffersOfAgent(turn, agent);
  turn.act({ do: "log", text: `agent ${agent.id} (${agent.hostname}) disconnected` });
}

function endSession(turn: Turn, session: string): void {
  turn.state.openSessions.delete(session);
  turn.state.bySession.delete(session);
  turn.act({ do: "close-session", session });
}

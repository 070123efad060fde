/** Agents that stopped answering: pinged, given up in the registrar first, then before their frameworks. */
import { hasCapability } from "../protocol/framework.ts";
import type { TaskState } from "../protocol/task.ts";
import { id } from "../protocol/wire.ts";
import type { AbsentAgent, Agent, AgentRecord, Framework, MesosTask } from "./cluster-state.ts";
import { rescindOffersOfAgent } from "./offers.ts";
import { completeTask, forFramework, recordStatus, statusOfMaster, tell } from "./tasks.ts";
import type { Turn } from "./turn.ts";

export function pingAgents(turn: Turn): void {
  const { state, now, act } = turn;
  const { agentPingTimeoutMs, maxAgentPingTimeouts } = state.settings;
  for (const agent of state.agents.values()) {
    if (agent.writing || now - agent.lastPingAt < agentPingTimeoutMs) continue;
    if (agent.unansweredPings >= maxAgentPingTimeouts) {
      giveUpAgent(turn, agent, "unreachable");
      continue;
    }
    agent.lastPingAt = now;
    agent.unansweredPings++;
    if (agent.session !== undefined)
      act({ do: "send-command", session: agent.session, command: { type: "PING" } });
  }
}

export function giveUpAgent(turn: Turn, agent: Agent, standing: "unreachable" | "gone"): void {
  agent.writing = true;
  rescindOffersOfAgent(turn, agent);
  const { hostname, ip, port } = agent;
  const record: AgentRecord = { id: agent.id, hostname, ip, port, standing, since: turn.now };
  turn.act({ do: "persist", record, next: { step: "give-up" } });
}

/** The registrar has written it: now it may be said. */
export function givenUp(turn: Turn, record: AgentRecord): void {
  const { state, allocator, act } = turn;
  const agent = state.agents.get(record.id);
  if (agent === undefined) return;
  for (const task of [...agent.tasks.values()]) giveUpTask(turn, task, record);
  state.agents.delete(agent.id);
  state.dirty.delete(agent);
  state.leaveAddress(agent);
  allocator.agentRemoved(agent.id, agent.total);
  if (agent.session !== undefined) {
    const message = `agent ${agent.id} was marked ${record.standing}`;
    if (record.standing === "gone")
      act({ do: "send-command", session: agent.session, command: { type: "SHUTDOWN", message } });
    act({ do: "close-session", session: agent.session });
    state.bySession.delete(agent.session);
    state.openSessions.delete(agent.session);
  }
  remember(turn, record);
  for (const { stream } of state.frameworks.values())
    if (stream !== undefined)
      act({ do: "send-event", stream, event: { type: "FAILURE", failure: { agent_id: id(agent.id) } } });
  act({ do: "log", text: `agent ${agent.id} (${agent.hostname}) is ${record.standing}` });
}

/** Frameworks that know partitions may see the task again; for others this is its end. */
function giveUpTask(turn: Turn, task: MesosTask, record: AgentRecord): void {
  const framework = turn.state.frameworks.get(task.frameworkId);
  if (framework === undefined) {
    completeTask(turn, task);
    return;
  }
  const gone = record.standing === "gone";
  const wanted: TaskState = gone ? "TASK_GONE_BY_OPERATOR" : "TASK_UNREACHABLE";
  const status = statusOfMaster(turn.now, {
    taskId: task.id,
    agentId: task.agentId,
    state: forFramework(framework, wanted),
    reason: gone ? "REASON_SLAVE_REMOVED_BY_OPERATOR" : "REASON_SLAVE_REMOVED",
    message: `Agent ${record.hostname} is ${record.standing}`,
  });
  if (!gone) status.unreachable_time = { nanoseconds: record.since * 1e6 };
  recordStatus(turn, task, status, status.state);
  if (gone || !hasCapability(framework.info, "PARTITION_AWARE")) completeTask(turn, task);
  else setAside(turn, framework, task);
  tell(turn, framework, status);
}

function setAside(turn: Turn, framework: Framework, task: MesosTask): void {
  framework.tasks.delete(task.id);
  framework.unreachableTasks.set(task.id, task);
  if (framework.unreachableTasks.size <= turn.state.settings.maxCompletedTasksPerFramework) return;
  const [oldest] = framework.unreachableTasks.values();
  if (oldest !== undefined) completeTask(turn, oldest);
}

function remember(turn: Turn, record: AgentRecord): void {
  const { unreachable, gone, settings } = turn.state;
  const lost: AbsentAgent = { id: record.id, record, since: record.since };
  const map = record.standing === "gone" ? gone : unreachable;
  map.set(record.id, lost);
  while (map.size > settings.maxLostAgents) forgetOldest(turn, map);
}

function forgetOldest(turn: Turn, map: Map<string, AbsentAgent>): void {
  const [oldest] = map.keys();
  if (oldest === undefined) return;
  map.delete(oldest);
  turn.act({ do: "forget", agentId: oldest });
}

/** Those of before the last change of leaders that did not come back in time, and those forgotten after long. */
export function giveUpLateAgents(turn: Turn): void {
  const { awaited, unreachable, gone, settings } = turn.state;
  for (const { id: agentId, record, since } of [...awaited.values()]) {
    if (turn.now - since < settings.agentReregisterTimeoutMs) continue;
    awaited.delete(agentId);
    const late: AgentRecord = { ...record, standing: "unreachable", since: turn.now };
    remember(turn, late);
    turn.act({ do: "persist", record: late, next: { step: "nothing" } });
    turn.act({ do: "log", text: `agent ${agentId} (${record.hostname}) did not come back` });
  }
  for (const map of [unreachable, gone]) {
    const [oldest] = map.values();
    if (oldest !== undefined && turn.now - oldest.since > settings.lostAgentMemoryMs) forgetOldest(turn, map);
  }
}

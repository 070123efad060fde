/** News from agents: passed on to frameworks, which acknowledge them through the master. */
import type { AgentMessage } from "../protocol/agent-link.ts";
import { isTerminal } from "../protocol/task.ts";
import { type Agent, taskKey } from "./cluster-state.ts";
import { completeTask, forFramework, recordStatus, tell } from "./tasks.ts";
import { type Answer, accepted, type Turn } from "./turn.ts";

export function hearAgent(turn: Turn, session: string, message: AgentMessage): Answer {
  const agent = turn.state.bySession.get(session);
  if (agent === undefined) return { status: 410, message: "this stream has ended; say hello again" };
  agent.unansweredPings = 0;
  if (message.type === "UPDATE") passOn(turn, agent, message);
  return accepted;
}

function passOn(turn: Turn, agent: Agent, message: Extract<AgentMessage, { type: "UPDATE" }>): void {
  const { framework_id, status, latest_state } = message;
  const task = agent.tasks.get(taskKey(framework_id.value, status.task_id.value));
  if (task !== undefined) recordStatus(turn, task, status, latest_state);
  const framework = turn.state.frameworks.get(framework_id.value);
  if (framework !== undefined)
    tell(turn, framework, { ...status, state: forFramework(framework, status.state) });
  else acknowledgeInStead(turn, agent, message);
}

/** Its framework is gone, so nobody else will. */
function acknowledgeInStead(
  turn: Turn,
  agent: Agent,
  message: Extract<AgentMessage, { type: "UPDATE" }>,
): void {
  const { framework_id, status } = message;
  const task = agent.tasks.get(taskKey(framework_id.value, status.task_id.value));
  if (status.uuid !== undefined && agent.session !== undefined)
    turn.act({
      do: "send-command",
      session: agent.session,
      command: { type: "ACKNOWLEDGE", framework_id, task_id: status.task_id, uuid: status.uuid },
    });
  if (task !== undefined && isTerminal(status.state)) completeTask(turn, task);
}

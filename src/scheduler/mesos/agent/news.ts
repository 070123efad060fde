/** News of a task: kept, then sent one at a time, and sent again at growing intervals until acknowledged. */
import type { TaskStatus } from "../protocol/task.ts";
import { id } from "../protocol/wire.ts";
import type { AgentTask } from "./agent-state.ts";
import type { AgentTurn } from "./turn.ts";

type News = Partial<TaskStatus> & Pick<TaskStatus, "state">;

export const firstNews = (task: AgentTask): TaskStatus | undefined => task.unacknowledged[0];

export function report(turn: AgentTurn, task: AgentTask, news: News): void {
  const { state, now } = turn;
  const taskId = task.info.task_id;
  const status: TaskStatus = {
    ...withoutUndefined(news),
    state: news.state,
    task_id: taskId,
    executor_id: taskId,
    ...(state.agentId === undefined ? {} : { agent_id: id(state.agentId) }),
    timestamp: now / 1000,
    uuid: uuidBytes(turn.newUuid()),
    ...(task.healthy === undefined ? {} : { healthy: task.healthy }),
  };
  task.state = news.state;
  if (task.statuses.at(-1)?.state === news.state) task.statuses[task.statuses.length - 1] = status;
  else task.statuses.push(status);
  keepNews(task, status);
  turn.act({ do: "keep-task", task });
  if (task.unacknowledged.length === 1) sendFirst(turn, task, true);
}

/** What was not sent yet is replaced by newer news of the same state: a health check may flap while nobody listens. */
function keepNews({ unacknowledged }: AgentTask, status: TaskStatus): void {
  const isWaiting = unacknowledged.length > 1 && unacknowledged.at(-1)?.state === status.state;
  if (isWaiting) unacknowledged[unacknowledged.length - 1] = status;
  else unacknowledged.push(status);
}

const withoutUndefined = (news: News): Partial<TaskStatus> =>
  Object.fromEntries(Object.entries(news).filter(([, value]) => value !== undefined));

/** `afresh` starts the growing intervals over. */
export function sendFirst(turn: AgentTurn, task: AgentTask, afresh: boolean): void {
  const { state, now, act } = turn;
  const status = firstNews(task);
  if (status === undefined || state.session === undefined || state.agentId === undefined) return;
  const { firstRetryMs, longestRetryMs } = state.settings;
  task.retryMs = afresh ? firstRetryMs : Math.min(task.retryMs * 2, longestRetryMs);
  task.retryAt = now + task.retryMs;
  act({
    do: "send",
    session: state.session,
    message: { type: "UPDATE", framework_id: id(task.frameworkId), status, latest_state: task.state },
  });
}

/** On the wire a uuid is its 16 bytes in base64. */
const uuidBytes = (uuid: string): string => Buffer.from(uuid.replaceAll("-", ""), "hex").toString("base64");

/** The environment that a task sees: Mesos's own variables first, what the framework set wins. */
import type { FrameworkInfo } from "../protocol/framework.ts";
import type { AgentTask } from "./agent-state.ts";

export interface EnvironmentOfAgent {
  readonly agentId: string;
  readonly endpoint: string;
  /** From --executor_environment_variables; undefined passes on the agent's own few. */
  readonly given: Readonly<Record<string, string>> | undefined;
}

const passedOn = ["PATH", "LANG", "LC_ALL", "TZ"];
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/** Where a Docker task finds its sandbox. */
export const sandboxInContainer = "/mnt/mesos/sandbox";

export function taskEnvironment(
  task: AgentTask,
  framework: FrameworkInfo,
  agent: EnvironmentOfAgent,
): Record<string, string> {
  const role = task.info.resources.find(({ allocation_info }) => allocation_info?.role !== undefined);
  const isDocker = task.kind === "docker";
  return {
    ...baseEnvironment(isDocker, agent.given),
    MESOS_SANDBOX: isDocker ? sandboxInContainer : task.directory,
    MESOS_DIRECTORY: task.directory,
    MESOS_CONTAINER_NAME: `mesos-${task.containerId}`,
    MESOS_ALLOCATION_ROLE: role?.allocation_info?.role ?? framework.role ?? "*",
    MESOS_FRAMEWORK_ID: task.frameworkId,
    MESOS_EXECUTOR_ID: task.info.task_id.value,
    MESOS_TASK_ID: task.info.task_id.value,
    MESOS_SLAVE_ID: agent.agentId,
    MESOS_AGENT_ENDPOINT: agent.endpoint,
    MESOS_CHECKPOINT: framework.checkpoint === true ? "1" : "0",
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: "5secs",
    MESOS_RECOVERY_TIMEOUT: "15mins",
    LIBPROCESS_PORT: "0",
    ...variablesOf(task),
  };
}

/** An image brings its own PATH. */
function baseEnvironment(isDocker: boolean, given: EnvironmentOfAgent["given"]): Record<string, string> {
  if (isDocker) return {};
  if (given !== undefined) return { PATH: usualPath, ...given };
  const base: Record<string, string> = { PATH: usualPath };
  for (const name of passedOn) {
    const value = process.env[name];
    if (value !== undefined) base[name] = value;
  }
  return base;
}

const variablesOf = ({ info }: AgentTask): Record<string, string> =>
  Object.fromEntries(
    (info.command?.environment?.variables ?? []).map(({ name, value }) => [name, value ?? ""]),
  );

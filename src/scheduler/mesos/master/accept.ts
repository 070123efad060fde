/** ACCEPT: offers become tasks. What is not used goes back to the allocator, filtered for a while. */

import { KindMismatch } from "../protocol/quantity.ts";
import { Resources } from "../protocol/resources.ts";
import type { Operation } from "../protocol/scheduler-call.ts";
import type { TaskInfo } from "../protocol/task.ts";
import { isUsableId, WireError } from "../protocol/wire.ts";
import { type Agent, type Framework, type Offer, taskKey } from "./cluster-state.ts";
import { refuseMs, removeOffer } from "./offers.ts";
import { addTask, forFramework, statusOfMaster, tell } from "./tasks.ts";
import { type Answer, accepted, type OtherCall, type Turn } from "./turn.ts";

type Accept = Extract<OtherCall, { type: "ACCEPT" }>["accept"];

interface Launching {
  readonly framework: Framework;
  readonly agent: Agent;
  readonly role: string;
  /** What is left of the accepted offers. */
  left: Resources;
}

export function acceptOffers(turn: Turn, framework: Framework, accept: Accept): Answer {
  const offers = accept.offer_ids.map(({ value }) => turn.state.offers.get(value));
  const tasks = accept.operations.flatMap(tasksOf);
  const problem = problemOfOffers(turn, framework, offers);
  const usable = [...new Set(offers)].filter(
    (offer): offer is Offer => offer !== undefined && offer.frameworkId === framework.id,
  );
  const [first] = usable;
  const agent = first === undefined ? undefined : turn.state.agents.get(first.agentId);
  for (const offer of usable) removeOffer(turn, offer);
  if (problem !== undefined || first === undefined || agent === undefined) {
    for (const task of tasks)
      tellDropped(turn, framework, task, problem ?? "Task launched with invalid offers");
    return accepted;
  }
  const launching: Launching = {
    framework,
    agent,
    role: first.role,
    left: usable.reduce((sum, offer) => sum.plus(offer.resources), Resources.none),
  };
  for (const operation of accept.operations) carryOut(turn, launching, operation);
  if (!launching.left.isEmpty) {
    const until = turn.now + refuseMs(accept.filters?.refuse_seconds);
    turn.allocator.refuse({ ...first, resources: launching.left, until }, turn.now);
  }
  return accepted;
}

const tasksOf = (operation: Operation): readonly TaskInfo[] =>
  operation.type === "LAUNCH"
    ? operation.launch.task_infos
    : operation.type === "LAUNCH_GROUP"
      ? operation.launch_group.task_group.tasks
      : [];

function problemOfOffers(
  { state }: Turn,
  framework: Framework,
  offers: readonly (Offer | undefined)[],
): string | undefined {
  if (offers.length === 0) return "No offers specified";
  if (new Set(offers).size !== offers.length && !offers.includes(undefined))
    return "Duplicate offers specified";
  if (offers.some((offer) => offer?.frameworkId !== framework.id))
    return "Task launched with invalid offers: an offer is no longer valid";
  const agents = new Set(offers.map((offer) => offer?.agentId));
  if (agents.size > 1) return "Task launched with invalid offers: aggregated offers span several agents";
  const roles = new Set(offers.map((offer) => offer?.role));
  if (roles.size > 1) return "Task launched with invalid offers: aggregated offers have several roles";
  const session = state.agents.get([...agents][0] ?? "")?.session;
  return session === undefined ? "Agent disconnected" : undefined;
}

function carryOut(turn: Turn, launching: Launching, operation: Operation): void {
  if (operation.type === "LAUNCH") {
    for (const task of operation.launch.task_infos) launch(turn, launching, task);
    return;
  }
  for (const task of tasksOf(operation))
    tellInvalid(
      turn,
      launching.framework,
      task,
      "task groups need a custom executor, which this master does not run",
    );
  if (operation.type !== "LAUNCH_GROUP")
    turn.act({ do: "log", text: `${operation.type} from ${launching.framework.id} dropped: not supported` });
}

function launch(turn: Turn, launching: Launching, info: TaskInfo): void {
  const { framework, agent, role } = launching;
  const problem = problemOfTask(launching, info);
  if (problem !== undefined) {
    tellInvalid(turn, framework, info, problem);
    return;
  }
  const wanted = Resources.fromWire(info.resources);
  launching.left = launching.left.minus(wanted);
  addTask(turn, { framework, agent, info, role, state: "TASK_STAGING" });
  turn.state.tally.launched++;
  if (agent.session === undefined) return;
  const resources = wanted.toWire({ allocationRole: role });
  turn.act({
    do: "send-command",
    session: agent.session,
    command: { type: "LAUNCH", framework: framework.info, task: { ...info, resources } },
  });
}

/** Why it cannot be launched whatever is offered. */
function problemOfTask({ framework, agent, left }: Launching, info: TaskInfo): string | undefined {
  const taskId = info.task_id.value;
  if (!isUsableId(taskId)) return `Task ID '${taskId}' contains invalid characters`;
  if (framework.tasks.has(taskId) || agent.tasks.has(taskKey(framework.id, taskId)))
    return `Task has duplicate ID: ${taskId}`;
  if (framework.unreachableTasks.has(taskId)) return `Task reuses the ID of an unreachable task: ${taskId}`;
  if (info.agent_id.value !== agent.id)
    return `Task uses invalid agent ${info.agent_id.value} while agent ${agent.id} is expected`;
  if (info.executor !== undefined)
    return "Task wants a custom executor; this master runs command and Docker tasks";
  const { command } = info;
  if (command === undefined) return "Task should have a CommandInfo";
  if (info.container === undefined && (command.value ?? "") === "")
    return "Task's CommandInfo has no command";
  if (info.container?.type === "DOCKER" && info.container.docker === undefined)
    return "Task's ContainerInfo of type DOCKER has no DockerInfo";
  if (
    info.container?.type === "MESOS" &&
    info.container.mesos !== undefined &&
    "image" in info.container.mesos
  )
    return "Task wants an image in a MESOS container; use a container of type DOCKER";
  return problemOfResources(info, left);
}

function problemOfResources({ resources }: TaskInfo, left: Resources): string | undefined {
  if (resources.length === 0) return "Task uses no resources";
  try {
    const wanted = Resources.fromWire(resources);
    return left.contains(wanted) ? undefined : `Task uses more resources ${wanted} than available ${left}`;
  } catch (error) {
    if (error instanceof WireError || error instanceof KindMismatch)
      return `Task uses invalid resources: ${error.message}`;
    throw error;
  }
}

function tellInvalid(turn: Turn, framework: Framework, info: TaskInfo, message: string): void {
  turn.state.tally.errors++;
  tell(
    turn,
    framework,
    statusOfMaster(turn.now, {
      taskId: info.task_id.value,
      agentId: info.agent_id.value,
      state: "TASK_ERROR",
      reason: "REASON_TASK_INVALID",
      message,
    }),
  );
}

function tellDropped(turn: Turn, framework: Framework, info: TaskInfo, message: string): void {
  turn.state.tally.lost++;
  tell(
    turn,
    framework,
    statusOfMaster(turn.now, {
      taskId: info.task_id.value,
      agentId: info.agent_id.value,
      state: forFramework(framework, "TASK_DROPPED"),
      reason: message === "Agent disconnected" ? "REASON_SLAVE_DISCONNECTED" : "REASON_INVALID_OFFERS",
      message,
    }),
  );
}

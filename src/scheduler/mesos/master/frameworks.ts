/** Frameworks come, go away for a while, fail over, and leave for good. */
import { type FrameworkInfo, rolesOf } from "../protocol/framework.ts";
import { id, isUsableId } from "../protocol/wire.ts";
import type { Framework } from "./cluster-state.ts";
import { offerToEveryone, removeOffersOfFramework } from "./offers.ts";
import { Ring } from "./ring.ts";
import { completeTask } from "./tasks.ts";
import { type Answer, accepted, type SubscribeCall, type Turn } from "./turn.ts";

export function subscribe(turn: Turn, stream: string, call: SubscribeCall): Answer {
  const { framework_info, suppressed_roles } = call.subscribe;
  const known = framework_info.id?.value ?? call.framework_id?.value;
  const refusal = refuseSubscription(turn, call, known);
  if (refusal !== undefined) return { status: 400, message: refusal };
  const { state } = turn;
  if (known !== undefined && [...state.completedFrameworks].some((framework) => framework.id === known)) {
    turn.act({
      do: "send-event",
      stream,
      event: { type: "ERROR", error: { message: "Framework has been removed" } },
    });
    turn.act({ do: "close-stream", stream });
    return accepted;
  }
  const framework = known === undefined ? undefined : state.frameworks.get(known);
  if (framework === undefined) admit(turn, stream, known ?? state.newFrameworkId(), framework_info);
  else failOver(turn, stream, framework, framework_info);
  setSuppressed(turn, stream, suppressed_roles ?? []);
  return accepted;
}

function refuseSubscription(
  { state }: Turn,
  call: SubscribeCall,
  known: string | undefined,
): string | undefined {
  const info = call.subscribe.framework_info;
  if (info.id !== undefined && call.framework_id !== undefined && info.id.value !== call.framework_id.value)
    return "'framework_id' differs from 'subscribe.framework_info.id'";
  if (known !== undefined && !isUsableId(known)) return `Framework ID '${known}' contains invalid characters`;
  const badRole = rolesOf(info).find((role) => !isRole(role));
  if (badRole !== undefined) return `'${badRole}' is no name of a role`;
  const framework = known === undefined ? undefined : state.frameworks.get(known);
  if (framework !== undefined && framework.info.principal !== info.principal && !framework.recovered)
    return "Changing framework's principal is not allowed";
  return undefined;
}

const isRole = (role: string): boolean =>
  role === "*" || (/^[^\s*/.-][^\s*/]*(\/[^\s*/.-][^\s*/]*)*$/.test(role) && role.length < 256);

function admit(turn: Turn, stream: string, frameworkId: string, info: FrameworkInfo): void {
  const framework = newFramework(turn, frameworkId, info);
  turn.state.frameworks.set(frameworkId, framework);
  connect(turn, stream, framework);
  turn.act({ do: "log", text: `framework "${info.name}" (${frameworkId}) subscribed` });
}

const newFramework = ({ state, now }: Turn, frameworkId: string, info: FrameworkInfo): Framework => ({
  id: frameworkId,
  info: { ...info, id: id(frameworkId) },
  roles: rolesOf(info),
  stream: undefined,
  recovered: false,
  registeredAt: now,
  reregisteredAt: undefined,
  unregisteredAt: undefined,
  deadline: undefined,
  tasks: new Map(),
  unreachableTasks: new Map(),
  completedTasks: new Ring(state.settings.maxCompletedTasksPerFramework),
  offers: new Set(),
  suppressed: new Set(),
});

/** A framework that only its agents speak of, since the last change of leaders: it has its timeout to come back. */
export function recoverFramework(turn: Turn, info: FrameworkInfo): Framework | undefined {
  const frameworkId = info.id?.value;
  if (frameworkId === undefined) return undefined;
  const present = turn.state.frameworks.get(frameworkId);
  if (present !== undefined) return present;
  const framework = newFramework(turn, frameworkId, info);
  framework.recovered = true;
  framework.deadline =
    turn.now + Math.max(failoverTimeoutMs(info), turn.state.settings.agentReregisterTimeoutMs);
  turn.state.frameworks.set(frameworkId, framework);
  return framework;
}

/** The same framework on a new stream: the older scheduler is told and cut off, its offers are void. */
function failOver(turn: Turn, stream: string, framework: Framework, info: FrameworkInfo): void {
  const { act } = turn;
  if (framework.stream !== undefined) {
    const older = framework.stream;
    act({
      do: "send-event",
      stream: older,
      event: { type: "ERROR", error: { message: "Framework failed over" } },
    });
    act({ do: "close-stream", stream: older });
    turn.state.byStream.delete(older);
  }
  removeOffersOfFramework(turn, framework);
  updateInfo(turn, framework, info);
  framework.reregisteredAt = turn.now;
  framework.recovered = false;
  connect(turn, stream, framework);
  act({ do: "log", text: `framework "${info.name}" (${framework.id}) subscribed again` });
}

function updateInfo(turn: Turn, framework: Framework, info: FrameworkInfo): void {
  framework.info = { ...info, id: id(framework.id) };
  framework.roles = rolesOf(info);
  turn.allocator.revive(framework.id, framework.roles);
}

function connect(turn: Turn, stream: string, framework: Framework): void {
  framework.stream = stream;
  framework.deadline = undefined;
  turn.state.byStream.set(stream, framework);
  turn.act({
    do: "send-event",
    stream,
    event: {
      type: "SUBSCRIBED",
      subscribed: {
        framework_id: id(framework.id),
        heartbeat_interval_seconds: turn.state.settings.heartbeatIntervalMs / 1000,
        master_info: turn.state.info,
      },
    },
  });
  offerToEveryone(turn);
}

function setSuppressed({ state }: Turn, stream: string, roles: readonly string[]): void {
  const framework = state.byStream.get(stream);
  if (framework === undefined) return;
  framework.suppressed.clear();
  for (const role of roles) framework.suppressed.add(role);
}

export function updateFramework(
  turn: Turn,
  framework: Framework,
  info: FrameworkInfo,
  suppressed: readonly string[],
): Answer {
  updateInfo(turn, framework, info);
  if (framework.stream !== undefined) setSuppressed(turn, framework.stream, suppressed);
  offerToEveryone(turn);
  return { status: 200 };
}

/** The stream ended. The framework keeps its tasks for its failover timeout; by default that is no time at all. */
export function disconnectFramework(turn: Turn, stream: string): void {
  const framework = turn.state.byStream.get(stream);
  turn.state.byStream.delete(stream);
  if (framework === undefined || framework.stream !== stream) return;
  framework.stream = undefined;
  removeOffersOfFramework(turn, framework);
  framework.deadline = turn.now + failoverTimeoutMs(framework.info);
  turn.act({ do: "log", text: `framework "${framework.info.name}" (${framework.id}) went away` });
  if (framework.deadline <= turn.now)
    removeFramework(turn, framework, "its stream ended and it has no failover timeout");
}

const failoverTimeoutMs = (info: FrameworkInfo): number => (info.failover_timeout ?? 0) * 1000;

export function giveUpLateFrameworks(turn: Turn): void {
  for (const framework of [...turn.state.frameworks.values()])
    if (framework.deadline !== undefined && framework.deadline <= turn.now)
      removeFramework(turn, framework, "it did not come back within its failover timeout");
}

/** For good: its tasks are killed, and hold their resources until their agents say that they have ended. */
export function removeFramework(turn: Turn, framework: Framework, why: string): void {
  const { state, act, now } = turn;
  removeOffersOfFramework(turn, framework);
  if (framework.stream !== undefined) {
    act({ do: "close-stream", stream: framework.stream });
    state.byStream.delete(framework.stream);
  }
  framework.stream = undefined;
  framework.deadline = undefined;
  framework.unregisteredAt = now;
  for (const agentId of new Set([...framework.tasks.values()].map((task) => task.agentId))) {
    const session = state.agents.get(agentId)?.session;
    if (session !== undefined)
      act({
        do: "send-command",
        session,
        command: { type: "SHUTDOWN_FRAMEWORK", framework_id: id(framework.id) },
      });
  }
  for (const task of [...framework.unreachableTasks.values()]) completeTask(turn, task);
  state.frameworks.delete(framework.id);
  state.completedFrameworks.push(framework);
  turn.allocator.frameworkRemoved(framework, state.frameworks);
  act({ do: "log", text: `framework "${framework.info.name}" (${framework.id}) removed: ${why}` });
}

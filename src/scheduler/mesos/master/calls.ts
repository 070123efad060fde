/** What a subscribed framework may ask for, call by call. Launching has its own file. */
import { isTerminal } from "../protocol/task.ts";
import { id } from "../protocol/wire.ts";
import { acceptOffers } from "./accept.ts";
import type { Framework } from "./cluster-state.ts";
import { removeFramework, updateFramework } from "./frameworks.ts";
import { offerToEveryone, refuseMs, removeOffer } from "./offers.ts";
import { reconcileAll, reconcileTask } from "./reconcile.ts";
import { completeTask, repeatKill } from "./tasks.ts";
import { type Answer, accepted, type OtherCall, type Turn } from "./turn.ts";

type Call<Type extends OtherCall["type"]> = Extract<OtherCall, { type: Type }>;

export function answerCall(turn: Turn, stream: string | undefined, call: OtherCall): Answer {
  const framework = turn.state.frameworks.get(call.framework_id.value);
  if (framework === undefined) return { status: 400, message: "Framework cannot be found" };
  if (framework.stream === undefined) return { status: 403, message: "Framework is not subscribed" };
  if (stream === undefined)
    return { status: 400, message: "All non-subscribe calls should include the 'Mesos-Stream-Id' header" };
  if (stream !== framework.stream)
    return {
      status: 400,
      message:
        "The stream ID included in this request didn't match the stream ID currently associated with framework ID",
    };
  return carryOut(turn, framework, call);
}

function carryOut(turn: Turn, framework: Framework, call: OtherCall): Answer {
  switch (call.type) {
    case "TEARDOWN":
      removeFramework(turn, framework, "it asked for it");
      return accepted;
    case "ACCEPT":
      return acceptOffers(turn, framework, call.accept);
    case "DECLINE":
      return decline(turn, framework, call);
    case "REVIVE":
      return revive(turn, framework, call.revive?.roles ?? []);
    case "SUPPRESS":
      for (const role of nonEmpty(call.suppress?.roles, framework.roles)) framework.suppressed.add(role);
      return accepted;
    case "KILL":
      return kill(turn, framework, call);
    case "ACKNOWLEDGE":
      return acknowledge(turn, framework, call);
    case "RECONCILE":
      return reconcile(turn, framework, call);
    case "UPDATE_FRAMEWORK": {
      const { framework_info, suppressed_roles } = call.update_framework;
      return updateFramework(turn, framework, framework_info, suppressed_roles ?? []);
    }
    case "MESSAGE":
    case "SHUTDOWN":
      turn.act({
        do: "log",
        text: `${call.type} from ${framework.id} dropped: no custom executors run here`,
      });
      return accepted;
    case "ACCEPT_INVERSE_OFFERS":
    case "DECLINE_INVERSE_OFFERS":
    case "ACKNOWLEDGE_OPERATION_STATUS":
    case "RECONCILE_OPERATIONS":
    case "REQUEST":
      return accepted;
  }
}

const nonEmpty = (roles: readonly string[] | undefined, otherwise: readonly string[]): readonly string[] =>
  roles === undefined || roles.length === 0 ? otherwise : roles;

function decline(turn: Turn, framework: Framework, { decline }: Call<"DECLINE">): Answer {
  const until = turn.now + refuseMs(decline.filters?.refuse_seconds);
  for (const { value } of decline.offer_ids) {
    const offer = turn.state.offers.get(value);
    if (offer?.frameworkId !== framework.id) continue;
    turn.allocator.refuse({ ...offer, until }, turn.now);
    removeOffer(turn, offer);
  }
  return accepted;
}

function revive(turn: Turn, framework: Framework, asked: readonly string[]): Answer {
  const roles = nonEmpty(asked, framework.roles);
  for (const role of roles) framework.suppressed.delete(role);
  turn.allocator.revive(framework.id, roles);
  offerToEveryone(turn);
  return accepted;
}

/** Forwarded now, and again when the agent comes back. An unknown task is answered as RECONCILE would. */
function kill(turn: Turn, framework: Framework, { kill }: Call<"KILL">): Answer {
  const task = framework.tasks.get(kill.task_id.value);
  if (task === undefined) {
    reconcileTask(turn, framework, kill.task_id.value, kill.agent_id?.value);
    return accepted;
  }
  task.kill = { policy: kill.kill_policy };
  repeatKill(turn, task);
  return accepted;
}

function acknowledge(turn: Turn, framework: Framework, { acknowledge }: Call<"ACKNOWLEDGE">): Answer {
  const { task_id, agent_id, uuid } = acknowledge;
  const task = framework.tasks.get(task_id.value);
  const agent = turn.state.agents.get(agent_id.value);
  if (agent === undefined || (task !== undefined && task.agentId !== agent.id)) return accepted;
  if (agent.session !== undefined)
    turn.act({
      do: "send-command",
      session: agent.session,
      command: { type: "ACKNOWLEDGE", framework_id: id(framework.id), task_id, uuid },
    });
  if (task === undefined || task.unacknowledged !== uuid) return accepted;
  task.unacknowledged = undefined;
  const told = task.statuses.at(-1)?.state;
  if (told === task.state && isTerminal(task.state)) completeTask(turn, task);
  return accepted;
}

function reconcile(turn: Turn, framework: Framework, { reconcile }: Call<"RECONCILE">): Answer {
  if (reconcile.tasks.length === 0) reconcileAll(turn, framework);
  else
    for (const { task_id, agent_id } of reconcile.tasks)
      reconcileTask(turn, framework, task_id.value, agent_id?.value);
  return accepted;
}

/** `POST /api/v1`: the calls of Mesos's operator API that concern what this master has. */
import { z } from "zod";
import type { Route } from "../../http/http-server.ts";
import { emptyResponse, type HttpResponse, jsonResponse, textResponse } from "../../http/response.ts";
import { versionModel } from "../daemon/common-routes.ts";
import { id, idSchema, parseWire } from "../protocol/wire.ts";
import type { Agent, ClusterState, Framework, MesosTask } from "./cluster-state.ts";
import type { MasterCore } from "./decide.ts";
import { onLeader } from "./leader-guard.ts";
import type { MasterDaemon } from "./master-daemon.ts";
import { masterMetrics } from "./metrics.ts";
import type { Model } from "./models.ts";
import { readJson, refuseRequest, toResponse } from "./scheduler-api.ts";
import type { StateSurroundings } from "./state-endpoints.ts";
import type { OperatorRequest } from "./turn.ts";

const callSchema = z.object({
  type: z.string(),
  teardown: z.object({ framework_id: idSchema }).optional(),
  mark_agent_gone: z.object({ agent_id: idSchema }).optional(),
  deactivate_agent: z.object({ agent_id: idSchema }).optional(),
  reactivate_agent: z.object({ agent_id: idSchema }).optional(),
});
type OperatorCall = z.infer<typeof callSchema>;

export const operatorApiRoute = (daemon: MasterDaemon, around: StateSurroundings): Route => ({
  method: "*",
  path: "/api/v1",
  handle: onLeader(daemon, async (request, core) => {
    const refusal = refuseRequest(request);
    if (refusal !== undefined) return refusal;
    const call = await readJson(request, (json) => parseWire(callSchema, json));
    if ("problem" in call) return textResponse(400, `Failed to parse body into Call: ${call.problem}`);
    return answer({ daemon, around, core }, call.value);
  }),
});

interface Asked {
  readonly daemon: MasterDaemon;
  readonly around: StateSurroundings;
  readonly core: MasterCore;
}

function answer({ daemon, around, core }: Asked, call: OperatorCall): HttpResponse {
  const order = orderOf(call);
  if (order !== undefined) {
    const answered = daemon.ask({ is: "operator", request: order });
    return answered.status === 200 ? emptyResponse(200) : toResponse(answered);
  }
  const { state } = core;
  switch (call.type) {
    case "GET_HEALTH":
      return named(call, "get_health", { healthy: true });
    case "GET_FLAGS":
      return named(call, "get_flags", {
        flags: Object.entries(around.flags).map(([name, value]) => ({ name, value })),
      });
    case "GET_VERSION":
      return named(call, "get_version", { version_info: versionModel });
    case "GET_METRICS":
      return named(call, "get_metrics", {
        metrics: Object.entries(masterMetrics(daemon)).map(([name, value]) => ({ name, value })),
      });
    case "GET_MASTER":
      return named(call, "get_master", {
        master_info: state.info,
        start_time: daemon.startedAt / 1000,
        elected_time: state.electedAt / 1000,
      });
    case "GET_AGENTS":
      return named(call, "get_agents", agentsOf(state));
    case "GET_FRAMEWORKS":
      return named(call, "get_frameworks", frameworksOf(state));
    case "GET_TASKS":
      return named(call, "get_tasks", tasksOf(state));
    case "GET_EXECUTORS":
      return named(call, "get_executors", { executors: [] });
    case "GET_STATE":
      return named(call, "get_state", {
        get_agents: agentsOf(state),
        get_frameworks: frameworksOf(state),
        get_tasks: tasksOf(state),
        get_executors: { executors: [] },
      });
    default:
      return textResponse(501, `This master does not answer ${call.type}`);
  }
}

const named = ({ type }: OperatorCall, field: string, value: Model): HttpResponse =>
  jsonResponse(200, { type, [field]: value });

function orderOf(call: OperatorCall): OperatorRequest | undefined {
  if (call.type === "TEARDOWN" && call.teardown !== undefined)
    return { want: "teardown", frameworkId: call.teardown.framework_id.value };
  if (call.type === "MARK_AGENT_GONE" && call.mark_agent_gone !== undefined)
    return { want: "mark-agent-gone", agentId: call.mark_agent_gone.agent_id.value };
  if (call.type === "DEACTIVATE_AGENT" && call.deactivate_agent !== undefined)
    return { want: "deactivate-agent", agentId: call.deactivate_agent.agent_id.value };
  if (call.type === "REACTIVATE_AGENT" && call.reactivate_agent !== undefined)
    return { want: "reactivate-agent", agentId: call.reactivate_agent.agent_id.value };
  return undefined;
}

const nanoseconds = (ms: number): Model => ({ nanoseconds: ms * 1e6 });

const agentsOf = (state: ClusterState): Model => ({
  agents: [...state.agents.values()].map((agent: Agent) => ({
    agent_info: {
      id: id(agent.id),
      hostname: agent.hostname,
      port: agent.port,
      resources: agent.total.toWire(),
      attributes: agent.attributes,
    },
    active: agent.session !== undefined,
    deactivated: agent.deactivated,
    version: agent.version,
    pid: `slave(1)@${agent.ip}:${agent.port}`,
    registered_time: nanoseconds(agent.registeredAt),
    total_resources: agent.total.toWire(),
    allocated_resources: agent.used.toWire(),
    offered_resources: agent.offered.toWire(),
  })),
  recovered_agents: [...state.awaited.values()].map(({ record }) => ({
    id: id(record.id),
    hostname: record.hostname,
    port: record.port,
  })),
});

const frameworkOf = (framework: Framework): Model => ({
  framework_info: framework.info,
  active: framework.stream !== undefined,
  connected: framework.stream !== undefined,
  recovered: framework.recovered,
  registered_time: nanoseconds(framework.registeredAt),
});

const frameworksOf = (state: ClusterState): Model => ({
  frameworks: [...state.frameworks.values()].map(frameworkOf),
  completed_frameworks: [...state.completedFrameworks].map(frameworkOf),
});

const taskOf = (task: MesosTask): Model => ({
  ...task.summary,
  framework_id: id(task.frameworkId),
  agent_id: id(task.agentId),
  state: task.state,
  resources: task.resources.toWire(),
  statuses: task.statuses,
});

function tasksOf(state: ClusterState): Model {
  const frameworks = [...state.frameworks.values()];
  return {
    tasks: frameworks.flatMap(({ tasks }) => [...tasks.values()].map(taskOf)),
    unreachable_tasks: frameworks.flatMap(({ unreachableTasks }) =>
      [...unreachableTasks.values()].map(taskOf),
    ),
    completed_tasks: frameworks.flatMap(({ completedTasks }) => [...completedTasks].map(taskOf)),
  };
}

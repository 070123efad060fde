/** What operators and tools read of a leading master: /state and its parts. */
import type { HttpRequest } from "../../http/request.ts";
import { versionModel } from "../daemon/common-routes.ts";
import { masterHostPort } from "../protocol/master-info.ts";
import { Resources } from "../protocol/resources.ts";
import type { ClusterState, Framework, MesosTask } from "./cluster-state.ts";
import type { MasterCore } from "./decide.ts";
import {
  agentModel,
  countStates,
  frameworkModel,
  fullAgentModel,
  heldBy,
  type Model,
  recoveredAgentModel,
  taskModel,
} from "./models.ts";

export interface StateSurroundings {
  readonly startedAt: number;
  readonly cluster: string | undefined;
  readonly logDir: string | undefined;
  readonly flags: Readonly<Record<string, string>>;
}

export function stateModel({ state }: MasterCore, around: StateSurroundings): Model {
  const { info } = state;
  const { host, port } = masterHostPort(info);
  const agents = [...state.agents.values()];
  return {
    ...versionModel,
    start_time: around.startedAt / 1000,
    elected_time: state.electedAt / 1000,
    id: info.id,
    pid: info.pid,
    hostname: info.hostname,
    capabilities: info.capabilities?.map(({ type }) => type),
    activated_slaves: agents.filter(({ session }) => session !== undefined).length,
    deactivated_slaves: agents.filter(({ session }) => session === undefined).length,
    unreachable_slaves: state.unreachable.size,
    leader: info.pid,
    leader_info: { id: info.id, pid: info.pid, port, hostname: info.hostname ?? host },
    ...(around.cluster === undefined ? {} : { cluster: around.cluster }),
    ...(around.logDir === undefined ? {} : { log_dir: around.logDir }),
    flags: around.flags,
    slaves: agents.map(agentModel),
    recovered_slaves: [...state.awaited.values()].map(recoveredAgentModel),
    frameworks: [...state.frameworks.values()].map(frameworkModel),
    completed_frameworks: [...state.completedFrameworks].map(frameworkModel),
    orphan_tasks: [],
    unregistered_frameworks: [],
  };
}

export function slavesModel({ state }: MasterCore, request: HttpRequest): Model {
  const wanted = request.query.get("slave_id");
  const is = ({ id }: { readonly id: string }): boolean => wanted === undefined || id === wanted;
  return {
    slaves: [...state.agents.values()].filter(is).map(fullAgentModel),
    recovered_slaves: [...state.awaited.values()].filter(is).map(recoveredAgentModel),
  };
}

export function frameworksModel({ state }: MasterCore, request: HttpRequest): Model {
  const wanted = request.query.get("framework_id");
  const is = ({ id }: { readonly id: string }): boolean => wanted === undefined || id === wanted;
  return {
    frameworks: [...state.frameworks.values()].filter(is).map(frameworkModel),
    completed_frameworks: [...state.completedFrameworks].filter(is).map(frameworkModel),
    unregistered_frameworks: [],
  };
}

const defaultTaskLimit = 100;

export function tasksModel({ state }: MasterCore, request: HttpRequest): Model {
  const limit = request.query.integer("limit", defaultTaskLimit);
  const offset = Math.max(0, request.query.integer("offset", 0));
  const frameworkId = request.query.get("framework_id");
  const taskId = request.query.get("task_id");
  const found = [...everyTask(state)].filter(
    (task) => (frameworkId ?? task.frameworkId) === task.frameworkId && (taskId ?? task.id) === task.id,
  );
  const startOf = (task: MesosTask): number => task.statuses[0]?.timestamp ?? 0;
  const sign = request.query.get("order") === "asc" ? 1 : -1;
  found.sort((a, b) => sign * (startOf(a) - startOf(b)));
  const end = limit < 0 ? found.length : offset + limit;
  return { tasks: found.slice(offset, end).map(taskModel) };
}

function* everyTask(state: ClusterState): Generator<MesosTask> {
  for (const framework of [...state.frameworks.values(), ...state.completedFrameworks])
    yield* tasksOf(framework);
}

function* tasksOf(framework: Framework): Generator<MesosTask> {
  yield* framework.tasks.values();
  yield* framework.unreachableTasks.values();
  yield* framework.completedTasks;
}

export function rolesModel({ state, allocator }: MasterCore): Model {
  const roles = new Map<string, { frameworks: string[]; allocated: Resources; offered: Resources }>();
  for (const framework of state.frameworks.values()) {
    const { used, offered } = heldBy(framework);
    for (const [index, role] of framework.roles.entries()) {
      const entry = roles.get(role) ?? { frameworks: [], allocated: Resources.none, offered: Resources.none };
      roles.set(role, entry);
      entry.frameworks.push(framework.id);
      // A framework of several roles is shown under the first: its tasks' roles are on its tasks.
      if (index > 0) continue;
      entry.allocated = entry.allocated.plus(used);
      entry.offered = entry.offered.plus(offered);
    }
  }
  return {
    roles: [...roles].map(([name, { frameworks, allocated, offered }]) => ({
      name,
      weight: allocator.weightOf(name),
      quota: {
        role: name,
        guarantee: {},
        limit: {},
        consumed: allocated.toModel(),
      },
      resources: allocated.plus(offered).toModel(),
      allocated: allocated.toModel(),
      offered: offered.toModel(),
      reserved: {},
      frameworks,
    })),
  };
}

export function summaryModel({ state }: MasterCore, cluster: string | undefined): Model {
  const agents = [...state.agents.values()];
  return {
    hostname: state.info.hostname,
    ...(cluster === undefined ? {} : { cluster }),
    slaves: agents.map((agent) => ({
      ...agentModel(agent),
      ...countStates(agent.tasks.values()),
      framework_ids: [...new Set([...agent.tasks.values()].map(({ frameworkId }) => frameworkId))],
    })),
    frameworks: [...state.frameworks.values()].map((framework) => {
      const {
        tasks: _tasks,
        completed_tasks: _completed,
        unreachable_tasks: _lost,
        ...model
      } = frameworkModel(framework);
      return {
        ...model,
        ...countStates(tasksOf(framework)),
        slave_ids: [...new Set([...framework.tasks.values()].map(({ agentId }) => agentId))],
      };
    }),
  };
}

/** The agent's endpoints, each at `/x` and `/slave(1)/x`, and its console. */
import { join } from "node:path";
import type { Route } from "../../http/http-server.ts";
import { jsonResponse } from "../../http/response.ts";
import { alsoUnder, commonRoutes, get } from "../daemon/common-routes.ts";
import { type AttachedPaths, filesRoutes } from "../daemon/files-api.ts";
import type { AgentDaemon } from "./agent-daemon.ts";
import {
  type AgentSurroundingsShown,
  agentMetrics,
  agentStateModel,
  containersModel,
  statisticsModel,
} from "./agent-models.ts";
import { agentPages } from "./agent-page.ts";
import type { Cgroups } from "./cgroups.ts";
import { latestLink } from "./sandbox.ts";

export interface AgentRoutes {
  /** Throws while there is none yet. */
  readonly daemon: () => AgentDaemon;
  readonly shown: () => Omit<AgentSurroundingsShown, "daemon">;
  readonly cgroups: Cgroups | undefined;
  readonly workDir: string;
  readonly logFile: string | undefined;
  readonly flags: Readonly<Record<string, string>>;
}

export function agentRoutes({
  daemon,
  shown,
  cgroups,
  workDir,
  logFile,
  flags,
}: AgentRoutes): readonly Route[] {
  const model = (path: string, make: () => unknown): Route[] =>
    [path, `${path}.json`].map((each) => get(each, () => jsonResponse(200, make())));
  const routes = [
    ...model("/state", () => agentStateModel({ ...shown(), daemon: daemon() })),
    ...model("/containers", () => containersModel(daemon(), cgroups)),
    ...model("/monitor/statistics", () => statisticsModel(daemon(), cgroups)),
    ...commonRoutes({ flags, metrics: () => agentMetrics(daemon(), shown().resources) }),
    ...filesRoutes(attachedPaths(daemon, logFile, join(workDir, "slaves"))),
  ];
  return [...alsoUnder(["/slave(1)"], routes), ...agentPages];
}

/** Sandboxes by their real path and by `latest`, and the log. */
function attachedPaths(
  daemon: () => AgentDaemon,
  logFile: string | undefined,
  slaves: string,
): AttachedPaths {
  return (path) => {
    if (path === "/slave/log") return logFile;
    if (!path.startsWith(`${slaves}/`)) return undefined;
    const { tasks, completed } = daemon().state;
    for (const { directory } of [...tasks.values(), ...completed.values()])
      if (path === directory || path === latestLink(directory)) return directory;
    // A sandbox of before the last start: still there until it is collected.
    return /\/frameworks\/[^/]+\/executors\/[^/]+\/runs\/[^/]+$/.test(path) ? path : undefined;
  };
}

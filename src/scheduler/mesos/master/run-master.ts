/** A master, running: its HTTP server and its daemon. */
import { type Clock, type Random, systemClock } from "../../../base/clock.ts";
import { createServer } from "../../http/http-server.ts";
import type { Store } from "../../store.ts";
import type { Electorate, Log, RunningDaemon } from "../daemon/coordination.ts";
import { filesRoutes } from "../daemon/files-api.ts";
import { agentLinkRoutes } from "./agent-link-api.ts";
import { defaultMasterSettings, type MasterSettings } from "./cluster-state.ts";
import { MasterDaemon } from "./master-daemon.ts";
import { masterPages } from "./master-page.ts";
import { operatorRoutes } from "./operator-routes.ts";
import { schedulerRoute } from "./scheduler-api.ts";

export interface MasterOptions {
  /** Address to listen on. */
  readonly bindIp: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** What others dial. */
  readonly ip: string;
  readonly advertisePort?: number | undefined;
  readonly hostname: string;
  readonly cluster?: string | undefined;
  readonly logDir?: string | undefined;
  readonly logFile?: string | undefined;
  readonly flags?: Readonly<Record<string, string>>;
  readonly settings?: Partial<MasterSettings>;
  /** Rooted where the registry lives. */
  readonly store: Store;
  readonly electorate: Electorate;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** For tens of thousands of agents: each holds a stream, and one event may carry the offers of a thousand. */
const serverLimits = {
  maxConnections: 100_000,
  maxBodyBytes: 64 * 1024 * 1024,
  maxPendingBytes: 128 * 1024 * 1024,
};

export interface RunningMaster extends RunningDaemon {
  readonly port: number;
  readonly isLeading: boolean;
}

export async function runMaster(options: MasterOptions): Promise<RunningMaster> {
  const daemon = new MasterDaemon({
    hostname: options.hostname,
    ip: options.ip,
    settings: { ...defaultMasterSettings, ...options.settings },
    store: options.store,
    electorate: options.electorate,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
    log: options.log,
  });
  const around = {
    startedAt: daemon.startedAt,
    cluster: options.cluster,
    logDir: options.logDir,
    flags: options.flags ?? {},
  };
  const server = createServer({
    routes: [
      schedulerRoute(daemon),
      ...agentLinkRoutes(daemon),
      ...operatorRoutes(daemon, around),
      ...filesRoutes((path) => (path === "/master/log" ? options.logFile : undefined)),
      ...masterPages(daemon),
    ],
    log: (line, error) => options.log(error === undefined ? line : `${line}: ${String(error)}`),
    limits: serverLimits,
  });
  const { port } = await server.listen(options.port, options.bindIp);
  daemon.start(options.advertisePort ?? port);
  options.log(`master listening on ${options.bindIp}:${port}`);
  return {
    port,
    url: `http://${options.ip}:${port}`,
    get isLeading() {
      return daemon.core !== undefined;
    },
    stop: async () => {
      await daemon.stop();
      await server.close();
    },
  };
}

/** `mesos-master`, as a process. */

import { join } from "node:path";
import { ProvisionError } from "../../../base/errors.ts";
import type { FlagValues } from "../../daemon-configuration.ts";
import { JournalStore } from "../../journal-store.ts";
import { ZooKeeperClient } from "../../zookeeper/zookeeper-client.ts";
import { ZooKeeperStore } from "../../zookeeper/zookeeper-store.ts";
import { addressesOf } from "../daemon/addresses.ts";
import { soleMaster } from "../daemon/coordination.ts";
import {
  type DaemonEnvironment,
  openLog,
  runUntilSignal,
  zookeeperAddressOf,
} from "../daemon/run-until-signal.ts";
import { zookeeperElectorate } from "../daemon/zookeeper-coordination.ts";
import type { MasterSettings } from "./cluster-state.ts";
import { type masterFlags, masterSpec } from "./flags.ts";
import { type MasterOptions, runMaster } from "./run-master.ts";

type Flags = FlagValues<typeof masterFlags>;
type Coordination = Pick<MasterOptions, "store" | "electorate"> & { readonly close: () => Promise<void> };

export const masterMain = (argv: readonly string[], env: DaemonEnvironment): Promise<number> =>
  runUntilSignal({
    spec: masterSpec,
    argv,
    env,
    start: async ({ values, texts }) => {
      const { log, path } = openLog("mesos-master", values.log_dir);
      const { close, ...coordination } = await coordinationOf(values, log);
      const daemon = await runMaster({
        ...addressesOf(values),
        ...coordination,
        port: values.port,
        advertisePort: values.advertise_port,
        cluster: values.cluster,
        logDir: values.log_dir,
        logFile: path,
        flags: texts,
        settings: settingsOf(values),
        log,
      });
      return { daemon, close };
    },
  });

async function coordinationOf(flags: Flags, log: (line: string) => void): Promise<Coordination> {
  if (flags.zk === undefined) {
    log("no --zk: this master leads alone");
    const store = await JournalStore.open({ folder: join(flags.work_dir, "registry") });
    return { store, electorate: soleMaster, close: () => store.close() };
  }
  const { servers, path, auth } = zookeeperAddressOf("zk", flags.zk);
  const client = ZooKeeperClient.open({ servers, auth, sessionTimeoutMs: flags.zk_session_timeout, log });
  const electorate = zookeeperElectorate({ client, path, log });
  const root = path === "/" ? "/registry" : `${path}/registry`;
  const store = new ZooKeeperStore({ client, root, guard: () => electorate.ownPath() });
  return { store, electorate, close: () => client.close() };
}

const settingsOf = (flags: Flags): Partial<MasterSettings> => ({
  agentPingTimeoutMs: flags.agent_ping_timeout,
  maxAgentPingTimeouts: flags.max_agent_ping_timeouts,
  agentReregisterTimeoutMs: flags.agent_reregister_timeout,
  offerTimeoutMs: flags.offer_timeout,
  maxCompletedFrameworks: flags.max_completed_frameworks,
  maxCompletedTasksPerFramework: flags.max_completed_tasks_per_framework,
  maxLostAgents: flags.registry_max_agent_count,
  lostAgentMemoryMs: flags.registry_max_agent_age,
  roleWeights: weightsOf(flags.weights ?? ""),
});

function weightsOf(text: string): Record<string, number> {
  const weights: Record<string, number> = {};
  for (const part of text.split(",").filter((piece) => piece.trim() !== "")) {
    const [, role, weight] = /^\s*([^=\s]+)\s*=\s*(\d+(?:\.\d+)?)\s*$/.exec(part) ?? [];
    if (role === undefined || Number(weight) === 0)
      throw new ProvisionError({
        code: "bad-flag",
        action: 'read flag "weights"',
        state: `"${part}" is no weight of a role`,
        fix: "write it like --weights=role=2,other=0.5",
      });
    weights[role] = Number(weight);
  }
  return weights;
}

/** `mesos-slave`, as a process. */

import { z } from "zod";
import { ProvisionError } from "../../../base/errors.ts";
import type { FlagValues } from "../../daemon-configuration.ts";
import { ZooKeeperClient } from "../../zookeeper/zookeeper-client.ts";
import { addressesOf } from "../daemon/addresses.ts";
import { fixedLeader, type LeaderSource, type Log } from "../daemon/coordination.ts";
import {
  type DaemonEnvironment,
  fixedMasterInfo,
  openLog,
  runUntilSignal,
  zookeeperAddressOf,
} from "../daemon/run-until-signal.ts";
import { zookeeperLeaders } from "../daemon/zookeeper-coordination.ts";
import { type agentFlags, agentSpec } from "./flags.ts";
import { type AgentOptions, runAgent } from "./run-agent.ts";

type Flags = FlagValues<typeof agentFlags>;

export const agentMain = (argv: readonly string[], env: DaemonEnvironment): Promise<number> =>
  runUntilSignal({
    spec: agentSpec,
    argv,
    env,
    start: async ({ values, texts }) => {
      const { log, path } = openLog("mesos-slave", values.log_dir);
      const { leaders, close } = leadersOf(values, log);
      const daemon = await runAgent({ ...optionsOf(values), flags: texts, logFile: path, leaders, log });
      return { daemon, close };
    },
  });

function leadersOf(
  flags: Flags,
  log: Log,
): { readonly leaders: LeaderSource; readonly close: () => Promise<void> } {
  if (flags.master === undefined)
    throw new ProvisionError({
      code: "bad-flag",
      action: "start mesos-slave",
      state: "it is not said where the masters are",
      fix: "--master=zk://host1:2181,host2:2181/mesos, or the same in /etc/mesos/zk",
    });
  if (!flags.master.includes("/")) {
    return { leaders: fixedLeader(fixedMasterInfo(flags.master)), close: () => Promise.resolve() };
  }
  const { servers, path, auth } = zookeeperAddressOf("master", flags.master);
  const client = ZooKeeperClient.open({ servers, auth, sessionTimeoutMs: flags.zk_session_timeout, log });
  return { leaders: zookeeperLeaders({ client, path, log }), close: () => client.close() };
}

function optionsOf(flags: Flags): Omit<AgentOptions, "leaders" | "log"> {
  return {
    ...addressesOf(flags),
    port: flags.port,
    advertisePort: flags.advertise_port,
    workDir: flags.work_dir,
    logDir: flags.log_dir,
    resources: flags.resources,
    attributes: flags.attributes,
    reconfigurationPolicy: oneOf("reconfiguration_policy", flags.reconfiguration_policy, [
      "equal",
      "additive",
    ]),
    containerizers: listOf("containerizers", flags.containerizers, ["mesos", "docker"]),
    docker: {
      docker: flags.docker,
      removeDelayMs: flags.docker_remove_delay,
      pullTimeoutMs: flags.docker_pull_timeout,
    },
    cgroups: flags.isolation.includes("cgroups/")
      ? { hierarchy: flags.cgroups_hierarchy, root: flags.cgroups_root, cfsQuota: flags.cgroups_enable_cfs }
      : undefined,
    switchUser: flags.switch_user,
    frameworksHome: flags.frameworks_home,
    executorEnvironment: environmentOf(flags.executor_environment_variables),
    fetchStallTimeoutMs: flags.fetcher_stall_timeout,
    gcDelayMs: flags.gc_delay,
    gcDiskHeadroom: flags.gc_disk_headroom,
    registrationBackoffMs: flags.registration_backoff_factor,
    settings: { killGraceMs: flags.executor_shutdown_grace_period },
  };
}

function oneOf<const Choice extends string>(flag: string, value: string, choices: readonly Choice[]): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new ProvisionError({
    code: "bad-flag",
    action: `read flag "${flag}"`,
    state: `"${value}" is none of ${choices.join(", ")}`,
    fix: `write it like --${flag}=${choices[0] ?? ""}`,
  });
}

const listOf = <const Choice extends string>(
  flag: string,
  value: string,
  choices: readonly Choice[],
): Choice[] =>
  value
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "")
    .map((word) => oneOf(flag, word, choices));

const environmentSchema = z.record(z.string(), z.coerce.string());

function environmentOf(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return undefined;
  try {
    return environmentSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new ProvisionError({
      code: "bad-flag",
      action: 'read flag "executor_environment_variables"',
      state: "it is no JSON object of strings",
      fix: `write it like --executor_environment_variables={"LANG":"C.UTF-8"}`,
      cause,
    });
  }
}

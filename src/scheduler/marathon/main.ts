/** `marathon`, as a process: flags in, a running Marathon, an orderly end on SIGTERM. */
import { existsSync, readFileSync } from "node:fs";
import { hostname as osHostname } from "node:os";
import { ProvisionError } from "../../base/errors.ts";
import { daemonHelp, type FlagValues, readDaemonConfiguration } from "../daemon-configuration.ts";
import type { Store } from "../store.ts";
import {
  BadZooKeeperAddress,
  parseZooKeeperAddress,
  type ZooKeeperAddress,
} from "../zookeeper/connect-string.ts";
import { ZooKeeperStore } from "../zookeeper/zookeeper-store.ts";
import { fixedMaster, masterInZooKeeper } from "./detector.ts";
import type { MasterDetector } from "./driver/scheduler-driver.ts";
import { type marathonFlags, marathonSpec } from "./flags.ts";
import { type ZooKeeperLeadership, zookeeperLeadership } from "./leadership.ts";
import { type MarathonOptions, marathonVersion, type RunningMarathon, runMarathon } from "./marathon.ts";

type Flags = FlagValues<typeof marathonFlags>;

/** What a process that gave up its leadership exits with: its service manager starts it again. */
const abdicatedExitCode = 0;

export async function marathonMain(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const etc = env.PROVISION_ETC ?? "/etc";
  const { values, texts, warnings, wantsHelp, wantsVersion } = readDaemonConfiguration(marathonSpec, {
    argv,
    env,
    etc,
  });
  if (wantsHelp) process.stdout.write(daemonHelp(marathonSpec));
  if (wantsVersion) process.stdout.write(`marathon ${marathonVersion}\n`);
  if (wantsHelp || wantsVersion) return 0;
  for (const warning of warnings) log(warning);
  return await serve(values, texts);
}

const log = (line: string): void => {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`);
};

async function serve(flags: Flags, texts: Readonly<Record<string, string>>): Promise<number> {
  const ended = Promise.withResolvers<number>();
  // All that may be refused comes before anything is opened.
  const address = zookeeperOf("zk", flags.zk);
  const options = optionsOf(flags, texts);
  const detector = detectorOf(flags.master);
  let zookeeper: ZooKeeperLeadership | undefined;
  const lazyStore = (): ZooKeeperLeadership => {
    if (zookeeper === undefined) throw new Error("the store is used before the election");
    return zookeeper;
  };
  const marathon = await runMarathon({
    ...options,
    detector,
    leadership: (self) => {
      zookeeper = zookeeperLeadership({ address, self, sessionTimeoutMs: flags.zk_session_timeout, log });
      return zookeeper.leadership;
    },
    store: storeOf(lazyStore),
    log,
    onAbdicated: () => ended.resolve(abdicatedExitCode),
  }).catch(async (error: unknown) => {
    // What stays open would keep the process from ending, and its service manager from starting it again.
    detector.close();
    await zookeeper?.close();
    throw error;
  });
  const stop = (signal: NodeJS.Signals): void => {
    log(`stopping: ${signal}`);
    ended.resolve(0);
  };
  process.once("SIGTERM", stop).once("SIGINT", stop);
  const code = await ended.promise;
  await shutDown(marathon, detector, zookeeper);
  return code;
}

const shutdownTimeoutMs = 5_000;

async function shutDown(
  marathon: RunningMarathon,
  detector: MasterDetector,
  zookeeper: ZooKeeperLeadership | undefined,
): Promise<void> {
  const orderly = (async () => {
    await marathon.stop();
    detector.close();
    await zookeeper?.close();
  })();
  // A ZooKeeper that is away must not hold up the end; its session ends by itself.
  await Promise.race([orderly, new Promise((resolve) => setTimeout(resolve, shutdownTimeoutMs).unref())]);
}

/** The store stands on the election's session, which begins once the address is known. */
function storeOf(zookeeper: () => ZooKeeperLeadership): Store {
  let store: ZooKeeperStore | undefined;
  const made = (): ZooKeeperStore => {
    const { client, ownPath } = zookeeper();
    store ??= new ZooKeeperStore({ client, root: "/state", guard: ownPath });
    return store;
  };
  return {
    get: (key) => made().get(key),
    list: (key) => made().list(key),
    commit: (operations) => made().commit(operations),
  };
}

type FlagOptions = Omit<MarathonOptions, "detector" | "leadership" | "store" | "log">;

function optionsOf(flags: Flags, texts: Readonly<Record<string, string>>): FlagOptions {
  const hostname = flags.hostname ?? osHostname();
  const principal = flags.mesos_authentication_principal;
  return {
    bindIp: flags.http_address,
    port: flags.http_port,
    hostname,
    framework: {
      user: flags.mesos_user,
      name: flags.framework_name,
      role: flags.mesos_role,
      failover_timeout: flags.failover_timeout,
      checkpoint: flags.checkpoint,
      capabilities: [{ type: "PARTITION_AWARE" }, { type: "TASK_KILLING_STATE" }],
      ...(principal === undefined ? {} : { principal }),
    },
    mesosCredentials: mesosCredentialsOf(flags),
    httpCredentials: credentialsOf(flags.http_credentials),
    settings: {
      declineMs: flags.decline_offer_duration,
      launchTimeoutMs: flags.task_launch_timeout,
      reconcileIntervalMs: flags.reconciliation_interval,
      drainMs: flags.drain_time,
      maxRunningDeployments: flags.max_running_deployments,
      maxVersions: flags.zk_max_versions,
      servicePortMin: flags.local_port_min,
      servicePortMax: flags.local_port_max,
      role: flags.mesos_role,
    },
    info: {
      marathonConfig: shown(texts),
      zookeeperConfig: { zk: shown(texts).zk ?? "", zk_session_timeout: flags.zk_session_timeout },
      httpConfig: { http_port: flags.http_port },
      acceptsCallbacks: flags.event_subscriber === "http_callback",
    },
  };
}

/** Flags without what must not be read by others. */
const shown = (texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(texts)
      .filter(([name]) => !name.includes("credential") && !name.includes("secret"))
      .map(([name, text]) => [name, text.replace(/\/\/[^@/]*@/, "//")]),
  );

function mesosCredentialsOf(flags: Flags): string | undefined {
  const { mesos_authentication_principal: principal, mesos_authentication_secret_file: file } = flags;
  if (principal === undefined || file === undefined) return undefined;
  if (!existsSync(file)) {
    throw new ProvisionError({
      code: "missing-file",
      action: "read the secret of mesos_authentication_secret_file",
      state: `the file "${file}" is not there`,
    });
  }
  return `${principal}:${readFileSync(file, "utf8").trim()}`;
}

function credentialsOf(text: string | undefined) {
  const colon = text?.indexOf(":") ?? -1;
  if (text === undefined || colon < 0) return undefined;
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

const defaultMesosPort = 5050;

function detectorOf(master: string): MasterDetector {
  if (master.startsWith("zk://")) return masterInZooKeeper(zookeeperOf("master", master), log);
  const url = URL.parse(master.includes("://") ? master : `http://${master}`);
  if (url === null || url.hostname === "") {
    throw new ProvisionError({
      code: "bad-flag",
      action: 'read flag "master" of marathon',
      state: `"${master}" is no address`,
      why: "zk://host:port,…/path, or host:port of a master",
    });
  }
  return fixedMaster({ host: url.hostname, port: url.port === "" ? defaultMesosPort : Number(url.port) });
}

function zookeeperOf(flag: string, text: string): ZooKeeperAddress {
  try {
    return parseZooKeeperAddress(text);
  } catch (cause) {
    if (!(cause instanceof BadZooKeeperAddress)) throw cause;
    throw new ProvisionError({
      code: "bad-flag",
      action: `read flag "${flag}" of marathon`,
      state: cause.message,
      why: "it is written zk://host:port,…/path",
    });
  }
}

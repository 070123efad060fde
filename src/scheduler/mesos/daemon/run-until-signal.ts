/** What the mains of master and agent share: flags in, a daemon running, an orderly end on SIGTERM or SIGINT. */
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { ProvisionError } from "../../../base/errors.ts";
import {
  type DaemonSpec,
  daemonHelp,
  type FlagSet,
  type FlagValues,
  readDaemonConfiguration,
} from "../../daemon-configuration.ts";
import {
  BadZooKeeperAddress,
  parseZooKeeperAddress,
  type ZooKeeperAddress,
} from "../../zookeeper/connect-string.ts";
import { type MasterInfo, mesosVersion } from "../protocol/master-info.ts";
import type { Log, RunningDaemon } from "./coordination.ts";

export type DaemonEnvironment = Readonly<Record<string, string | undefined>>;

export interface Configured<Flags extends FlagSet> {
  readonly values: FlagValues<Flags>;
  readonly texts: Readonly<Record<string, string>>;
}

export interface DaemonMain<Flags extends FlagSet> {
  readonly spec: DaemonSpec<Flags>;
  readonly argv: readonly string[];
  readonly env: DaemonEnvironment;
  /** Starts it; what it opened besides is closed by `close`, after the daemon. */
  readonly start: (
    configured: Configured<Flags>,
  ) => Promise<{ readonly daemon: RunningDaemon; readonly close: () => Promise<void> }>;
}

/** Resolves with the exit code. */
export async function runUntilSignal<Flags extends FlagSet>({
  spec,
  argv,
  env,
  start,
}: DaemonMain<Flags>): Promise<number> {
  const found = readDaemonConfiguration(spec, { argv, env, etc: env.PROVISION_ETC ?? "/etc" });
  if (found.wantsHelp) process.stdout.write(daemonHelp(spec));
  else if (found.wantsVersion)
    process.stdout.write(`${spec.name.replace("-", " ")} ${mesosVersion} (provision)\n`);
  if (found.wantsHelp || found.wantsVersion) return 0;
  for (const warning of found.warnings) logToStderr(warning);
  const signalled = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  const { daemon, close } = await start(found);
  await signalled;
  logToStderr(`${spec.name} stops`);
  await daemon.stop();
  await close();
  return 0;
}

const stamped = (line: string): string => `${new Date().toISOString()} ${line}\n`;
const logToStderr: Log = (line) => void process.stderr.write(stamped(line));

export interface LogFile {
  readonly log: Log;
  readonly path: string | undefined;
}

const maxLogBytes = 64 * 1024 * 1024;
/** The file's size is looked at once in so many lines. */
const linesBetweenLooks = 1000;

/** To stderr, and below `logDir` to `<name>.INFO`, of which one older part is kept. */
export function openLog(name: string, logDir: string | undefined): LogFile {
  if (logDir === undefined) return { log: logToStderr, path: undefined };
  mkdirSync(logDir, { recursive: true });
  const path = join(logDir, `${name}.INFO`);
  let lines = 0;
  const log: Log = (line) => {
    logToStderr(line);
    try {
      if (lines++ % linesBetweenLooks === 0 && existsSync(path) && statSync(path).size > maxLogBytes)
        renameSync(path, `${path}.1`);
      appendFileSync(path, stamped(line));
    } catch (error) {
      logToStderr(`the log file cannot be written: ${String(error)}`);
    }
  };
  return { log, path };
}

export function zookeeperAddressOf(flag: string, text: string): ZooKeeperAddress {
  try {
    return parseZooKeeperAddress(text);
  } catch (error) {
    if (!(error instanceof BadZooKeeperAddress)) throw error;
    throw new ProvisionError({
      code: "bad-flag",
      action: `read flag "${flag}"`,
      state: error.message,
      fix: `write it like --${flag}=zk://host1:2181,host2:2181/mesos`,
    });
  }
}

/** `host:port` of a master that is not found through ZooKeeper. */
export function fixedMasterInfo(text: string): MasterInfo {
  const [, host, port] = /^(?:\w+@)?([^\s:/]+)(?::(\d+))?$/.exec(text.trim()) ?? [];
  if (host === undefined)
    throw new ProvisionError({
      code: "bad-flag",
      action: 'read flag "master"',
      state: `"${text}" is no address of a master`,
      fix: "write it like --master=zk://host1:2181,host2:2181/mesos or --master=host:5050",
    });
  const number = Number(port ?? 5050);
  return {
    id: text,
    ip: 0,
    port: number,
    hostname: host,
    address: { hostname: host, ip: host, port: number },
  };
}

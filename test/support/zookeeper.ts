/**
 * A real ZooKeeper for tests: ensembles of one or more servers on loopback ports with directories of their own, from
 * the distribution's package. Servers can be killed, paused and started again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { dieWithUs } from "./die-with-us.ts";

const classPath = "/etc/zookeeper/conf:/usr/share/java/zookeeper.jar";

/** Why no ensemble can be started here, or undefined if one can. For `describe.skipIf`. */
export const whyNoZooKeeper = existsSync("/usr/share/java/zookeeper.jar")
  ? undefined
  : "the package zookeeper is not installed";

interface ZooKeeperTestServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP: the server keeps its connections and says nothing. */
  pause(): void;
  resume(): void;
  /** Starts a killed server again with its old state; resolves when it serves. */
  start(): Promise<void>;
  /** Forgets a killed server's state. */
  wipe(): Promise<void>;
  readonly isRunning: boolean;
}

export interface ZooKeeperEnsemble {
  readonly servers: readonly ZooKeeperTestServer[];
  /** `127.0.0.1:p1,127.0.0.1:p2` */
  readonly connectString: string;
  /** Which of the running servers leads the ensemble; waits until one does. */
  leader(): Promise<ZooKeeperTestServer>;
  /** Resolves when all running servers serve. */
  ready(): Promise<void>;
  stop(): Promise<void>;
}

interface EnsembleOptions {
  readonly size?: 1 | 3 | 5;
  /** Sessions may be 2 to 20 ticks long. */
  readonly tickMs?: number;
}

const startTimeoutMs = 60_000;

export async function startZooKeeper({
  size = 1,
  tickMs = 200,
}: EnsembleOptions = {}): Promise<ZooKeeperEnsemble> {
  const dir = await mkdtemp(join(tmpdir(), "provision-zk-"));
  const ports = await freePorts(size * 3);
  const port = (index: number): number => ports[index] ?? 0;
  const peers = Array.from({ length: size }, (_, index) => {
    return `server.${index + 1}=127.0.0.1:${port(size + 2 * index)}:${port(size + 2 * index + 1)}`;
  });
  const servers = await Promise.all(
    Array.from({ length: size }, (_, index) =>
      prepareServer({ dir: join(dir, String(index + 1)), id: index + 1, port: port(index), tickMs, peers }),
    ),
  );
  const running = (): ZooKeeperTestServer[] => servers.filter(({ isRunning }) => isRunning);
  const ensemble: ZooKeeperEnsemble = {
    servers,
    connectString: servers.map((server) => `127.0.0.1:${server.port}`).join(","),
    leader: async () => {
      const role = size === 1 ? "standalone" : "leader";
      return await waitUntil(`a ${role}`, async () => {
        for (const server of running()) if ((await roleOf(server.port)) === role) return server;
        return undefined;
      });
    },
    ready: async () => {
      await Promise.all(running().map(({ port: each }) => waitUntilServing(each)));
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.kill()));
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  try {
    await Promise.all(servers.map((server) => server.start()));
    return ensemble;
  } catch (error) {
    await ensemble.stop();
    throw error;
  }
}

interface ServerPlan {
  readonly dir: string;
  readonly id: number;
  readonly port: number;
  readonly tickMs: number;
  readonly peers: readonly string[];
}

async function prepareServer({ dir, id, port, tickMs, peers }: ServerPlan): Promise<ZooKeeperTestServer> {
  await mkdir(join(dir, "data"), { recursive: true });
  await writeFile(join(dir, "data", "myid"), `${id}\n`);
  const settings = [
    `tickTime=${tickMs}`,
    `dataDir=${join(dir, "data")}`,
    `clientPort=${port}`,
    "clientPortAddress=127.0.0.1",
    "initLimit=50",
    "syncLimit=10",
    "maxClientCnxns=0",
    "admin.enableServer=false",
    "forceSync=no",
    "4lw.commands.whitelist=*",
    ...(peers.length > 1 ? peers : []),
  ];
  await writeFile(join(dir, "zoo.cfg"), `${settings.join("\n")}\n`);
  let child: ChildProcess | undefined;
  const isRunning = (): boolean =>
    child !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    host: "127.0.0.1",
    port,
    get isRunning() {
      return isRunning();
    },
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    kill: async () => {
      const killed = child;
      if (killed === undefined || !isRunning()) return;
      const exited = new Promise((resolve) => killed.once("exit", resolve));
      killed.kill("SIGKILL");
      await exited;
    },
    wipe: () => rm(join(dir, "data", "version-2"), { recursive: true, force: true }),
    start: async () => {
      if (!isRunning()) child = launch(dir);
      await waitUntilServing(port, async () => {
        if (isRunning()) return;
        throw new Error(
          `ZooKeeper ${id} ended:\n${(await readFile(join(dir, "log"), "utf8")).slice(-2_000)}`,
        );
      });
    },
  };
}

function launch(dir: string): ChildProcess {
  const options = ["-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"];
  const properties = [
    "-Dzookeeper.log.dir=.",
    "-Dzookeeper.root.logger=WARN,CONSOLE",
    "-Dzookeeper.jmx.log4j.disable=true",
  ];
  const main = ["org.apache.zookeeper.server.quorum.QuorumPeerMain", join(dir, "zoo.cfg")];
  const log = `exec java "$@" >${join(dir, "log")} 2>&1`;
  const child = spawn("sh", ["-c", log, "java", ...options, ...properties, "-cp", classPath, ...main], {
    stdio: "ignore",
  });
  dieWithUs(child);
  return child;
}

const waitUntilServing = (
  port: number,
  check: () => Promise<void> = async () => undefined,
): Promise<string> =>
  waitUntil(`ZooKeeper on port ${port}`, async () => {
    await check();
    return await roleOf(port);
  });

/** `leader`, `follower` or `standalone`; undefined while it does not serve. */
async function roleOf(port: number): Promise<string | undefined> {
  const answer = await fourLetterWord(port, "srvr").catch(() => "");
  return /^Mode: (\w+)/m.exec(answer)?.[1];
}

function fourLetterWord(port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(word));
    let answer = "";
    socket.setTimeout(1_000, () => socket.destroy(new Error("silent")));
    socket.on("data", (chunk) => {
      answer += chunk.toString();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
  });
}

async function waitUntil<T>(what: string, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    const found = await probe();
    if (found !== undefined) return found;
    await pause(50);
  }
  throw new Error(`${what} did not come within ${startTimeoutMs} ms`);
}

/** Ports that nobody uses, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Who leads among several Marathons: an election in ZooKeeper, or nobody else to ask. */
import type { ZooKeeperAddress } from "../zookeeper/connect-string.ts";
import { LeaderDetector } from "../zookeeper/leader-detector.ts";
import { LeaderElection } from "../zookeeper/leader-election.ts";
import { ZooKeeperClient } from "../zookeeper/zookeeper-client.ts";

export interface LeadershipWatcher {
  elected(): void;
  deposed(why: string): void;
}

export interface Leadership {
  /** Stands for election until `withdraw`. */
  stand(watcher: LeadershipWatcher): void;
  /** By our own clock, right now. */
  isLeader(): boolean;
  /** host:port */
  leader(): string | undefined;
  /** Gives the office up and stands again later. */
  stepDown(): Promise<void>;
  withdraw(): Promise<void>;
}

/** For one Marathon without ZooKeeper. */
export function soleLeadership(self: string): Leadership {
  let leads = false;
  let watcher: LeadershipWatcher | undefined;
  const elect = (): void => {
    leads = true;
    watcher?.elected();
  };
  const depose = (why: string): void => {
    if (!leads) return;
    leads = false;
    watcher?.deposed(why);
  };
  return {
    stand: (given) => {
      watcher = given;
      queueMicrotask(elect);
    },
    isLeader: () => leads,
    leader: () => (leads ? self : undefined),
    stepDown: () => {
      depose("stepped down");
      setTimeout(() => watcher !== undefined && elect(), restandMs);
      return Promise.resolve();
    },
    withdraw: () => {
      depose("withdrawn");
      watcher = undefined;
      return Promise.resolve();
    },
  };
}

/** After stepping down others get this long to be elected. */
const restandMs = 1_000;
const memberPrefix = "member_";

export interface ZooKeeperLeadershipOptions {
  readonly address: ZooKeeperAddress;
  readonly sessionTimeoutMs: number;
  readonly self: string;
  readonly log: (line: string) => void;
}

export interface ZooKeeperLeadership {
  readonly leadership: Leadership;
  readonly client: ZooKeeperClient;
  /** Our node while we stand: what the store checks with each commit. */
  ownPath(): string | undefined;
  close(): Promise<void>;
}

/** Members stand under <path>/leader, each node holding its host:port. */
export function zookeeperLeadership(options: ZooKeeperLeadershipOptions): ZooKeeperLeadership {
  const { address, self, log } = options;
  const client = ZooKeeperClient.open({
    servers: address.servers,
    chroot: address.path,
    sessionTimeoutMs: options.sessionTimeoutMs,
    ...(address.auth === undefined ? {} : { auth: address.auth }),
    log,
  });
  const path = "/leader";
  const detector = new LeaderDetector({ client, path, prefix: memberPrefix, log, onChange: () => undefined });
  detector.start();
  let election: LeaderElection | undefined;
  let watcher: LeadershipWatcher | undefined;
  const stand = (): void => {
    if (watcher === undefined) return;
    const given = watcher;
    election = new LeaderElection({
      client,
      path,
      prefix: memberPrefix,
      content: self,
      isOwnPast: (content) => content.toString("utf8") === self,
      onElected: () => given.elected(),
      onLost: (why) => given.deposed(why),
      log,
    });
    election.start();
  };
  const leadership: Leadership = {
    stand: (given) => {
      watcher = given;
      stand();
    },
    isLeader: () => election?.isLeader() === true,
    leader: () => detector.leader?.content.toString("utf8"),
    stepDown: async () => {
      await election?.resign("stepped down");
      setTimeout(stand, restandMs);
    },
    withdraw: async () => {
      watcher = undefined;
      await election?.resign("withdrawn");
    },
  };
  return {
    leadership,
    client,
    ownPath: () => election?.ownPath,
    close: async () => {
      detector.stop();
      await client.close();
    },
  };
}

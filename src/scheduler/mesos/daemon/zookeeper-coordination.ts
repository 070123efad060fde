/** Coordination in ZooKeeper: masters' nodes `json.info_NNNNNNNNNN` in the folder that `zk://hosts/path` names. */
import { LeaderDetector } from "../../zookeeper/leader-detector.ts";
import { LeaderElection } from "../../zookeeper/leader-election.ts";
import type { ZooKeeperClient } from "../../zookeeper/zookeeper-client.ts";
import { decodeMasterInfo, encodeMasterInfo, type MasterInfo } from "../protocol/master-info.ts";
import { WireError } from "../protocol/wire.ts";
import type { Electorate, LeaderSource, Log } from "./coordination.ts";

const masterNodePrefix = "json.info_";

export interface InZooKeeper {
  readonly client: ZooKeeperClient;
  /** The folder of the masters' nodes, below the client's chroot. */
  readonly path: string;
  readonly log: Log;
}

export interface ZooKeeperElectorate extends Electorate {
  /** The node by which we stand: what guards the registry's store. */
  ownPath(): string | undefined;
}

export function zookeeperElectorate(where: InZooKeeper): ZooKeeperElectorate {
  let standing: LeaderElection | undefined;
  return {
    ownPath: () => standing?.ownPath,
    stand(card, watcher) {
      const election = new LeaderElection({
        ...where,
        prefix: masterNodePrefix,
        content: encodeMasterInfo(card),
        isOwnPast: (content) => isSamePlace(readCard(content, where.log), card),
        onElected: () => watcher.elected(),
        onLost: (why) => watcher.deposed(why),
      });
      standing = election;
      const detector = detect(where, (leader) => watcher.leaderChanged(leader));
      detector.start();
      election.start();
      return {
        mayLead: () => election.isLeader(),
        withdraw: async () => {
          detector.stop();
          await election.resign();
        },
      };
    },
  };
}

export const zookeeperLeaders = (where: InZooKeeper): LeaderSource => ({
  watch(onLeader) {
    const detector = detect(where, onLeader);
    detector.start();
    return () => {
      detector.stop();
      return Promise.resolve();
    };
  },
});

const detect = (where: InZooKeeper, onLeader: (leader: MasterInfo | undefined) => void): LeaderDetector =>
  new LeaderDetector({
    ...where,
    prefix: masterNodePrefix,
    onChange: (leader) => onLeader(leader === undefined ? undefined : readCard(leader.content, where.log)),
  });

function readCard(content: Uint8Array, log: Log): MasterInfo | undefined {
  try {
    return decodeMasterInfo(content);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    log(`a master's node cannot be read: ${error.message}`);
    return undefined;
  }
}

/** Another card with our address is of a process that is gone: we hold its port. */
const isSamePlace = (other: MasterInfo | undefined, card: MasterInfo): boolean =>
  other !== undefined &&
  other.id !== card.id &&
  other.address?.ip === card.address?.ip &&
  other.address?.port === card.address?.port;

/**
 * What Mesos's master and agent share as daemons: standing for leadership and finding the leader, the endpoints that both
 * serve alike (/files, /flags, /version, /health, /metrics), log lines, the run until a signal.
 *
 * Belongs here: thin I/O without a decision of its own. Not here: what a master or an agent knows.
 */
import type { MasterInfo } from "../protocol/master-info.ts";

/** How a master becomes the leader: by an election in ZooKeeper, or at once when it is alone. */
export interface Electorate {
  /** Stands until `withdraw`. `watcher` is told of every change, in order; `elected` at most once, then `deposed`. */
  stand(card: MasterInfo, watcher: ElectionWatcher): Candidacy;
}
export interface ElectionWatcher {
  elected(): void;
  /** Leadership is over, or can no longer be sure: act at once. The candidacy is over with it. */
  deposed(why: string): void;
  leaderChanged(leader: MasterInfo | undefined): void;
}
export interface Candidacy {
  /** Whether it may lead right now, by its own clock: a process that was paused finds out before it acts. */
  mayLead(): boolean;
  withdraw(): Promise<void>;
}

/** How an agent finds the leading master. */
export interface LeaderSource {
  /** Calls back at once when known, and at every change. Ends by the returned function. */
  watch(onLeader: (leader: MasterInfo | undefined) => void): () => Promise<void>;
}

export interface RunningDaemon {
  readonly url: string;
  stop(): Promise<void>;
}

export type Log = (line: string) => void;

/** For one master without ZooKeeper: elected as soon as it stands. */
export const soleMaster: Electorate = {
  stand(card, watcher) {
    queueMicrotask(() => {
      watcher.leaderChanged(card);
      watcher.elected();
    });
    return { mayLead: () => true, withdraw: () => Promise.resolve() };
  },
};

/** For an agent that is told its master's address: `--master=host:port`. */
export const fixedLeader = (leader: MasterInfo): LeaderSource => ({
  watch(onLeader) {
    onLeader(leader);
    return () => Promise.resolve();
  },
});

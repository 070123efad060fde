import { setTimeout as pause } from "node:timers/promises";
import { type Clock, systemClock } from "../../base/clock.ts";
import { callListener } from "./call-listener.ts";
import { decideElection, leaderUntil, proofIntervalMs, sortContenders } from "./election-decision.ts";
import type { SessionEvent } from "./session.ts";
import type { ZooKeeperClient } from "./zookeeper-client.ts";
import { isUnavailable, isZooKeeperError } from "./zookeeper-error.ts";

export interface LeaderElectionOptions {
  readonly client: ZooKeeperClient;
  /** The folder of the contenders' nodes: "/" under a chroot, or "/leader". Made if it is missing. */
  readonly path: string;
  /** `json.info_`, `member_` */
  readonly prefix: string;
  /** What others read of the leader. */
  readonly content: Uint8Array | string;
  readonly clock?: Clock;
  /**
   * Whether a contender's content is of a process before this one, which must be dead as this one holds its port.
   * Such nodes are removed at once instead of being waited for until their session ends.
   */
  readonly isOwnPast?: (content: Buffer) => boolean;
  readonly onElected: () => void;
  /** Leadership is over: stop acting now. Called once for every onElected. */
  readonly onLost: (why: string) => void;
  readonly log?: (line: string) => void;
}

const retryMs = 500;
const resignTimeoutMs = 2_000;

/**
 * One contender. While it leads, it has its node's existence agreed to by a majority every sixth of the session time:
 * a server that is cut off from the others still answers pings, so an answered ping proves nothing. It leads from the moment that its node is the lowest until it resigns, its node or its session is
 * gone, or its own clock says that the servers may soon think so; whichever comes first.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #clock: Clock;
  #own: string | undefined;
  /** Nodes that are or may be ours and must go before we stand again. */
  readonly #stale = new Set<string>();
  #mayHaveOthers = true;
  #isStanding = false;
  #isLeading = false;
  /** When the newest proof that our node stands was asked for (monotonic). */
  #provenAt = Number.NEGATIVE_INFINITY;
  #working: Promise<void> | undefined;
  #isAskedAgain = false;
  #proofTimer: NodeJS.Timeout | undefined;
  #stepDownTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #unlisten: () => void = () => undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Stands for election, now and after every loss, until `resign`. */
  start(): void {
    if (this.#isStanding) return;
    this.#isStanding = true;
    this.#unlisten = this.#options.client.onSession((event) => this.#onSession(event));
    this.#evaluate();
  }

  /** Right now, by our own clock. Once false it stays so until the next onElected. */
  isLeader(): boolean {
    if (this.#isLeading && this.#clock.monotonic() >= this.#leaderUntil()) this.#stepDown(noAnswer);
    return this.#isLeading;
  }

  /** Our node's path while we stand: what a Store's guard checks. */
  get ownPath(): string | undefined {
    return this.#own === undefined ? undefined : this.#pathOf(this.#own);
  }

  /** Stops leading and standing, and removes our node, so that the next one leads at once. Takes not long in any case. */
  async resign(why = "resigned"): Promise<void> {
    this.#isStanding = false;
    clearTimeout(this.#retryTimer);
    this.#unlisten();
    this.#lose(why);
    await Promise.race([this.#clearAll(), pause(resignTimeoutMs, undefined, { ref: false })]);
  }

  /** What cannot be deleted now vanishes with the session. */
  async #clearAll(): Promise<void> {
    await this.#working;
    this.#disown();
    await Promise.all([...this.#stale].map((name) => this.#remove(name).catch(() => undefined)));
  }

  #leaderUntil(): number {
    return leaderUntil(this.#provenAt, this.#options.client.sessionTimeoutMs);
  }

  #onSession(event: SessionEvent): void {
    if (event.type === "expired" || event.type === "closed") {
      this.#own = undefined;
      this.#stale.clear();
      this.#lose(`the session with ZooKeeper has ended: ${event.why}`);
    }
    if (event.type === "connected") this.#evaluate();
  }

  #stepDown(why: string): void {
    this.#disown();
    this.#lose(why);
  }

  /** Our node may outlive our claim to lead; it must go before we stand again. */
  #disown(): void {
    if (this.#own !== undefined) this.#stale.add(this.#own);
    this.#own = undefined;
  }

  #lose(why: string): void {
    clearTimeout(this.#stepDownTimer);
    clearTimeout(this.#proofTimer);
    this.#provenAt = Number.NEGATIVE_INFINITY;
    if (!this.#isLeading) return;
    this.#isLeading = false;
    callListener(() => this.#options.onLost(why));
    this.#evaluate();
  }

  readonly #onWatch = (): void => this.#evaluate();

  /** Looks at the nodes and acts on them; one at a time, and once more if something happened meanwhile. */
  #evaluate(): void {
    if (this.#working !== undefined) {
      this.#isAskedAgain = true;
      return;
    }
    if (!this.#isStanding || !this.#options.client.isConnected) return;
    clearTimeout(this.#retryTimer);
    this.#working = this.#work().finally(() => {
      this.#working = undefined;
      if (!this.#isAskedAgain) return;
      this.#isAskedAgain = false;
      this.#evaluate();
    });
  }

  async #work(): Promise<void> {
    try {
      await this.#clearStale();
      if (this.#own === undefined && this.#isStanding) await this.#stand();
      await this.#look();
      // Resigned meanwhile, and nobody waited for the node that was just being made.
      if (!this.#isStanding) this.#disown();
      if (!this.#isStanding) await this.#clearStale();
    } catch (error) {
      if (isUnavailable(error)) this.#mayHaveOthers = true;
      if (!isUnavailable(error)) this.#options.log?.(`Election in ${this.#options.path}: ${String(error)}`);
      this.#retrySoon();
    }
  }

  #retrySoon(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#evaluate(), retryMs);
    this.#retryTimer.unref();
  }

  /** After a create whose answer was lost, a node of ours may be there without our knowing its name. */
  async #clearStale(): Promise<void> {
    if (this.#own !== undefined) return;
    if (this.#mayHaveOthers) await this.#findOthers();
    for (const name of [...this.#stale]) await this.#remove(name);
  }

  async #findOthers(): Promise<void> {
    const { client, path, prefix, isOwnPast } = this.#options;
    await client.createRecursive(path);
    const names = sortContenders(await client.getChildren(path), prefix);
    for (const name of names) {
      const found = await client.getData(this.#pathOf(name)).catch(ignoreNoNode);
      if (found === undefined) continue;
      const isOurs = found.stat.ephemeralOwner === client.sessionId;
      if (isOurs || isOwnPast?.(found.data) === true) this.#stale.add(name);
    }
    this.#mayHaveOthers = false;
  }

  async #remove(name: string): Promise<void> {
    await this.#options.client.delete(this.#pathOf(name)).catch(ignoreNoNode);
    this.#stale.delete(name);
  }

  async #stand(): Promise<void> {
    const { client, prefix, content } = this.#options;
    this.#mayHaveOthers = true;
    const session = client.sessionId;
    const created = await client.create(this.#pathOf(prefix), Buffer.from(content), {
      mode: "ephemeral-sequential",
    });
    this.#mayHaveOthers = false;
    if (client.sessionId === session) this.#own = created.slice(created.lastIndexOf("/") + 1);
  }

  async #look(): Promise<void> {
    const { client, path, prefix } = this.#options;
    const own = this.#own;
    const decision = decideElection(await client.getChildren(path), own, prefix);
    if (own === undefined || own !== this.#own || !this.#isStanding) {
      this.#isAskedAgain = this.#isStanding;
      return;
    }
    if (decision.role === "absent") {
      this.#own = undefined;
      this.#isAskedAgain = true;
      this.#lose("our node was removed");
      return;
    }
    const watched = decision.role === "leader" ? own : decision.predecessor;
    const stat = await client.exists(this.#pathOf(watched), { watch: this.#onWatch });
    if (stat === undefined) this.#isAskedAgain = true;
    else if (decision.role === "leader") await this.#lead(own);
  }

  async #lead(own: string): Promise<void> {
    if (this.#isLeading) return;
    await this.#prove(own);
    if (own !== this.#own || !this.#isStanding || this.#clock.monotonic() >= this.#leaderUntil()) {
      this.#isAskedAgain = true;
      return;
    }
    this.#isLeading = true;
    this.#guardTime();
    this.#proveLater(own);
    callListener(this.#options.onElected);
  }

  /** A multi is voted on even if it only checks; and nobody's watch fires by it. */
  async #prove(own: string): Promise<void> {
    const askedAt = this.#clock.monotonic();
    await this.#options.client.multi([{ op: "check", path: this.#pathOf(own) }]);
    if (own === this.#own) this.#provenAt = Math.max(this.#provenAt, askedAt);
  }

  #proveLater(own: string): void {
    const again = (): void => {
      if (this.#isLeading && own === this.#own) this.#proveLater(own);
    };
    this.#proofTimer = setTimeout(() => {
      // Without proof the step-down timer ends this term; a removed node is seen by the watch.
      void this.#prove(own).then(again, again);
    }, proofIntervalMs(this.#options.client.sessionTimeoutMs));
  }

  #guardTime(): void {
    const leftMs = this.#leaderUntil() - this.#clock.monotonic();
    this.#stepDownTimer = setTimeout(
      () => {
        if (this.isLeader()) this.#guardTime();
      },
      Math.max(1, leftMs),
    );
  }

  #pathOf(name: string): string {
    return this.#options.path === "/" ? `/${name}` : `${this.#options.path}/${name}`;
  }
}

const noAnswer = "ZooKeeper did not answer for two thirds of the session";

function ignoreNoNode(error: unknown): undefined {
  if (!isZooKeeperError(error, "NoNode")) throw error;
}

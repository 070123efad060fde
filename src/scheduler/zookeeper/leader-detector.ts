import { callListener } from "./call-listener.ts";
import { sortContenders } from "./election-decision.ts";
import type { ZooKeeperClient } from "./zookeeper-client.ts";
import { isUnavailable, isZooKeeperError } from "./zookeeper-error.ts";

export interface DetectedLeader {
  /** The node's name: another one means another term, even with the same content. */
  readonly name: string;
  readonly content: Buffer;
}

export interface LeaderDetectorOptions {
  readonly client: ZooKeeperClient;
  readonly path: string;
  readonly prefix: string;
  /** Called when it changes; undefined: nobody leads. The last known leader stands while ZooKeeper is away. */
  readonly onChange: (leader: DetectedLeader | undefined) => void;
  readonly log?: (line: string) => void;
}

const retryMs = 500;

/** Follows who leads an election that others stand in. */
export class LeaderDetector {
  readonly #options: LeaderDetectorOptions;
  #leader: DetectedLeader | undefined;
  #isRunning = false;
  #isWorking = false;
  #isAskedAgain = false;
  #retryTimer: NodeJS.Timeout | undefined;
  #unlisten: () => void = () => undefined;

  constructor(options: LeaderDetectorOptions) {
    this.#options = options;
  }

  get leader(): DetectedLeader | undefined {
    return this.#leader;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#unlisten = this.#options.client.onSession((event) => {
      if (event.type === "connected") this.#look();
    });
    this.#look();
  }

  stop(): void {
    this.#isRunning = false;
    clearTimeout(this.#retryTimer);
    this.#unlisten();
  }

  readonly #look = (): void => {
    if (this.#isWorking) {
      this.#isAskedAgain = true;
      return;
    }
    if (!this.#isRunning || !this.#options.client.isConnected) return;
    clearTimeout(this.#retryTimer);
    this.#isWorking = true;
    void this.#detect()
      .then((leader) => this.#found(leader))
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#isWorking = false;
        if (!this.#isAskedAgain) return;
        this.#isAskedAgain = false;
        this.#look();
      });
  };

  async #detect(): Promise<DetectedLeader | undefined> {
    const { client, path, prefix } = this.#options;
    const watch = this.#look;
    const names = await client.getChildren(path, { watch }).catch(async (error: unknown) => {
      if (!isZooKeeperError(error, "NoNode")) throw error;
      if ((await client.exists(path, { watch })) !== undefined) this.#isAskedAgain = true;
      return [];
    });
    const [name] = sortContenders(names, prefix);
    if (name === undefined) return undefined;
    const { data } = await client.getData(path === "/" ? `/${name}` : `${path}/${name}`, { watch });
    return { name, content: data };
  }

  #found(leader: DetectedLeader | undefined): void {
    if (!this.#isRunning || isSame(leader, this.#leader)) return;
    this.#leader = leader;
    callListener(() => this.#options.onChange(leader));
  }

  #failed(error: unknown): void {
    // Gone between being listed and being read: look again.
    if (isZooKeeperError(error, "NoNode")) this.#isAskedAgain = true;
    else if (!isUnavailable(error)) this.#options.log?.(`Leader of ${this.#options.path}: ${String(error)}`);
    if (!this.#isRunning) return;
    this.#retryTimer = setTimeout(this.#look, retryMs);
    this.#retryTimer.unref();
  }
}

const isSame = (left: DetectedLeader | undefined, right: DetectedLeader | undefined): boolean =>
  left?.name === right?.name &&
  (left === undefined || right === undefined || left.content.equals(right.content));

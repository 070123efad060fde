/**
 * The machines of a run: opened when first needed, paced so that no sshd drops a connection (MaxStartups), shared by
 * everything that names the same way to the same host, closed at the end.
 */
import pLimit, { type LimitFunction } from "p-limit";
import type { Clock } from "../../base/clock.ts";
import { ProvisionError } from "../../base/errors.ts";
import type { HostFacts } from "../host/facts.ts";
import type { ConnectionPlan, OpenSession } from "../transport/session.ts";
import { Epoch } from "./answer-store.ts";
import type { EngineEvent } from "./events.ts";
import { limits } from "./limits.ts";
import { Machine } from "./machine.ts";
import type { RunHost } from "./run-host.ts";

export interface MachinesOptions {
  readonly openSession: OpenSession;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly emit: (event: EngineEvent) => void;
  /** What is learnt of a machine with its first message. */
  readonly greet: (machine: Machine, host: RunHost) => Promise<Greeting>;
  readonly connectsAtOnce?: number;
}
export interface Greeting {
  readonly base: HostFacts["base"];
  /** Two names of one machine have the same. */
  readonly identity: string;
  readonly sharedMounts: readonly string[];
}

interface Entry {
  readonly machine: Machine;
  readonly host: RunHost;
  readonly plan: ConnectionPlan;
  greeted: Promise<void> | undefined;
}

export class Machines {
  readonly #options: MachinesOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #epochs = new Map<string, Epoch>();
  readonly #connects: LimitFunction;
  readonly #warned = new Set<string>();

  constructor(options: MachinesOptions) {
    this.#options = options;
    this.#connects = pLimit(options.connectsAtOnce ?? limits.connectsAtOnce);
  }

  /** The machine of a host by this way of reaching it: connected and greeted. */
  async connected(host: RunHost, plan: ConnectionPlan): Promise<Machine> {
    const key = keyOf(plan);
    const entry = this.#entries.get(key) ?? this.#enter(key, host, plan);
    entry.greeted ??= this.#greet(entry);
    try {
      await entry.greeted;
    } catch (error) {
      entry.greeted = undefined;
      throw error;
    }
    return entry.machine;
  }

  #enter(key: string, host: RunHost, plan: ConnectionPlan): Entry {
    const machine = new Machine({
      open: () => this.#open(plan),
      now: () => this.#options.clock.monotonic(),
      onSlowStep: () => this.expire(),
    });
    const entry: Entry = { machine, host, plan, greeted: undefined };
    this.#entries.set(key, entry);
    return entry;
  }

  #open(plan: ConnectionPlan): ReturnType<OpenSession> {
    const open = () => this.#options.openSession({ ...plan, warn: this.#warn }, this.#options.signal);
    return plan.connection === "ssh" ? this.#connects(open) : open();
  }

  /** Once, however often it is connected to. */
  readonly #warn = (message: string): void => {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#options.emit({ type: "warning", atMs: this.#options.clock.now(), message });
  };

  async #greet({ machine, host }: Entry): Promise<void> {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const emit = (state: "connecting" | "connected" | "failed", said: Said = {}): void => {
      this.#options.emit({
        type: "connect",
        atMs: clock.now(),
        host: host.name,
        state,
        elapsedMs: clock.monotonic() - startedAt,
        ...said,
      });
    };
    emit("connecting");
    try {
      const { base, identity, sharedMounts } = await this.#options.greet(machine, host);
      // What was asked of it meanwhile counts, unless it is known by another name already.
      const epoch = this.#epochs.get(identity) ?? (machine.isMet ? new Epoch() : machine.answers.machine);
      this.#epochs.set(identity, epoch);
      epoch.sharedMounts = sharedMounts;
      machine.meet({ base, epoch });
      emit("connected");
    } catch (error) {
      emit("failed", saidBy(error));
      throw error;
    }
  }

  /** meta: reset_connection */
  async reset(host: RunHost): Promise<void> {
    for (const entry of this.#of(host)) {
      await entry.machine.dropSession();
      entry.greeted = undefined;
    }
  }

  roundTripsOf(host: RunHost): number {
    return this.#of(host).reduce((sum, { machine }) => sum + machine.roundTrips, 0);
  }

  #of(host: RunHost): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.host === host);
  }

  /** R6: after a pause, a rolling wait, a slow step elsewhere. */
  expire(): void {
    const now = this.#options.clock.monotonic();
    for (const { machine } of this.#entries.values()) machine.answers.expire(now);
  }

  interrupt(): void {
    for (const { machine } of this.#entries.values()) machine.interrupt();
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#entries.values()].map(({ machine }) => machine.close()));
  }
}

type Said = Pick<Extract<EngineEvent, { type: "connect" }>, "message" | "error">;

export const saidBy = (error: unknown): Said => ({
  message: error instanceof Error ? error.message : String(error),
  ...(error instanceof ProvisionError ? { error } : {}),
});

const keyOf = ({ confirmHostKey: _asks, ...plan }: ConnectionPlan): string => JSON.stringify(plan);

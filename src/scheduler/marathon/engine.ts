/**
 * One leader's time in office: takes events in turn, decides, stores, and only then acts. Events that come while a
 * commit is under way are decided together and stored by one commit. When the store fails the engine ends: what it
 * holds in memory may be ahead of what is stored, and the next leader starts from the store.
 */
import type { Clock, Random } from "../../base/clock.ts";
import type { Store } from "../store.ts";
import type { Command, CommandResult } from "./core/command.ts";
import { type CoreEvent, type Decision, decide, decideTogether, type Reply } from "./core/decide.ts";
import type { Context, MarathonEvent, MesosCall } from "./core/draft.ts";
import type { MarathonState, Settings } from "./core/state.ts";
import { storageTimeout } from "./model/api-error.ts";
import { FencedStore } from "./storage/fenced-store.ts";
import { loadState, operationsOf } from "./storage/state-store.ts";

export interface EngineOptions {
  readonly store: Store;
  readonly holder: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  /** Told after the commit. */
  readonly onCalls: (calls: readonly MesosCall[]) => void;
  readonly onEvents: (events: readonly MarathonEvent[]) => void;
  /** The engine can go on no longer. */
  readonly onEnd: (cause: unknown) => void;
}

interface Waiting {
  readonly event: CoreEvent;
  readonly resolve?: (reply: Reply | undefined) => void;
  readonly reject?: (cause: unknown) => void;
}

/** How many events one commit may carry. */
const maxBatchedEvents = 256;
/** Beyond this the engine refuses commands: 503 is better than answers after minutes. */
const maxWaitingEvents = 50_000;

export class Engine {
  readonly #options: EngineOptions;
  readonly #store: FencedStore;
  readonly #waiting: Waiting[] = [];
  #state: MarathonState;
  #isRunning = false;
  #hasEnded = false;

  private constructor(options: EngineOptions, store: FencedStore, state: MarathonState) {
    this.#options = options;
    this.#store = store;
    this.#state = state;
  }

  static async start(options: EngineOptions): Promise<Engine> {
    const store = await FencedStore.take(options.store, options.holder);
    return new Engine(options, store, await loadState(options.store, options.settings));
  }

  /** As decided; it may be a few milliseconds ahead of what is stored. */
  get state(): MarathonState {
    return this.#state;
  }

  post(event: CoreEvent): void {
    if (this.#hasEnded) return;
    this.#waiting.push({ event });
    this.#kick();
  }

  /** Answers once the effect is stored. Throws ApiError. */
  async run(command: Command): Promise<CommandResult> {
    const reply = await new Promise<Reply | undefined>((resolve, reject) => {
      if (this.#hasEnded || this.#waiting.length >= maxWaitingEvents) {
        reject(storageTimeout());
        return;
      }
      this.#waiting.push({ event: { type: "command", command }, resolve, reject });
      this.#kick();
    });
    if (reply === undefined) throw new Error(`command ${command.kind} got no reply`);
    if (!reply.ok) throw reply.error;
    return reply.result;
  }

  end(cause?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const { reject } of this.#waiting.splice(0)) reject?.(storageTimeout());
    this.#options.onEnd(cause);
  }

  #kick(): void {
    if (this.#isRunning || this.#hasEnded) return;
    this.#isRunning = true;
    void this.#drain().finally(() => {
      this.#isRunning = false;
      if (this.#waiting.length > 0) this.#kick();
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#hasEnded) {
      const batch = this.#waiting.splice(0, maxBatchedEvents);
      try {
        await this.#handle(batch);
      } catch (cause) {
        for (const { reject } of batch) reject?.(storageTimeout());
        this.end(cause);
      }
    }
  }

  async #handle(batch: readonly Waiting[]): Promise<void> {
    const { clock, random } = this.#options;
    const decisions: Decision[] = [];
    const replies = new Map<Waiting, Reply | undefined>();
    for (const run of runsOf(batch)) {
      const decision = this.#decide(run, { now: clock.now(), random });
      this.#state = decision.state;
      decisions.push(decision);
      for (const waiting of run) replies.set(waiting, decision.reply);
    }
    const operations = operationsOf(decisions.flatMap(({ writes }) => writes));
    if (operations.length > 0) await this.#store.commit(operations);
    if (this.#hasEnded) throw new Error("the engine has ended");
    const calls = decisions.flatMap((decision) => decision.calls);
    if (calls.length > 0) this.#options.onCalls(calls);
    const events = decisions.flatMap((decision) => decision.events);
    if (events.length > 0) this.#options.onEvents(events);
    for (const [{ resolve }, reply] of replies) resolve?.(reply);
  }

  #decide(run: readonly Waiting[], context: Context): Decision {
    const [first] = run;
    if (first?.event.type === "command") return decide(this.#state, first.event, context);
    const quiet = run.flatMap(({ event }) => (event.type === "command" ? [] : [event]));
    return decideTogether(this.#state, quiet, context);
  }
}

/** Commands one by one, as each may be refused; what lies between them together. */
function runsOf(batch: readonly Waiting[]): readonly (readonly Waiting[])[] {
  const runs: Waiting[][] = [];
  for (const waiting of batch) {
    const last = runs.at(-1);
    const isQuiet = waiting.event.type !== "command";
    if (isQuiet && last !== undefined && last[0]?.event.type !== "command") last.push(waiting);
    else runs.push([waiting]);
  }
  return runs;
}

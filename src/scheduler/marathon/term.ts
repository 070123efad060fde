/** One time in office: the engine with all that works for it, from being elected until the end. */
import type { Clock, Random } from "../../base/clock.ts";
import type { FrameworkInfo } from "../mesos/protocol/framework.ts";
import type { Store } from "../store.ts";
import type { EventHub } from "./api/event-hub.ts";
import { coreEventsOf } from "./core/decide.ts";
import { tickMs } from "./core/handle-tick.ts";
import type { Settings } from "./core/state.ts";
import { type MasterDetector, SchedulerDriver } from "./driver/scheduler-driver.ts";
import { Engine } from "./engine.ts";
import { Prober } from "./health/prober.ts";

export interface TermOptions {
  readonly store: Store;
  readonly self: string;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly hub: EventHub;
  readonly detector: MasterDetector;
  readonly framework: Omit<FrameworkInfo, "id" | "webui_url" | "hostname">;
  readonly hostname: string;
  readonly mesosCredentials?: string | undefined;
  readonly log: (line: string) => void;
  /** It ended by itself, not by `end`. */
  readonly onEnd: (term: Term) => void;
}

export class Term {
  readonly #options: TermOptions;
  #engine: Engine | undefined;
  #driver: SchedulerDriver | undefined;
  #prober: Prober | undefined;
  #ticks: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(options: TermOptions) {
    this.#options = options;
  }

  /** undefined until the state is loaded, and after the end. */
  get engine(): Engine | undefined {
    return this.#hasEnded ? undefined : this.#engine;
  }

  async start(): Promise<void> {
    const { log, clock, random, settings, store, self, hub } = this.#options;
    try {
      const startedAt = clock.monotonic();
      const engine = await Engine.start({
        store,
        holder: `${self} ${clock.now()} ${Math.floor(random() * 1e9)}`,
        settings,
        clock,
        random,
        onCalls: (calls) => this.#driver?.send(calls),
        onEvents: (events) => {
          for (const event of events) hub.publish(event);
        },
        onEnd: (cause) => this.#onEngineEnd(cause),
      });
      if (this.#hasEnded) {
        engine.end();
        return;
      }
      const { apps, instances } = engine.state;
      const tasks = [...instances.values()].reduce((sum, each) => sum + each.size, 0);
      log(`loaded ${apps.size} apps, ${tasks} instances in ${Math.round(clock.monotonic() - startedAt)} ms`);
      this.#engine = engine;
      this.#drive(engine);
    } catch (cause) {
      this.#onEngineEnd(cause);
    }
  }

  #drive(engine: Engine): void {
    const { log, detector, framework, hostname, self, mesosCredentials, clock } = this.#options;
    this.#driver = new SchedulerDriver({
      detector,
      framework: { ...framework, hostname, webui_url: `http://${self}` },
      frameworkId: () => engine.state.frameworkId,
      credentials: mesosCredentials,
      onSubscribed: (frameworkId, { host, port }) => {
        log(`subscribed at ${host}:${port} as ${frameworkId}`);
        engine.post({ type: "subscribed", frameworkId, master: `${host}:${port}` });
      },
      onEvent: (event) => {
        for (const one of coreEventsOf(event)) engine.post(one);
      },
      onDisconnected: () => engine.post({ type: "disconnected" }),
      onError: (text) => {
        log(`the master refuses the framework: ${text}`);
        if (/has been removed/i.test(text)) engine.post({ type: "frameworkRemoved" });
      },
      log,
    });
    this.#prober = new Prober({
      state: () => this.engine?.state,
      onHealth: (result) => engine.post({ type: "health", result }),
      onReadiness: (result) => engine.post({ type: "readiness", result }),
      now: () => clock.now(),
    });
    this.#ticks = setInterval(() => engine.post({ type: "tick" }), tickMs);
    this.#driver.start();
    this.#prober.start();
  }

  #onEngineEnd(cause: unknown): void {
    if (this.#hasEnded) return;
    const isDefect = cause instanceof TypeError || cause instanceof RangeError;
    const text =
      cause instanceof Error ? ((isDefect ? cause.stack : undefined) ?? cause.message) : String(cause);
    this.#options.log(`the term ended: ${text}`);
    this.#stop();
    this.#options.onEnd(this);
  }

  end(why: string): void {
    if (this.#hasEnded) return;
    this.#stop();
    this.#engine?.end(new Error(why));
  }

  #stop(): void {
    this.#hasEnded = true;
    clearInterval(this.#ticks);
    this.#prober?.stop();
    this.#driver?.stop();
  }
}

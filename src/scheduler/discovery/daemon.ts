import { setTimeout as pause } from "node:timers/promises";
import { busyPorts } from "./busy-ports.ts";
import type { HaproxyOptions } from "./haproxy-view.ts";
import { type Installed, installConfig, readText } from "./install-config.ts";
import { MarathonSource, NoMarathon } from "./marathon-source.ts";
import { portsIn, type RenderedHaproxy, renderHaproxy, serversIn } from "./render-haproxy.ts";
import { runCommand } from "./run-command.ts";

export interface BridgeOptions {
  readonly marathons: readonly string[];
  readonly credentials?: string | undefined;
  /** /etc/haproxy/haproxy.cfg */
  readonly config: string;
  /** A Handlebars template's text instead of the built-in one. */
  readonly template?: string | undefined;
  readonly haproxy: Omit<HaproxyOptions, "isBusy" | "servedBefore">;
  readonly check?: readonly string[];
  readonly reload: readonly string[];
  readonly pollIntervalMs?: number;
  /** Events that come this close together make one change. */
  readonly quietMs?: number;
  readonly log: (line: string) => void;
}

const defaults = { pollIntervalMs: 30_000, quietMs: 50, check: ["haproxy", "-c", "-q", "-f"] };
/** However many events keep coming, a change waits no longer. */
const maxQuietMs = 1_000;
/** Between two reloads: while many apps change at once, one change in a while carries all of them. */
const reloadGapMs = 1_000;
const reconnectMs = 2_000;
/** What haproxy could not be reloaded with is tried again after this long: it may have been down just then. */
const retryReloadMs = 60_000;
const versionTimeoutMs = 5_000;

export type SyncOutcome = Installed | { readonly outcome: "away"; readonly why: string };

/** Keeps one haproxy.cfg in step with Marathon. */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #source: MarathonSource;
  #version: string | undefined;
  #told: readonly string[] = [];
  #refused: { readonly text: string; readonly at: number; readonly outcome: Installed } | undefined;

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#source = new MarathonSource(options);
  }

  get source(): MarathonSource {
    return this.#source;
  }

  /** What Marathon's answer makes now, changing nothing. Throws NoMarathon. */
  async render(): Promise<RenderedHaproxy> {
    const apps = await this.#source.apps();
    const current = (await readText(this.#options.config)) ?? "";
    const { haproxy, template } = this.#options;
    this.#version ??= await haproxyVersion();
    const options: HaproxyOptions = {
      ...haproxy,
      haproxyVersion: haproxy.haproxyVersion ?? this.#version,
      servedBefore: serversIn(current),
    };
    const first = renderHaproxy(apps, options, template);
    // What the running configuration has is haproxy's own.
    const known = portsIn(current);
    const busy = await busyPorts([...portsIn(first.text)].filter((port) => !known.has(port)));
    return busy.size === 0
      ? first
      : renderHaproxy(apps, { ...options, isBusy: (port) => busy.has(port) }, template);
  }

  /** One round. Marathon away or a configuration that haproxy refuses leave the file as it is. */
  async sync(): Promise<SyncOutcome> {
    let rendered: RenderedHaproxy;
    try {
      rendered = await this.render();
    } catch (error) {
      const isAway = error instanceof NoMarathon;
      const why = error instanceof Error ? error.message : String(error);
      this.#tell([
        isAway ? `no Marathon answers, the last configuration stays: ${why}` : `cannot render: ${why}`,
      ]);
      return { outcome: "away", why };
    }
    const outcome = await this.#install(rendered.text);
    const lines = outcome.outcome === "refused" ? [refusalLine(outcome)] : [];
    if (outcome.outcome === "replaced") this.#options.log(`"${this.#options.config}" replaced and reloaded`);
    this.#tell([...rendered.problems, ...lines]);
    return outcome;
  }

  async #install(text: string): Promise<Installed> {
    const refused = this.#refused;
    if (refused?.text === text) {
      const isFinal = refused.outcome.outcome === "refused" && refused.outcome.by === "check";
      if (isFinal || performance.now() - refused.at < retryReloadMs) return refused.outcome;
    }
    const { config, check = defaults.check, reload } = this.#options;
    const outcome = await installConfig(text, { config, check, reload });
    this.#refused = outcome.outcome === "refused" ? { text, at: performance.now(), outcome } : undefined;
    return outcome;
  }

  /** Each line once, until it has gone and come back. */
  #tell(lines: readonly string[]): void {
    for (const line of lines) if (!this.#told.includes(line)) this.#options.log(line);
    this.#told = lines;
  }
}

/** "2.6"; undefined if it cannot be asked: then a current one is supposed, and `haproxy -c` has the last word. */
async function haproxyVersion(): Promise<string | undefined> {
  const { output } = await runCommand(["haproxy", "-v"], versionTimeoutMs);
  return /version (\d+\.\d+)/.exec(output)?.[1];
}

const refusalLine = ({ by, output }: Extract<Installed, { outcome: "refused" }>): string =>
  by === "check"
    ? `haproxy refuses the new configuration, the last one stays:\n${output}`
    : `haproxy could not be reloaded, the last configuration is put back:\n${output}`;

export interface RunningBridge {
  /** Ends the stream and waits for a round under way. */
  stop(): Promise<void>;
  /** How many rounds were made. */
  readonly rounds: () => number;
}

/** Follows Marathon's events, and polls in case some were missed or nobody streams. */
export function runBridge(options: BridgeOptions): RunningBridge {
  const bridge = new Bridge(options);
  const stop = new AbortController();
  const bell = new Bell(options.quietMs ?? defaults.quietMs);
  let rounds = 0;
  const following = follow(bridge.source, bell, stop.signal, options.log);
  const syncing = (async () => {
    while (!stop.signal.aborted) {
      const done = await bridge
        .sync()
        .catch((error: unknown) => options.log(`a round failed: ${String(error)}`));
      rounds += 1;
      if (done?.outcome === "replaced") await sleep(reloadGapMs, stop.signal);
      await bell.wait(options.pollIntervalMs ?? defaults.pollIntervalMs, stop.signal);
    }
  })();
  return {
    rounds: () => rounds,
    stop: async () => {
      stop.abort();
      await Promise.all([following, syncing]);
    },
  };
}

/** Never rejects. After each reconnect a round is due: what happened meanwhile was not told. */
async function follow(
  source: MarathonSource,
  bell: Bell,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  let isTold = false;
  while (!signal.aborted) {
    try {
      const stream = await source.events(() => bell.ring(), signal);
      isTold = false;
      bell.ring();
      await stream.done;
    } catch (error) {
      // The rounds say that nobody answers; here it is news only that somebody does, without a stream.
      if (!isTold && !signal.aborted) log(`no event stream, polling goes on: ${String(error)}`);
      isTold = true;
    }
    await sleep(reconnectMs, signal);
  }
}

/** Wakes the rounds: when it has rung and then been quiet, or rung for too long, or nobody rang at all. */
class Bell {
  readonly #quietMs: number;
  #hasRung = false;
  #wake: () => void = () => undefined;

  constructor(quietMs: number) {
    this.#quietMs = quietMs;
  }

  ring(): void {
    this.#hasRung = true;
    this.#wake();
  }

  async wait(longestMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#hasRung) await this.#pause(longestMs, signal);
    const latest = performance.now() + maxQuietMs;
    while (this.#hasRung && !signal.aborted && performance.now() < latest) {
      this.#hasRung = false;
      await this.#pause(this.#quietMs, signal);
    }
    this.#hasRung = false;
  }

  /** Ends early when it rings. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await sleep(ms, AbortSignal.any([signal, woken.signal]));
    this.#wake = () => undefined;
  }
}

/** Ends early when the signal says so. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  pause(ms, undefined, { signal }).catch(() => undefined);

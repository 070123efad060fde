/**
 * Runs the checks that Marathon itself makes: HTTP, HTTPS and TCP health checks, and readiness checks. Looks at the
 * state once a turn, starts what is due, reports results as events. Decides nothing about what they mean.
 */
import type { HealthResult, ReadinessResult } from "../core/handle-checks.ts";
import { checksOf, launchedFrom } from "../core/readiness.ts";
import type { MarathonState } from "../core/state.ts";
import { type AppDefinition, type HealthCheck, portsOf, usesHostNetwork } from "../model/app.ts";
import { type Instance, isToLive } from "../model/instance.ts";
import { type Probe, probe as probeForReal } from "./probe.ts";

export interface ProberOptions {
  readonly state: () => MarathonState | undefined;
  readonly onHealth: (result: HealthResult) => void;
  readonly onReadiness: (result: ReadinessResult) => void;
  readonly now: () => number;
  readonly probe?: Probe;
}

const turnMs = 250;
const maxConcurrentProbes = 512;
const marathonProtocols: ReadonlySet<string> = new Set(["HTTP", "HTTPS", "TCP"]);

export class Prober {
  readonly #options: ProberOptions;
  readonly #probe: Probe;
  /** When each check is due next, by instance and check. */
  #due = new Map<string, number>();
  readonly #running = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProberOptions) {
    this.#options = options;
    this.#probe = options.probe ?? probeForReal;
  }

  start(): void {
    this.#timer = setInterval(() => this.turn(), turnMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  turn(): void {
    const state = this.#options.state();
    if (state === undefined) return;
    const seen = new Map<string, number>();
    for (const instances of state.instances.values()) {
      for (const instance of instances.values()) {
        if (instance.condition === "running" && isToLive(instance)) this.#look(state, instance, seen);
      }
    }
    this.#due = seen;
  }

  #look(state: MarathonState, instance: Instance, seen: Map<string, number>): void {
    const app = launchedFrom(state, instance);
    if (app === undefined) return;
    app.healthChecks.forEach((check, index) => {
      if (!marathonProtocols.has(check.protocol)) return;
      const key = `${instance.id} ${index}`;
      const firstMs = (instance.startedAt ?? 0) + Math.min(check.delaySeconds, 1) * 1000;
      const due = this.#due.get(key) ?? firstMs;
      seen.set(
        key,
        this.#startIfDue(key, due, check.intervalSeconds, () => this.#health(app, instance, index)),
      );
    });
    if (app.readinessChecks.length === 0 || checksOf(state, instance)?.readiness?.ready === true) return;
    const key = `${instance.id} readiness`;
    const interval = app.readinessChecks[0]?.intervalSeconds ?? 30;
    seen.set(
      key,
      this.#startIfDue(key, this.#due.get(key) ?? 0, interval, () => this.#readiness(app, instance)),
    );
  }

  /** When it is due after this look. */
  #startIfDue(key: string, due: number, intervalSeconds: number, work: () => Promise<void>): number {
    const now = this.#options.now();
    if (due > now || this.#running.has(key) || this.#running.size >= maxConcurrentProbes) return due;
    this.#running.add(key);
    void work().finally(() => this.#running.delete(key));
    return now + Math.max(0.1, intervalSeconds) * 1000;
  }

  async #health(app: AppDefinition, instance: Instance, index: number): Promise<void> {
    const check = app.healthChecks[index];
    if (check === undefined) return;
    const base = { appId: app.id, instanceId: instance.id, check: index };
    const target = targetOf(app, instance, check);
    if (target === undefined) {
      this.#options.onHealth({ ...base, alive: false, cause: "the instance has no such port" });
      return;
    }
    const outcome = await this.#probe({
      protocol: check.protocol === "TCP" ? "TCP" : check.protocol === "HTTPS" ? "HTTPS" : "HTTP",
      ...target,
      path: check.path ?? "/",
      timeoutMs: check.timeoutSeconds * 1000,
    });
    if (outcome.status !== undefined && check.ignoreHttp1xx && outcome.status < 200) return;
    const alive = outcome.failure === undefined && isGood(outcome.status);
    const cause = outcome.failure ?? `answered ${outcome.status ?? ""}`.trim();
    this.#options.onHealth({ ...base, alive, ...(alive ? {} : { cause }) });
  }

  async #readiness(app: AppDefinition, instance: Instance): Promise<void> {
    const check = app.readinessChecks[0];
    if (check === undefined) return;
    const portIndex = portsOf(app).findIndex(({ name }) => name === check.portName);
    const target = targetOf(app, instance, { portIndex });
    if (target === undefined) return;
    const timeoutMs = check.timeoutSeconds * 1000;
    const { status, body } = await this.#probe({
      protocol: check.protocol,
      ...target,
      path: check.path,
      timeoutMs,
      keepsBody: check.preserveLastResponse,
    });
    this.#options.onReadiness({
      appId: app.id,
      instanceId: instance.id,
      ready: status !== undefined && check.httpStatusCodesForReady.includes(status),
      ...(status === undefined || !check.preserveLastResponse ? {} : { status }),
      ...(body === undefined ? {} : { body }),
    });
  }
}

/** TCP has no status. */
const isGood = (status: number | undefined): boolean =>
  status === undefined || (status >= 200 && status < 400);

/** Through the host's port where there is one, otherwise at the container's own address. */
function targetOf(
  app: AppDefinition,
  instance: Instance,
  { port, portIndex }: Pick<HealthCheck, "port" | "portIndex">,
): { readonly host: string; readonly port: number } | undefined {
  const index = portIndex ?? 0;
  const hostPort = port ?? instance.hostPorts[index];
  if (hostPort !== undefined && hostPort !== null && (port === undefined || usesHostNetwork(app))) {
    return { host: instance.host, port: hostPort };
  }
  const [address] = instance.ipAddresses ?? [];
  const inside = port ?? portsOf(app)[index]?.containerPort;
  if (address !== undefined && inside !== undefined) return { host: address, port: inside };
  return port === undefined ? undefined : { host: instance.host, port };
}

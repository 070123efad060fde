/**
 * Marathon: keeps apps running on a Mesos, and says how they fare. A real framework: it finds its master by itself and
 * speaks the v1 scheduler API, so it drives an Apache Mesos as well as ours.
 *
 * How things flow: a client's request → api/ → a command → engine.ts → core/decide.ts (pure) → what to store goes to
 * storage/, then what to say goes to driver/ (Mesos) and to api/'s listeners. What Mesos says comes the same way in.
 * health/ looks at instances and reports. model/ has the words. Whoever leads has an engine; the others pass requests
 * on to it. Not here: how tasks are run (the agent), who gets offers (the master), how traffic finds instances
 * (discovery/).
 */
import type { Clock, Random } from "../../base/clock.ts";
import { systemClock } from "../../base/clock.ts";
import { basicAuth } from "../http/basic-auth.ts";
import { createServer } from "../http/http-server.ts";
import { proxyRequest } from "../http/proxy-request.ts";
import type { HttpRequest } from "../http/request.ts";
import { type HttpResponse, jsonResponse, redirectResponse } from "../http/response.ts";
import type { FrameworkInfo } from "../mesos/protocol/framework.ts";
import type { Store } from "../store.ts";
import type { ApiContext, MarathonInfo } from "./api/api-context.ts";
import { appsRoutes } from "./api/apps-routes.ts";
import { consoleRoutes } from "./api/console.ts";
import { EventHub } from "./api/event-hub.ts";
import { eventsRoutes } from "./api/events-routes.ts";
import { groupsRoutes } from "./api/groups-routes.ts";
import { otherRoutes } from "./api/other-routes.ts";
import { v1Routes } from "./api/v1-routes.ts";
import { defaultSettings, type Settings } from "./core/state.ts";
import type { MasterDetector } from "./driver/scheduler-driver.ts";
import type { Leadership } from "./leadership.ts";
import { ApiError, message } from "./model/api-error.ts";
import { Term } from "./term.ts";

export interface MarathonOptions {
  readonly bindIp: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** What others dial and see as the leader. */
  readonly hostname: string;
  readonly detector: MasterDetector;
  /** Called once the address is known: an election needs it. */
  readonly leadership: (self: string) => Leadership;
  /** Rooted where Marathon's state lives. */
  readonly store: Store;
  readonly framework: Omit<FrameworkInfo, "id" | "webui_url" | "hostname">;
  readonly mesosCredentials?: string | undefined;
  readonly settings?: Partial<Settings>;
  readonly httpCredentials?: { readonly user: string; readonly password: string } | undefined;
  readonly info?: Partial<MarathonInfo>;
  readonly log: (line: string) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  /** After DELETE /v2/leader: the service manager starts it again. Default: only stand again. */
  readonly onAbdicated?: () => void;
}

export interface RunningMarathon {
  readonly url: string;
  readonly port: number;
  readonly isLeading: boolean;
  /** Ends every task and waits for it; the apps stay and start anew next time. False: some would not end in time. */
  endTasks(timeoutMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

export const marathonVersion = "1.10.0";
const abdicationDelayMs = 500;
const drainPollMs = 50;

export async function runMarathon(options: MarathonOptions): Promise<RunningMarathon> {
  const marathon = new Marathon(options);
  return await marathon.start();
}

const noInfo: MarathonInfo = {
  version: marathonVersion,
  marathonConfig: {},
  zookeeperConfig: {},
  httpConfig: {},
  acceptsCallbacks: true,
};

class Marathon {
  readonly #options: MarathonOptions;
  readonly #hub: EventHub;
  readonly #clock: Clock;
  #self = "";
  #leadership: Leadership | undefined;
  #term: Term | undefined;

  constructor(options: MarathonOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#hub = new EventHub(options.log);
  }

  async start(): Promise<RunningMarathon> {
    const { httpCredentials, log, port, bindIp } = this.#options;
    const context = this.#context();
    const users = httpCredentials && new Map([[httpCredentials.user, httpCredentials.password]]);
    const server = createServer({
      routes: [
        ...appsRoutes(context),
        ...groupsRoutes(context),
        ...eventsRoutes(context),
        ...otherRoutes(context),
        ...v1Routes(context),
        ...consoleRoutes,
      ],
      before: (request) => this.#before(request),
      headers: () => this.#headers(),
      onError: answerApiError,
      log: (line, error) => log(error === undefined ? line : `${line}: ${String(error)}`),
      ...(users === undefined
        ? {}
        : {
            authenticate: basicAuth({
              realm: "Marathon",
              users,
              isOpen: ({ path }) => path === "/ping" || path.startsWith("/metrics"),
            }),
          }),
    });
    const address = await server.listen(port, bindIp);
    this.#self = `${this.#options.hostname}:${address.port}`;
    const leadership = this.#options.leadership(this.#self);
    this.#leadership = leadership;
    leadership.stand({ elected: () => this.#onElected(), deposed: (why) => this.#onDeposed(why) });
    log(`marathon listening on ${bindIp}:${address.port}`);
    const isLeading = (): boolean => this.#isServing();
    return {
      url: `http://${this.#self}`,
      port: address.port,
      get isLeading() {
        return isLeading();
      },
      endTasks: (timeoutMs) => this.#endTasks(timeoutMs),
      stop: async () => {
        this.#term?.end("stopping");
        await leadership.withdraw();
        await server.close();
      },
    };
  }

  async #endTasks(timeoutMs: number): Promise<boolean> {
    const engine = this.#term?.engine;
    if (engine === undefined) return false;
    engine.post({ type: "drain" });
    const until = this.#clock.monotonic() + timeoutMs;
    while (this.#clock.monotonic() < until) {
      await new Promise((resolve) => setTimeout(resolve, drainPollMs));
      if (engine.state.link.draining && engine.state.instances.size === 0) return true;
    }
    return false;
  }

  #onElected(): void {
    const { log } = this.#options;
    log("elected as leader");
    const term = new Term({
      ...this.#options,
      clock: this.#clock,
      random: this.#options.random ?? Math.random,
      settings: { ...defaultSettings, ...this.#options.settings },
      self: this.#self,
      hub: this.#hub,
      onEnd: (ended) => this.#onTermEnd(ended),
    });
    this.#term = term;
    void term.start();
  }

  #onDeposed(why: string): void {
    this.#options.log(`no longer the leader: ${why}`);
    const term = this.#term;
    this.#term = undefined;
    term?.end(why);
  }

  /** The store failed, or the master refused us for good: whoever leads next starts from what is stored. */
  #onTermEnd(term: Term): void {
    if (this.#term !== term) return;
    this.#term = undefined;
    void this.#leadership?.stepDown();
  }

  #isServing(): boolean {
    return this.#leadership?.isLeader() === true && this.#term?.engine !== undefined;
  }

  #context(): ApiContext {
    const { info } = this.#options;
    return {
      state: () => this.#engine().state,
      run: (command) => this.#engine().run(command),
      hub: this.#hub,
      now: () => this.#clock.now(),
      leader: () => this.#leadership?.leader(),
      isLeader: () => this.#isServing(),
      abdicate: () => this.#abdicate(),
      self: this.#self,
      info: { ...noInfo, ...info },
    };
  }

  #engine() {
    const engine = this.#isServing() ? this.#term?.engine : undefined;
    if (engine === undefined) throw message(503, "This Marathon is not the leader");
    return engine;
  }

  #abdicate(): void {
    setTimeout(() => {
      this.#options.log("abdicating");
      this.#term?.end("abdicated");
      void this.#leadership?.stepDown().then(() => this.#options.onAbdicated?.());
    }, abdicationDelayMs);
  }

  #headers(): Record<string, string> {
    const leader = this.#leadership?.leader();
    return {
      "Cache-Control": "no-cache, no-store, must-revalidate",
      Pragma: "no-cache",
      Expires: "0",
      "X-Frame-Options": "DENY",
      "X-XSS-Protection": "1; mode=block",
      ...(leader === undefined ? {} : { "X-Marathon-Leader": `http://${leader}` }),
    };
  }

  /** The leader answers; the others pass on to it what is about the cluster, and wait a little for one to appear. */
  async #before(request: HttpRequest): Promise<HttpResponse | undefined> {
    if (!isForLeader(request.path)) return undefined;
    for (let attempt = 0; attempt < maxLeaderWaits; attempt += 1) {
      if (this.#isServing()) return undefined;
      const leader = this.#leadership?.leader();
      if (leader !== undefined && leader !== this.#self) return await this.#toLeader(request, leader);
      await new Promise((resolve) => setTimeout(resolve, leaderWaitMs));
    }
    throw message(502, "Could not determine the current leader");
  }

  async #toLeader(request: HttpRequest, leader: string): Promise<HttpResponse> {
    if (request.path === "/v2/events") {
      return redirectResponse(302, `http://${leader}${request.path}${request.search}`);
    }
    const colon = leader.lastIndexOf(":");
    return await proxyRequest(request, {
      host: leader.slice(0, colon),
      port: Number(leader.slice(colon + 1)),
      viaHeader: "X-Marathon-Via",
      self: this.#self,
    });
  }
}

const leaderWaitMs = 250;
const maxLeaderWaits = 10;

const isForLeader = (path: string): boolean => path.startsWith("/v1/") || path.startsWith("/v2/");

function answerApiError(error: unknown): HttpResponse | undefined {
  return error instanceof ApiError ? jsonResponse(error.status, error.body) : undefined;
}

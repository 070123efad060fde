/**
 * Carries out what `decide` says: streams, writes, timers. Leads, recovers or stands by; whatever a leadership knew ends
 * with it.
 */
import { randomUUID } from "node:crypto";
import type { Clock, Random } from "../../../base/clock.ts";
import type { Store } from "../../store.ts";
import type { Candidacy, Electorate, Log } from "../daemon/coordination.ts";
import { Outlet } from "../daemon/outlet.ts";
import { type MasterInfo, masterInfo } from "../protocol/master-info.ts";
import type { MasterSettings } from "./cluster-state.ts";
import { decide, type MasterCore, newMaster } from "./decide.ts";
import { Registrar } from "./registrar.ts";
import type { Answer, MasterAction, MasterEvent } from "./turn.ts";

export interface MasterDaemonOptions {
  readonly hostname: string;
  readonly ip: string;
  readonly settings: MasterSettings;
  readonly store: Store;
  readonly electorate: Electorate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Leading {
  readonly core: MasterCore;
  readonly registrar: Registrar;
}

const tickMs = 1_000;
/** Events within this time are allocated for together. */
const gatherMs = 10;
const standAgainMs = 1_000;

export class MasterDaemon {
  readonly startedAt: number;
  /** The leading master's card, this one's or another's. */
  leader: MasterInfo | undefined;
  card: MasterInfo;
  readonly options: MasterDaemonOptions;
  readonly #streams = new Map<string, Outlet>();
  readonly #sessions = new Map<string, Outlet>();
  readonly #pending: MasterEvent[] = [];
  #leading: Leading | undefined;
  #isRecovering = false;
  #isBusy = false;
  #port = 0;
  #isStopped = false;
  #candidacy: Candidacy | undefined;
  #soon: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(options: MasterDaemonOptions) {
    this.options = options;
    this.startedAt = options.clock.now();
    this.card = this.#newCard();
  }

  get core(): MasterCore | undefined {
    return this.#inOffice()?.core;
  }

  get isRecovering(): boolean {
    return this.#isRecovering;
  }

  get streamCounts(): { readonly frameworks: number; readonly agents: number } {
    return { frameworks: this.#streams.size, agents: this.#sessions.size };
  }

  /** The port that others dial is known once the server listens. */
  start(port: number): void {
    this.#port = port;
    this.#stand();
    this.#timers.push(setInterval(() => this.tell({ is: "tick" }), tickMs));
    this.#timers.push(setInterval(() => this.#heartbeat(), this.options.settings.heartbeatIntervalMs));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#again);
    this.#endLeadership();
    await this.#candidacy?.withdraw();
  }

  openStream(stream: string): Outlet {
    return openOutlet(this.#streams, stream, () => this.tell({ is: "stream-closed", stream }));
  }

  openSession(session: string): Outlet {
    return openOutlet(this.#sessions, session, () => this.tell({ is: "agent-closed", session }));
  }

  dropStream(stream: string): void {
    this.#streams.delete(stream);
  }

  dropSession(session: string): void {
    this.#sessions.delete(session);
  }

  /** Decides at once. Only for requests, which arrive while nothing else is being carried out. */
  ask(event: MasterEvent): Answer {
    const leading = this.#inOffice();
    if (leading === undefined) return { status: 503, message: "This master does not lead" };
    const answer = this.#turn(leading, event);
    this.#drain();
    this.#tickSoon();
    return answer;
  }

  /** Decides now or, when actions are being carried out, right after. */
  tell(event: MasterEvent): void {
    this.#pending.push(event);
    if (!this.#isBusy) this.#drain();
  }

  #drain(): void {
    for (let event = this.#pending.shift(); event !== undefined; event = this.#pending.shift()) {
      const leading = this.#inOffice();
      if (leading === undefined) continue;
      this.#turn(leading, event);
      if (event.is !== "tick") this.#tickSoon();
    }
  }

  /** After a pause the timer that ends the leadership may come later than what arrived meanwhile. */
  #inOffice(): Leading | undefined {
    if (this.#candidacy?.mayLead() === false) return undefined;
    return this.#leading;
  }

  #turn(leading: Leading, event: MasterEvent): Answer {
    const { clock, random } = this.options;
    this.#isBusy = true;
    try {
      const { answer, actions } = decide(leading.core, event, clock.now(), random);
      for (const action of actions) this.#carryOut(leading, action);
      return answer;
    } finally {
      this.#isBusy = false;
    }
  }

  /** Offers follow events, not only the clock. */
  #tickSoon(): void {
    if (this.#soon !== undefined || this.#leading === undefined || this.#leading.core.state.dirty.size === 0)
      return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.tell({ is: "tick" });
    }, gatherMs);
  }

  #carryOut(leading: Leading, action: MasterAction): void {
    switch (action.do) {
      case "send-event":
        this.#streams.get(action.stream)?.send(action.event);
        return;
      case "send-command":
        this.#sessions.get(action.session)?.send(action.command);
        return;
      case "close-stream":
        closeOutlet(this.#streams, action.stream);
        return;
      case "close-session":
        closeOutlet(this.#sessions, action.session);
        return;
      case "persist": {
        const { record, next } = action;
        this.#write(leading, leading.registrar.write(record), { is: "persisted", record, next });
        return;
      }
      case "forget":
        this.#write(leading, leading.registrar.forget(action.agentId), undefined);
        return;
      case "log":
        this.options.log(action.text);
        return;
    }
  }

  /** A master that cannot write must not lead: what it decides would be forgotten. */
  #write(leading: Leading, writing: Promise<void>, then: MasterEvent | undefined): void {
    writing.then(
      () => {
        if (this.#leading === leading && then !== undefined) this.tell(then);
      },
      (error: unknown) => {
        if (this.#leading !== leading) return;
        this.#resign(
          `the registrar could not write: ${error instanceof Error ? error.message : String(error)}`,
        );
      },
    );
  }

  #heartbeat(): void {
    for (const outlet of [...this.#streams.values()]) outlet.send({ type: "HEARTBEAT" });
  }

  #newCard(): MasterInfo {
    const { hostname, ip } = this.options;
    return masterInfo({ id: randomUUID(), hostname, ip, port: this.#port });
  }

  /** Every candidacy has an id of its own, so that ids of agents, frameworks and offers never repeat. */
  #stand(): void {
    this.card = this.#newCard();
    const card = this.card;
    this.#candidacy = this.options.electorate.stand(card, {
      elected: () => void this.#recover(card),
      deposed: (why) => {
        if (this.card === card) this.#resign(why);
      },
      leaderChanged: (leader) => {
        this.leader = leader;
      },
    });
  }

  async #recover(card: MasterInfo): Promise<void> {
    const { store, settings, clock, log } = this.options;
    this.#isRecovering = true;
    log(`elected; reading the registry as ${card.id}`);
    try {
      const registrar = new Registrar(store);
      const records = await registrar.load();
      if (this.card !== card || this.#isStopped) return;
      this.leader = card;
      this.#leading = { core: newMaster({ info: card, settings, records, now: clock.now() }), registrar };
      log(`leading; ${records.length} agents in the registry`);
    } catch (error) {
      if (this.card === card)
        this.#resign(
          `the registry cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        );
    } finally {
      if (this.card === card) this.#isRecovering = false;
    }
  }

  #resign(why: string): void {
    this.options.log(`stepping down: ${why}`);
    this.#endLeadership();
    const candidacy = this.#candidacy;
    this.#candidacy = undefined;
    this.card = this.#newCard();
    this.leader = undefined;
    const withdrawn = candidacy?.withdraw() ?? Promise.resolve();
    withdrawn
      .catch((error: unknown) => this.options.log(`withdrawing: ${String(error)}`))
      .then(() => {
        if (!this.#isStopped) this.#again = setTimeout(() => this.#stand(), standAgainMs);
      })
      .catch((error: unknown) => this.options.log(`standing again: ${String(error)}`));
  }

  #endLeadership(): void {
    this.#leading = undefined;
    this.#isRecovering = false;
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#pending.length = 0;
    for (const stream of [...this.#streams.keys()]) closeOutlet(this.#streams, stream);
    for (const session of [...this.#sessions.keys()]) closeOutlet(this.#sessions, session);
  }
}

function openOutlet(outlets: Map<string, Outlet>, name: string, onClosed: () => void): Outlet {
  const outlet = new Outlet(() => {
    outlets.delete(name);
    onClosed();
  });
  outlets.set(name, outlet);
  return outlet;
}

function closeOutlet(outlets: Map<string, Outlet>, name: string): void {
  outlets.get(name)?.end();
  outlets.delete(name);
}

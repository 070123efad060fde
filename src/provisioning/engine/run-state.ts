/** What lives as long as a run: hosts, machines, modules, the way out. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import { ProvisionError } from "../../base/errors.ts";
import type { JsonObject, JsonValue } from "../../base/json.ts";
import type { Inventory } from "../inventory/inventory.ts";
import { matchPattern } from "../inventory/match-pattern.ts";
import type { AnyModule } from "../modules/module.ts";
import type { Play, Task } from "../playbook/model.ts";
import type { SourceNode } from "../source/node.ts";
import type { Become } from "../transport/session.ts";
import { LayeredScope, layerOf } from "../vars/precedence.ts";
import { omitPlaceholder, render } from "../vars/render.ts";
import type { Variable } from "../vars/variable.ts";
import type { EmitEvent, EngineEvent } from "./events.ts";
import type { PlayFacts } from "./gather.ts";
import { greet } from "./greet.ts";
import { growInventory } from "./grow-inventory.ts";
import type { Machine } from "./machine.ts";
import { Machines } from "./machines.ts";
import type { Asked } from "./message.ts";
import { RunHost } from "./run-host.ts";
import type { RunRequest } from "./run-request.ts";
import { dataVariable } from "./view.ts";

type Unstamped<E> = E extends EngineEvent ? Omit<E, "atMs"> : never;

export class RunState {
  readonly request: RunRequest;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly startedAtMs: number;
  readonly machines: Machines;
  readonly omitToken: JsonValue = omitPlaceholder;
  /** Facts of hosts may be gathered when an expression asks for them: plays that did not say gather_facts: false. */
  readonly factsWanted = new Set<string>();
  /** Which facts a host's play wants. */
  readonly factRequests = new Map<string, PlayFacts>();
  /** Facts come with the first message. */
  readonly factsAtFirst = new Set<string>();
  /** Whose shell is opened along with the first message, by host. */
  readonly becomesAtFirst = new Map<string, Become | undefined>();
  /** What a play asks first, by host: on its way together with the first message. */
  readonly asksAtFirst = new Map<string, (machine: Machine) => Promise<readonly Asked[]>>();
  /** Jobs that had nothing to do and were never started on their host, by id. */
  readonly idleJobs = new Set<string>();
  /** add_host and refresh_inventory change it. */
  inventory: Inventory;
  readonly #emit: EmitEvent;
  readonly #hosts = new Map<string, RunHost>();
  readonly #modules = new Map<string, AnyModule>();
  readonly #failed = new Map<string, "failed" | "unreachable">();
  readonly #pauses = new Map<Task, Promise<string>>();
  readonly #barriers = new Set<string>();
  #taskIds = 0;
  #waitsForStart: boolean;
  #asksEachTask: boolean;

  readonly #passedOver = new Set<string>();

  constructor(request: RunRequest, emit: EmitEvent, signal: AbortSignal) {
    this.request = request;
    this.clock = request.environment.clock;
    this.signal = signal;
    this.inventory = request.inventory;
    this.#emit = emit;
    this.startedAtMs = this.clock.now();
    this.#waitsForStart = request.startAtTask !== undefined;
    this.#asksEachTask = request.confirmTask !== undefined;
    this.machines = new Machines({
      openSession: request.environment.openSession,
      signal,
      clock: this.clock,
      emit: (event) => this.#emit(event),
      greet: (machine, host) => greet(this, machine, host),
    });
  }

  get isInterrupted(): boolean {
    return this.signal.aborted;
  }

  emit(event: Unstamped<EngineEvent>): void {
    this.#emit({ atMs: this.clock.now(), ...event } as EngineEvent);
  }

  nextTaskId(): number {
    return ++this.#taskIds;
  }

  hosts(): Iterable<RunHost> {
    return this.#hosts.values();
  }

  hostNamed(name: string): RunHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const host = new RunHost(name);
    this.#hosts.set(name, host);
    return host;
  }

  hasHost(name: string): boolean {
    return this.#hosts.has(name);
  }

  noteFailed(host: RunHost, how: "failed" | "unreachable"): void {
    if (this.#failed.get(host.name) !== "unreachable") this.#failed.set(host.name, how);
  }
  forgiveFailed(host: RunHost): void {
    this.#failed.delete(host.name);
  }
  get failures(): ReadonlyMap<string, "failed" | "unreachable"> {
    return this.#failed;
  }

  async loadModules(names: Iterable<string>): Promise<void> {
    for (const name of names) {
      if (!this.#modules.has(name)) this.#modules.set(name, await this.request.environment.loadModule(name));
    }
  }
  module(name: string): AnyModule {
    const module = this.#modules.get(name);
    if (module === undefined) throw new Error(`module ${name} was used before it was loaded`);
    return module;
  }
  moduleIfLoaded(name: string): AnyModule | undefined {
    return this.#modules.get(name);
  }

  /** --start-at-task, with or without the role (`web : install`), and --step. */
  async admits(title: string, role?: string): Promise<boolean> {
    const { startAtTask = "", confirmTask } = this.request;
    if (this.#waitsForStart) {
      const names = role === undefined ? [title] : [title, `${role} : ${title}`];
      for (const name of names) this.#passedOver.add(name);
      if (!names.some((name) => name === startAtTask || matchesGlob(name, startAtTask))) return false;
      this.#waitsForStart = false;
    }
    if (!this.#asksEachTask || confirmTask === undefined) return true;
    const answer = await confirmTask(title);
    if (answer === "continue") this.#asksEachTask = false;
    return answer !== "no";
  }
  get neverStarted(): boolean {
    return this.#waitsForStart;
  }
  /** Names of the tasks before --start-at-task: what may have been meant. */
  get passedOver(): ReadonlySet<string> {
    return this.#passedOver;
  }

  /** Ends early when the run is interrupted. */
  async pause(ms: number): Promise<void> {
    try {
      await sleep(Math.max(0, ms), undefined, { signal: this.signal });
    } catch (error) {
      if (!this.isInterrupted) throw error;
    }
    this.expire();
  }
  /** One pause for all hosts of a task. */
  sharedPause(task: Task, work: () => Promise<string>): Promise<string> {
    const known = this.#pauses.get(task) ?? work();
    this.#pauses.set(task, known);
    return known;
  }
  forgetPause(task: Task): void {
    this.#pauses.delete(task);
  }

  /** R6 */
  expire(): void {
    this.machines.expire();
  }

  ask(question: string, hidden: boolean): Promise<string> {
    if (this.request.prompt !== undefined) return this.request.prompt(question, hidden);
    return Promise.reject(
      new ProvisionError({
        code: "no-terminal",
        action: `ask "${question.replace(/[:\s]+$/, "")}"`,
        state: "there is no terminal",
        why: "questions are only put to a person",
      }),
    );
  }

  /** What looks ahead meets it again and again: it is told once. */
  noteBarrier(barrier: {
    readonly task: () => string;
    readonly place: string;
    readonly reason: string;
  }): void {
    const { place, reason } = barrier;
    const key = `${place} ${reason}`;
    if (this.#barriers.has(key)) return;
    this.#barriers.add(key);
    this.emit({ type: "barrier", task: barrier.task(), place, reason });
  }

  warn(message: string, place?: string): void {
    this.emit({ type: "warning", message, ...(place === undefined ? {} : { place }) });
  }

  dataOf(value: JsonValue): Variable {
    return dataVariable(value, "include_vars");
  }

  /** True when something is new. */
  addHost(name: string, groups: readonly string[], vars: JsonObject): boolean {
    const variables = new Map(
      Object.entries(vars).map(([key, value]) => [key, dataVariable(value, "add_host")]),
    );
    const before = this.inventory;
    const isKnown =
      before.hosts.has(name) && groups.every((group) => before.groups.get(group)?.hosts.includes(name));
    this.inventory = growInventory(before, { name, groups, vars: variables });
    return !isKnown;
  }

  groupBy(host: RunHost, key: string, parents: readonly string[]): boolean {
    const groups = [key, ...parents.filter((parent) => parent !== "all")];
    const before = this.inventory;
    this.inventory = growInventory(before, { name: host.name, groups, vars: new Map() });
    return this.inventory !== before;
  }

  /** What --limit leaves of these names. */
  limited(names: readonly string[]): readonly string[] {
    const { limit, environment } = this.request;
    if (limit === undefined || limit.length === 0) return names;
    const kept = new Set(
      matchPattern(limit, this.inventory, { action: "limit the run", cwd: environment.cwd }),
    );
    return names.filter((name) => kept.has(name));
  }

  /** A node of a play itself, before there are hosts: it sees extra variables only. */
  renderPlain(node: SourceNode, play: Play): JsonValue {
    const { extraVars } = this.request;
    const scope = new LayeredScope({ extraVars, playVars: [layerOf(play.vars, "play vars")] });
    return render(node, { scope, searchPath: [play.baseDir], openVault: this.request.openVault });
  }

  async refreshInventory(): Promise<void> {
    const { reloadInventory } = this.request;
    if (reloadInventory === undefined) return;
    this.inventory = await reloadInventory();
  }
}

function matchesGlob(text: string, pattern: string): boolean {
  if (!/[*?]/.test(pattern)) return text === pattern;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`).test(text);
}

/** What lives as long as one batch of a play: its hosts, its handlers, what ends it, and how its tasks see the world. */
import { ProvisionError } from "../../base/errors.ts";
import type { JsonValue } from "../../base/json.ts";
import { isImplicitLocalhost } from "../inventory/match-pattern.ts";
import type { Inherited, Loop, Play, Role, Statement, Task } from "../playbook/model.ts";
import type { SourceNode } from "../source/node.ts";
import type { ConnectionPlan } from "../transport/session.ts";
import type { Variable } from "../vars/variable.ts";
import { connectionPlan } from "./connection.ts";
import { type Frame, keyword, type RoleInUse, tagsOf } from "./frame.ts";
import { taskTitle } from "./prepare-task.ts";
import type { RunHost } from "./run-host.ts";
import type { RunState } from "./run-state.ts";
import { scopeOf } from "./scopes.ts";
import type { FileSearch } from "./sources.ts";
import { TagNames } from "./tag-names.ts";
import { isChosen } from "./tags.ts";
import { dataVariable, pure, View, withUnknown } from "./view.ts";

export interface ActingPlace {
  readonly task: Inherited;
  readonly host: RunHost;
  readonly frame: Frame;
}

export type Handler = Exclude<Statement, { kind: "include-role" }>;

export interface HandlerEntry {
  /** A task, or a block that is a handler as a whole. */
  readonly handler: Handler;
  readonly frame: Frame;
}

export class PlayState {
  readonly run: RunState;
  readonly play: Play;
  readonly playbookFile: string;
  /** Hosts of this batch, those that failed too. */
  readonly batch: readonly RunHost[];
  /** Hosts of the whole play, over all batches. */
  readonly allHosts: readonly RunHost[];
  readonly frame: Frame;
  handlers: readonly HandlerEntry[] = [];
  /** What was answered to vars_prompt. */
  readonly playVars: ReadonlyMap<string, Variable>;
  /** Which hosts did something in a role, by RoleInvocation.once. */
  readonly #rolesDone = new Map<string, Set<RunHost>>();
  /** Roles whose vars and defaults the whole play sees. */
  readonly publicRoles: RoleInUse[] = [];
  readonly tags: TagNames;
  readonly endedRoles: { readonly role: Role | undefined; readonly hosts: ReadonlySet<RunHost> }[] = [];
  readonly #varsFiles = new Map<RunHost, ReadonlyMap<string, Variable>>();
  isEnded = false;
  /** The run ends after this batch. */
  halted: { readonly reason: string; readonly how: "fatal" | "limit" } | undefined;

  constructor(fields: {
    readonly run: RunState;
    readonly play: Play;
    readonly playbookFile: string;
    readonly batch: readonly RunHost[];
    readonly allHosts: readonly RunHost[];
    readonly frame: Frame;
    readonly playVars: ReadonlyMap<string, Variable>;
  }) {
    this.run = fields.run;
    this.play = fields.play;
    this.playbookFile = fields.playbookFile;
    this.batch = fields.batch;
    this.allHosts = fields.allHosts;
    this.frame = fields.frame;
    this.playVars = fields.playVars;
    this.tags = new TagNames(this.run, this);
  }

  view(
    host: RunHost,
    frame: Frame,
    statement: Inherited | undefined,
    vars?: ReadonlyMap<string, Variable>,
  ): View {
    return new View(scopeOf(this, { host, frame, statement, vars }));
  }

  viewAhead(
    host: RunHost,
    frame: Frame,
    statement: Inherited,
    unknown: ReadonlySet<string>,
    vars?: ReadonlyMap<string, Variable>,
  ): View {
    const context = scopeOf(this, { host, frame, statement, vars });
    return pure(new View({ ...context, scope: withUnknown(context.scope, unknown) }));
  }

  hostView(host: RunHost): View {
    return this.view(host, this.frame, undefined);
  }

  /** By --tags and --skip-tags. */
  isChosen(frame: Frame, statement: Inherited): boolean {
    return isChosen(this.tags.named(tagsOf(frame, statement), frame), this.run.request.tags);
  }

  flag(node: SourceNode | undefined, host: RunHost, frame: Frame): boolean {
    return node !== undefined && this.view(host, frame, undefined).flag(node);
  }

  wholeNumber(node: SourceNode, host: RunHost, frame: Frame, what: string, least = 1): number {
    const value = this.view(host, frame, undefined).value(node);
    const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isInteger(number) && number >= least) return number;
    throw new ProvisionError({
      code: "bad-argument",
      action: `read "${what}"`,
      state: `it is ${JSON.stringify(value)}`,
      span: node.span,
      why: `${what} is a whole number from ${least} up`,
    });
  }

  handlerTitle(handler: Handler, view: View): string {
    return handler.kind === "block" ? handler.name : taskTitle(handler, view);
  }

  /** Read for each host: their names may be templates. */
  varsFilesOf(host: RunHost): ReadonlyMap<string, Variable> {
    return this.#varsFiles.get(host) ?? noVariables;
  }
  setVarsFiles(host: RunHost, vars: ReadonlyMap<string, Variable>): void {
    this.#varsFiles.set(host, vars);
  }

  get forceHandlers(): boolean {
    const [first] = this.batch;
    if (this.run.request.forceHandlers) return true;
    return first !== undefined && this.flag(this.play.forceHandlers, first, this.frame);
  }

  get maxFailPercentage(): number | undefined {
    const [first] = this.batch;
    const node = this.play.maxFailPercentage;
    if (node === undefined || first === undefined) return undefined;
    const value = Number(this.view(first, this.frame, undefined).value(node));
    return Number.isFinite(value) ? value : undefined;
  }

  /** Ends the batch for the hosts that are still active, and the run after it. */
  halt(reason: string, how: "fatal" | "limit"): void {
    this.halted ??= { reason, how };
    for (const host of this.batch) {
      if (host.isActive) host.stop = { why: "halted", reason, rescuable: how === "fatal" };
    }
  }

  /** A rolling wave was lost: these hosts are not touched any more. */
  haltHosts(hosts: readonly RunHost[], reason: string): void {
    this.halted ??= { reason, how: "limit" };
    for (const host of hosts) {
      host.stop = { why: "halted", reason, rescuable: false };
      this.run.emit({ type: "warning", message: `${host.name} is left as it is: ${reason}` });
    }
  }

  noteRole({ roles }: Frame, host: RunHost): void {
    const once = roles.at(-1)?.once;
    if (once === undefined) return;
    const done = this.#rolesDone.get(once) ?? new Set();
    this.#rolesDone.set(once, done.add(host));
  }
  /** Hosts that have not been through this role. */
  notYet(once: string | undefined, hosts: readonly RunHost[]): readonly RunHost[] {
    const done = once === undefined ? undefined : this.#rolesDone.get(once);
    return done === undefined ? hosts : hosts.filter((host) => !done.has(host));
  }

  /** meta: end_role */
  hasLeft(host: RunHost, frame: Frame): boolean {
    return this.endedRoles.some(
      ({ role, hosts }) => role !== undefined && hosts.has(host) && frame.roles.at(-1)?.role === role,
    );
  }

  /** A rescue caught what any_errors_fatal had ended. */
  forgiveFatal(): void {
    if (this.halted?.how === "fatal") this.halted = undefined;
  }

  filesOf(task: { readonly baseDir: string; readonly span: Task["span"] }, frame: Frame): FileSearch {
    const { openVaultFile } = this.run.request;
    return { folders: this.searchPath(task, frame), span: task.span, openVaultFile };
  }

  searchPath(task: { readonly baseDir: string } | undefined, frame: Frame): readonly string[] {
    const roles = [...frame.roles].reverse().map(({ role }) => role.dir);
    const own = task === undefined ? [] : [task.baseDir];
    return [...new Set([...roles, ...own, this.play.baseDir])];
  }

  /** How to reach the machine that a task acts on. */
  connectionOf({ task, host, frame }: ActingPlace, target: RunHost, view: View): ConnectionPlan {
    const own = target === host ? view : this.hostView(target);
    const keywordValue = (name: "remoteUser" | "port" | "connection"): JsonValue | undefined => {
      const node = target === host ? keyword(frame, task, name) : undefined;
      return node === undefined ? undefined : view.value(node);
    };
    return this.planOf(target, own, {
      ...optional("user", keywordValue("remoteUser")),
      ...optional("port", keywordValue("port")),
      ...optional("connection", keywordValue("connection")),
    });
  }

  planOf(
    target: RunHost,
    view: View,
    keywords: { readonly user?: JsonValue; readonly port?: JsonValue; readonly connection?: JsonValue },
  ): ConnectionPlan {
    const { inventory, request } = this.run;
    const plan = connectionPlan({
      name: target.name,
      isImplicit: isImplicitLocalhost(target.name, inventory),
      variable: (name) => view.variable(name),
      keywords,
      defaults: request.connection,
    });
    if (plan.password !== undefined) request.secrets?.add(plan.password);
    return plan;
  }

  loopVars(loop: Loop, items: readonly JsonValue[], index: number): ReadonlyMap<string, Variable> {
    const vars = new Map<string, Variable>();
    const set = (name: string, value: JsonValue | undefined): void => {
      if (value !== undefined) vars.set(name, dataVariable(value, "loop"));
    };
    set(loop.loopVar, items[index] ?? null);
    set("ansible_loop_var", loop.loopVar);
    if (loop.indexVar !== undefined) {
      set(loop.indexVar, index);
      set("ansible_index_var", loop.indexVar);
    }
    if (loop.extended) set("ansible_loop", extendedLoop(items, index, loop.extendedAllItems));
    return vars;
  }
}

const noVariables: ReadonlyMap<string, Variable> = new Map();

function extendedLoop(items: readonly JsonValue[], index: number, withAll: boolean): JsonValue {
  const length = items.length;
  return {
    ...(withAll ? { allitems: items } : {}),
    index: index + 1,
    index0: index,
    revindex: length - index,
    revindex0: length - index - 1,
    first: index === 0,
    last: index === length - 1,
    length,
    ...(index > 0 ? { previtem: items[index - 1] ?? null } : {}),
    ...(index < length - 1 ? { nextitem: items[index + 1] ?? null } : {}),
  };
}

function optional<K extends string>(
  key: K,
  value: JsonValue | undefined,
): { readonly [name in K]?: JsonValue } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [name in K]?: JsonValue };
}

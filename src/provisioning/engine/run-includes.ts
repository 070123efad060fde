/**
 * include_tasks and include_role: what they bring is known at their turn only. Hosts that include the same thing with
 * the same variables walk it together.
 */
import { ProvisionError } from "../../base/errors.ts";
import type { JsonValue } from "../../base/json.ts";
import type { IncludeRole, IncludeTasks, Inherited, Statement } from "../playbook/model.ts";
import { readInherited } from "../playbook/read-inherited.ts";
import { dependenciesOf } from "../playbook/role-dependencies.ts";
import type { MapNode, SourceNode } from "../source/node.ts";
import { layerOf } from "../vars/precedence.ts";
import type { Variable } from "../vars/variable.ts";
import { withFacts } from "./facts-needed.ts";
import { type Ahead, conditionsOf, enter, enterRole, type Frame } from "./frame.ts";
import { flatHandlers, handlerFrame, withEntries } from "./handler-entries.ts";
import { importedRoles } from "./imported-roles.ts";
import { limits } from "./limits.ts";
import { modulesIn } from "./play-modules.ts";
import { taskTitle } from "./prepare-task.ts";
import type { RunHost } from "./run-host.ts";
import { outcomeOfError } from "./run-on-host.ts";
import type { View } from "./view.ts";
import type { Walker } from "./walker.ts";

type Include = IncludeTasks | IncludeRole;

export interface IncludePlace {
  readonly hosts: readonly RunHost[];
  readonly frame: Frame;
  readonly ahead: Ahead;
}

/** One thing to include, and the hosts that do. */
interface Inclusion<Request> {
  readonly request: Request;
  readonly vars: ReadonlyMap<string, Variable>;
  readonly hosts: RunHost[];
}

export async function runIncludedTasks(
  walker: Walker,
  include: IncludeTasks,
  place: IncludePlace,
): Promise<void> {
  const inclusions = await inclusionsOf(walker, include, place, (view) => view.text(include.file));
  if (inclusions === undefined) return;
  for (const { request, vars, hosts } of inclusions) {
    const statements = tryLoad(walker, include, hosts, () => include.load(request));
    if (statements === undefined) continue;
    // As Ansible counts: every file that is included, and no role.
    if (!walker.play.run.neverStarted) for (const host of hosts) host.count("ok");
    const frame = innerFrame(include, place.frame, vars);
    await enterStatements(walker, statements, { hosts, frame, ahead: place.ahead }, include);
  }
}

interface RoleRequest {
  readonly load: Parameters<IncludeRole["load"]>[0];
  readonly public: boolean;
  readonly allowDuplicates: boolean;
}

export async function runIncludedRoles(
  walker: Walker,
  include: IncludeRole,
  place: IncludePlace,
): Promise<void> {
  const inclusions = await inclusionsOf(walker, include, place, (view) => roleRequest(include, view));
  if (inclusions === undefined) return;
  for (const { request, vars, hosts } of inclusions) {
    const invocation = tryLoad(walker, include, hosts, () => include.load(request.load));
    if (invocation === undefined) continue;
    const once = inclusionKey(include, request.load);
    const takers = request.allowDuplicates ? hosts : walker.play.notYet(once, hosts);
    if (takers.length === 0) continue;
    const frame = innerFrame(include, place.frame, vars);
    if (request.public) walker.play.publicRoles.push(invocation);
    const inside = { hosts: takers, frame, ahead: place.ahead };
    await enterRoleOf(walker, { ...invocation, once }, inside, include);
  }
}

/** For allow_duplicates: the same role with the same variables. */
const inclusionKey = (include: IncludeRole, request: RoleRequest["load"]): string =>
  JSON.stringify([request, include.vars, include.when, include.tags], withoutSpans);

async function enterRoleOf(
  walker: Walker,
  invocation: ReturnType<IncludeRole["load"]>,
  place: IncludePlace,
  include: Include,
): Promise<void> {
  for (const dependency of dependenciesOf(invocation)) {
    const hosts = walker.play.notYet(dependency.once, place.hosts);
    if (hosts.length > 0) await enterRoleOf(walker, dependency, { ...place, hosts }, include);
  }
  const frame = enterRole(place.frame, invocation);
  const { play } = walker;
  await play.run.loadModules(modulesIn(invocation.role.handlers));
  play.handlers = withEntries(play.handlers, flatHandlers(invocation.role.handlers, handlerFrame(frame)));
  await enterStatements(walker, invocation.role.tasks, { ...place, frame }, include);
}

async function enterStatements(
  walker: Walker,
  statements: readonly Statement[],
  { hosts, frame, ahead }: IncludePlace,
  include: Include,
): Promise<void> {
  if (frame.depth > limits.includeDepth) {
    throw new ProvisionError({
      code: "bad-task",
      action: "include tasks",
      state: `includes stand ${frame.depth} deep in each other`,
      span: include.span,
      why: "a file that includes itself needs a condition that ends it",
    });
  }
  await walker.play.run.loadModules(modulesIn(statements));
  walker.play.publicRoles.push(...importedRoles(statements));
  if (tryLoad(walker, include, hosts, () => walker.play.tags.check(statements, frame)) === undefined) return;
  await joinHandlers(
    walker,
    statements.flatMap((each) => (each.kind === "block" ? (each.handlers ?? []) : [])),
    frame,
  );
  await walker.statements(statements, hosts, frame, ahead);
}

/** Handlers of roles that an included file imports. */
async function joinHandlers({ play }: Walker, handlers: readonly Statement[], frame: Frame): Promise<void> {
  await play.run.loadModules(modulesIn(handlers));
  play.handlers = withEntries(play.handlers, flatHandlers(handlers, handlerFrame(frame)));
}

/** A file that cannot be read is a failure of the hosts that wanted it. */
function tryLoad<T>(
  walker: Walker,
  include: Include,
  hosts: readonly RunHost[],
  load: () => T,
): T | undefined {
  try {
    return load();
  } catch (error) {
    for (const host of hosts) failInclude(walker, include, host, error);
    return undefined;
  }
}

/**
 * Tags, `when` and become of an include are its own; its variables and what stands under `apply` are its children's.
 * Ansible lays the parameters of the role around an include_role over the include's own variables.
 */
function innerFrame(include: Include, frame: Frame, vars: ReadonlyMap<string, Variable>): Frame {
  const applied: Inherited =
    include.apply === undefined ? { tags: [], when: [] } : readInherited(include.apply);
  const own: Inherited = {
    ...applied,
    ...(include.vars === undefined ? {} : { vars: mergedVars(include.vars, applied.vars) }),
  };
  const around = include.kind === "include-role" ? frame.roles.at(-1)?.params : undefined;
  const params = [layerOf(include.vars, "include params"), vars, layerOf(around, "role params")];
  return {
    ...enter(frame, own),
    includeParams: [...frame.includeParams, ...params.filter(({ size }) => size > 0)],
    depth: frame.depth + 1,
  };
}

const mergedVars = (own: MapNode, applied: MapNode | undefined): MapNode =>
  applied === undefined ? own : { ...own, entries: [...applied.entries, ...own.entries] };

/** Undefined: its tags are not chosen. */
async function inclusionsOf<Request>(
  walker: Walker,
  include: Include,
  place: IncludePlace,
  request: (view: View) => Request,
): Promise<readonly Inclusion<Request>[] | undefined> {
  const { play } = walker;
  const [first] = place.hosts;
  if (first === undefined || !play.isChosen(place.frame, include)) return undefined;
  const perHost = await Promise.all(
    place.hosts.map(async (host) => {
      try {
        const wanted = await withFacts(play, () => wantedBy(walker, include, place.frame, host, request));
        if ((wanted === undefined || wanted.length === 0) && !play.run.neverStarted) host.count("skipped");
        return { host, wanted: wanted ?? [] };
      } catch (error) {
        // Before --start-at-task: what it hangs on was not done either.
        if (play.run.neverStarted && error instanceof ProvisionError) return { host, wanted: [] };
        failInclude(walker, include, host, error);
        return { host, wanted: [] };
      }
    }),
  );
  const merged = new Map<string, Inclusion<Request>>();
  const rounds = Math.max(0, ...perHost.map(({ wanted }) => wanted.length));
  for (let round = 0; round < rounds; round++) {
    for (const { host, wanted } of perHost) {
      const one = wanted[round];
      if (one === undefined) continue;
      const key = JSON.stringify(
        [round, one.request, [...one.vars].map(([name, value]) => [name, value])],
        withoutSpans,
      );
      const known = merged.get(key);
      if (known === undefined) merged.set(key, { ...one, hosts: [host] });
      else known.hosts.push(host);
    }
  }
  return [...merged.values()];
}

const withoutSpans = (key: string, value: unknown): unknown => (key === "span" ? undefined : value);

type Wanted<Request> = { readonly request: Request; readonly vars: ReadonlyMap<string, Variable> };

/** Undefined: skipped. */
async function wantedBy<Request>(
  { play }: Walker,
  include: Include,
  frame: Frame,
  host: RunHost,
  request: (view: View) => Request,
): Promise<readonly Wanted<Request>[] | undefined> {
  const conditions = conditionsOf(frame, include);
  const outer = play.view(host, frame, include);
  if (include.loop === undefined) {
    if (outer.firstUnmet(conditions) !== undefined) return undefined;
    return [{ request: request(outer), vars: new Map() }];
  }
  const items: readonly JsonValue[] = outer.loopItems(include.loop);
  const wanted: Wanted<Request>[] = [];
  for (const index of items.keys()) {
    const vars = play.loopVars(include.loop, items, index);
    const view = play.view(host, frame, include, vars);
    if (view.firstUnmet(conditions) === undefined) wanted.push({ request: request(view), vars });
  }
  return wanted;
}

function roleRequest(include: IncludeRole, view: View): RoleRequest {
  const part = (node: IncludeRole["tasksFrom"]): string | undefined =>
    node === undefined ? undefined : view.text(node);
  const parts = {
    tasksFrom: part(include.tasksFrom),
    varsFrom: part(include.varsFrom),
    defaultsFrom: part(include.defaultsFrom),
    handlersFrom: part(include.handlersFrom),
  };
  const given = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
  const flag = (node: SourceNode | undefined, otherwise: boolean): boolean =>
    node === undefined ? otherwise : view.flag(node);
  return {
    load: { role: view.text(include.roleName), ...given },
    public: flag(include.public, false),
    allowDuplicates: flag(include.allowDuplicates, true),
  };
}

function failInclude({ play }: Walker, include: Include, host: RunHost, error: unknown): void {
  const { run } = play;
  const outcome = outcomeOfError(error);
  const id = run.nextTaskId();
  const module = include.kind === "include-role" ? "include_role" : "include_tasks";
  const title = taskTitle({ name: include.name, module }, play.hostView(host));
  const place = `${include.span.file}:${include.span.line}`;
  run.emit({
    type: "task-start",
    id,
    task: title,
    module,
    handler: false,
    hosts: [host.name],
    place,
  });
  const status = outcome.unreachable ? "unreachable" : "failed";
  host.count(status);
  host.stop = { why: "failed", task: undefined, result: outcome.result };
  run.noteFailed(host, status);
  run.emit({
    type: "task-host",
    id,
    host: host.name,
    status,
    elapsedMs: 0,
    steps: [],
    diffs: [],
    result: outcome.result,
    ...(outcome.failure === undefined ? {} : { failure: outcome.failure }),
  });
  run.emit({ type: "task-end", id, elapsedMs: 0 });
}

/** Which variables a task on a host sees: what there is of each kind. Their order is vars/precedence.ts. */
import type { JsonObject, JsonValue } from "../../base/json.ts";
import { matchPattern } from "../inventory/match-pattern.ts";
import type { Inherited, Role } from "../playbook/model.ts";
import { type Layer, LayeredScope, layerOf, type ScopeParts } from "../vars/precedence.ts";
import type { HostDirectory, RenderContext } from "../vars/render-context.ts";
import type { Scope, Variable } from "../vars/variable.ts";
import { FactsNeeded } from "./facts-needed.ts";
import { isNoFact } from "./facts-wanted.ts";
import type { Frame, RoleInUse } from "./frame.ts";
import { hostVariables } from "./host-variables.ts";
import { type MagicPlace, magicNames, magicVariable } from "./magic-variables.ts";
import type { PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";
import type { RunState } from "./run-state.ts";
import { dataVariable } from "./view.ts";

export interface ScopeRequest {
  readonly host: RunHost;
  readonly frame: Frame;
  readonly statement: Inherited | undefined;
  /** Of a loop: item, index. */
  readonly vars: ReadonlyMap<string, Variable> | undefined;
}

export function scopeOf(play: PlayState, { host, frame, statement, vars }: ScopeRequest): RenderContext {
  const { run } = play;
  const roles = frame.roles.toReversed();
  const own = withDependencies(roles);
  const others = play.publicRoles.filter(({ role }) => !own.some((each) => each.role === role)).toReversed();
  const blocks = [...(statement === undefined ? [] : [statement]), ...frame.chain.slice(1).toReversed()];
  const parts: ScopeParts = {
    loop: vars,
    magic: magicLayer({ run, play, host, frame }),
    extraVars: run.request.extraVars,
    includeParams: [...ownParams(statement), ...frame.includeParams.toReversed()],
    roleParams: roles.map(({ params }) => layerOf(params, "role params")),
    setFacts: setLayer(host),
    includeVars: host.includeVars,
    taskVars: blocks.map((block) => layerOf(block.vars, "vars")),
    roleVars: [...own, ...others].flatMap(varsOfRole),
    varsFiles: [play.varsFilesOf(host)],
    varsPrompt: play.playVars,
    playVars: [layerOf(play.play.vars, "play vars")],
    facts: factLayer(run, host),
    inventory: [hostVariables(run, host.name, play.play.baseDir)],
    roleDefaults: [...defaultsFirst(own, roles), ...others].map(({ role }) =>
      layerOf(role.defaults, `defaults of role ${role.name}`),
    ),
  };
  const scope = new LayeredScope(parts, missingFact(run, host));
  return contextOf(run, scope, play.searchPath(undefined, frame), directoryOf(run, play));
}

/** An include's `vars` are parameters to itself too: the name of its file may use them. */
const ownParams = (statement: Inherited | undefined): readonly Layer[] =>
  statement?.varsAreParams === true ? [layerOf(statement.vars, "include params")] : [];

const varsOfRole = ({ role, vars }: RoleInUse): readonly Layer[] => [
  layerOf(role.vars, `vars of role ${role.name}`),
  layerOf(vars, `vars beside role ${role.name}`),
];

/** A role sees the vars and defaults of what it depends on, its own first: as in Ansible, also when it is included. */
function withDependencies(roles: readonly RoleInUse[]): readonly RoleInUse[] {
  const found = new Map<Role, RoleInUse>();
  const visit = (use: RoleInUse): void => {
    if (found.has(use.role)) return;
    found.set(use.role, use);
    for (const dependency of use.role.dependencies.toReversed()) visit(dependency);
  };
  for (const use of roles) visit(use);
  return [...found.values()];
}

/** Where defaults stand apart from vars: those of the roles around win over those of what a role depends on. */
const defaultsFirst = (own: readonly RoleInUse[], around: readonly RoleInUse[]): readonly RoleInUse[] => [
  ...around,
  ...own.filter((use) => !around.includes(use)),
];

const magicLayer = (place: MagicPlace): Layer => ({
  get: (name) => magicVariable(place, name),
  keys: () => magicNames,
});

/** A snapshot: what is registered later is seen by later scopes only. */
function setLayer(host: RunHost): ReadonlyMap<string, Variable> {
  return new Map(
    [...host.setVars].map(([name, value]) => [name, dataVariable(value, "set_fact or register")]),
  );
}

const prefix = "ansible_";

function factLayer(run: RunState, host: RunHost): Layer {
  const { facts, moduleFacts } = host;
  const hasOwn = Object.keys(moduleFacts).length > 0;
  // What is still to be gathered on demand must not be hidden by what a module learnt.
  const isWhole =
    host.factKinds !== undefined || ((hasOwn || facts !== undefined) && !run.factsWanted.has(host.name));
  const get = (name: string): Variable | undefined => {
    if (name === "ansible_facts") {
      const all = hasOwn ? { ...facts, ...moduleFacts } : (facts ?? {});
      return isWhole ? dataVariable(withLocal(all), "facts") : undefined;
    }
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
    const learnt = ownFact(moduleFacts, bare ?? name);
    const value = learnt ?? (bare === undefined || facts === undefined ? undefined : ownFact(facts, bare));
    return value === undefined ? undefined : dataVariable(value, "facts");
  };
  const keys = (): readonly string[] => [
    ...(isWhole ? ["ansible_facts"] : []),
    ...Object.keys({ ...facts, ...moduleFacts }).map((name) => prefix + name),
  ];
  return { get, keys };
}

/** Custom facts are the only ones that keep their prefix in `ansible_facts`. */
const withLocal = (facts: JsonObject): JsonObject =>
  facts["local"] === undefined ? facts : { ...facts, ansible_local: facts["local"] };

const ownFact = (facts: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(facts, name) ? facts[name] : undefined;

const missingFact =
  (run: RunState, host: RunHost) =>
  (name: string): void => {
    if (host.factKinds !== undefined || !name.startsWith(prefix) || isNoFact(name)) return;
    if (run.factsWanted.has(host.name)) throw new FactsNeeded(host);
  };

/** What `hostvars[name]` sees: nothing of plays and roles. */
function scopeOfOther(run: RunState, play: PlayState, host: RunHost): Scope {
  const parts: ScopeParts = {
    magic: magicLayer({ run, play, host, frame: undefined }),
    extraVars: run.request.extraVars,
    setFacts: setLayer(host),
    includeVars: host.includeVars,
    facts: factLayer(run, host),
    inventory: [hostVariables(run, host.name, play.play.baseDir)],
  };
  return new LayeredScope(parts, missingFact(run, host));
}

function directoryOf(run: RunState, play: PlayState): HostDirectory {
  const directory: HostDirectory = {
    names: () => run.inventory.hosts.keys(),
    matching: (pattern) =>
      matchPattern(pattern, run.inventory, { action: "read inventory_hostnames", cwd: play.play.baseDir }),
    context: (name) => {
      if (!run.inventory.hosts.has(name) && !run.hasHost(name)) return undefined;
      const scope = scopeOfOther(run, play, run.hostNamed(name));
      return contextOf(run, scope, [play.play.baseDir], directory);
    },
  };
  return directory;
}

const contextOf = (
  run: RunState,
  scope: Scope,
  searchPath: readonly string[],
  hosts: HostDirectory,
): RenderContext => ({
  scope,
  searchPath,
  hosts,
  openVault: run.request.openVault,
  env: run.request.environment.env,
  now: () => run.clock.now(),
  random: run.request.environment.random,
});

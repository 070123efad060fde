/** Which variables a task on a host sees: Ansible's layers, laid over each other here. */
import type { JsonObject, JsonValue } from "../../base/json.ts";
import { matchPattern } from "../inventory/match-pattern.ts";
import type { Inherited, Role } from "../playbook/model.ts";
import type { MapNode } from "../source/node.ts";
import type { HostDirectory, RenderContext } from "../vars/render-context.ts";
import type { Scope, Variable } from "../vars/variable.ts";
import { FactsNeeded } from "./facts-needed.ts";
import { isNoFact } from "./facts-wanted.ts";
import type { Frame, RoleInUse } from "./frame.ts";
import { hostVariables } from "./host-variables.ts";
import { magicNames, magicVariable } from "./magic-variables.ts";
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

const isInclude = ({ varsAreParams }: Inherited): boolean => varsAreParams === true;

type Layer = (name: string) => Variable | undefined;

export function scopeOf(play: PlayState, { host, frame, statement, vars }: ScopeRequest): RenderContext {
  const { run } = play;
  const roles = [...frame.roles].reverse();
  const blocks = [...(statement === undefined ? [] : [statement]), ...frame.chain.slice(1).reverse()];
  const own = withDependencies(roles);
  const allRoles = [
    ...own,
    ...play.publicRoles.filter(({ role }) => !own.some((each) => each.role === role)).reverse(),
  ];
  const layers: Maps = [
    ...(vars === undefined ? [] : [vars]),
    run.request.extraVars,
    ...roles.map(({ params }) => layerOf(params, "role params")),
    frame.includeVars,
    ...blocks.filter(isInclude).map((block) => layerOf(block.vars, "include params")),
    setLayer(host),
    host.includeVars,
    ...blocks.filter((block) => !isInclude(block)).map((block) => layerOf(block.vars, "vars")),
    ...allRoles.map(({ role }) => layerOf(role.vars, `vars of role ${role.name}`)),
    play.varsFilesOf(host),
    play.playVars,
    layerOf(play.play.vars, "play vars"),
  ];
  const inventory = hostVariables(run, host.name, play.play.baseDir);
  const defaults = allRoles.map(({ role }) => layerOf(role.defaults, `defaults of role ${role.name}`));
  const scope = scopeFrom({
    magic: (name) => magicVariable({ run, play, host, frame }, name),
    layers,
    facts: factLayer(run, host),
    behind: [inventory, ...defaults],
    missing: missingFact(run, host),
  });
  return contextOf(run, scope, play.searchPath(undefined, frame), directoryOf(run, play));
}

/** A role sees the vars and defaults of what it depends on, its own first: as in Ansible, also when it is included. */
function withDependencies(roles: readonly RoleInUse[]): readonly RoleInUse[] {
  const found = new Map<Role, RoleInUse>();
  const visit = (use: RoleInUse): void => {
    if (found.has(use.role)) return;
    found.set(use.role, use);
    for (const { role, params } of use.role.dependencies.toReversed()) visit({ role, params });
  };
  for (const use of roles) visit(use);
  return [...found.values()];
}

type Maps = readonly ReadonlyMap<string, Variable>[];

interface ScopeParts {
  readonly magic: Layer;
  readonly layers: Maps;
  readonly facts: Layer;
  readonly behind: Maps;
  readonly missing: (name: string) => void;
}

/** The first hit wins; a fact that nobody knows yet is asked for. */
function scopeFrom({ magic, layers, facts, behind, missing }: ScopeParts): Scope {
  return {
    lookup: (name) => {
      const known = magic(name) ?? firstOf(layers, name) ?? facts(name) ?? firstOf(behind, name);
      if (known === undefined) missing(name);
      return known;
    },
    names: function* () {
      const seen = new Set<string>(magicNames);
      yield* magicNames;
      for (const layer of [...layers, ...behind]) {
        for (const name of layer.keys()) {
          if (seen.has(name)) continue;
          seen.add(name);
          yield name;
        }
      }
    },
  };
}

function firstOf(layers: Maps, name: string): Variable | undefined {
  for (const layer of layers) {
    const found = layer.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

const empty: ReadonlyMap<string, Variable> = new Map();
const layers = new WeakMap<MapNode, ReadonlyMap<string, Variable>>();

export function layerOf(node: MapNode | undefined, layer: string): ReadonlyMap<string, Variable> {
  if (node === undefined) return empty;
  const known = layers.get(node);
  if (known !== undefined) return known;
  const made = new Map<string, Variable>();
  for (const { key, value } of node.entries) {
    made.set(String(key.value), { kind: "template", node: value, origin: { layer, span: key.span } });
  }
  layers.set(node, made);
  return made;
}

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
  return (name) => {
    const learnt = ownFact(moduleFacts, name.startsWith(prefix) ? name.slice(prefix.length) : name);
    if (learnt !== undefined) return dataVariable(learnt, "facts");
    if (facts === undefined) {
      // What is still to be gathered on demand must not be hidden by what a module learnt.
      const isWhole = hasOwn && name === "ansible_facts" && !run.factsWanted.has(host.name);
      return isWhole ? dataVariable(moduleFacts, "facts") : undefined;
    }
    if (name === "ansible_facts") return dataVariable(hasOwn ? { ...facts, ...moduleFacts } : facts, "facts");
    if (!name.startsWith(prefix)) return undefined;
    const value: JsonValue | undefined = ownFact(facts, name.slice(prefix.length));
    return value === undefined ? undefined : dataVariable(value, "facts");
  };
}

const ownFact = (facts: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(facts, name) ? facts[name] : undefined;

const missingFact =
  (run: RunState, host: RunHost) =>
  (name: string): void => {
    if (host.facts !== undefined || !name.startsWith(prefix) || isNoFact(name)) return;
    if (run.factsWanted.has(host.name)) throw new FactsNeeded(host);
  };

/** What `hostvars[name]` sees: nothing of plays and roles. */
function scopeOfOther(run: RunState, play: PlayState, host: RunHost): Scope {
  return scopeFrom({
    magic: (name) => magicVariable({ run, play, host, frame: undefined }, name),
    layers: [run.request.extraVars, setLayer(host), host.includeVars],
    facts: factLayer(run, host),
    behind: [hostVariables(run, host.name, play.play.baseDir)],
    missing: missingFact(run, host),
  });
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

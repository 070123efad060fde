/**
 * Ansible's order of variables, held against an oracle by a property test. The engine still lays its own layers
 * (engine/scopes.ts): one of the two has to go. Each source is a layer; a Scope looks from the strongest down and takes the first hit,
 * so making one costs as much as there are layers, however many variables they hold. Layers are shared between hosts
 * and tasks and never changed: what is set during a run comes as a new layer.
 *
 * Strongest first: the item of a loop, magic names, -e, include params, role params, set_fact and register,
 * include_vars, task vars, block vars (inner first), role vars, vars_files, vars_prompt, play vars, facts, the host's
 * own (host_vars, inventory lines), its groups (child before parent), role defaults.
 */
import type { Scope, Variable } from "./variable.ts";

export interface Layer {
  /** In words, for --explain: `vars of role zookeeper`. */
  readonly name: string;
  get(name: string): Variable | undefined;
  keys(): Iterable<string>;
}
type Layers = readonly Layer[];

/** Where there are several of one kind, the strongest comes first. Absent: there is none. */
export interface ScopeParts {
  /** item, index, loop: above everything, also -e. */
  readonly item?: Layer | undefined;
  /** inventory_hostname, groups, … : nobody overrides them. */
  readonly magic?: Layer | undefined;
  readonly extraVars?: Layer | undefined;
  /** vars of include_tasks and include_role, of the innermost include first. */
  readonly includeParams?: Layers;
  /** Innermost role first. */
  readonly roleParams?: Layers;
  /** set_fact and register of this host, the latest set in one layer. */
  readonly setFacts?: Layer | undefined;
  readonly includeVars?: Layer | undefined;
  readonly taskVars?: Layer | undefined;
  /** Innermost block first. */
  readonly blockVars?: Layers;
  /** vars/main.yml of the role that runs, of the roles that use it, of other roles of the play, the latest first. */
  readonly roleVars?: Layers;
  /** The last file first. */
  readonly varsFiles?: Layers;
  readonly varsPrompt?: Layer | undefined;
  readonly playVars?: Layer | undefined;
  /** `ansible_facts` and its names; facts set with cacheable. */
  readonly facts?: Layer | undefined;
  /** As inventory/host-layers.ts gives them, weakest first. */
  readonly inventory?: Layers;
  /** The role that runs first, then those that use it, then the public ones of the play, the latest first. */
  readonly roleDefaults?: Layers;
}

export function buildScope(parts: ScopeParts): LayeredScope {
  const one = (layer: Layer | undefined): Layers => (layer === undefined ? [] : [layer]);
  return new LayeredScope([
    ...one(parts.item),
    ...one(parts.magic),
    ...one(parts.extraVars),
    ...(parts.includeParams ?? []),
    ...(parts.roleParams ?? []),
    ...one(parts.setFacts),
    ...one(parts.includeVars),
    ...one(parts.taskVars),
    ...(parts.blockVars ?? []),
    ...(parts.roleVars ?? []),
    ...(parts.varsFiles ?? []),
    ...one(parts.varsPrompt),
    ...one(parts.playVars),
    ...one(parts.facts),
    ...[...(parts.inventory ?? [])].reverse(),
    ...(parts.roleDefaults ?? []),
  ]);
}

export class LayeredScope implements Scope {
  /** Strongest first. */
  readonly layers: Layers;
  constructor(layers: Layers) {
    this.layers = layers;
  }

  lookup(name: string): Variable | undefined {
    for (const layer of this.layers) {
      const found = layer.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  *names(): Iterable<string> {
    const seen = new Set<string>();
    for (const layer of this.layers)
      for (const name of layer.keys()) {
        if (seen.has(name)) continue;
        seen.add(name);
        yield name;
      }
  }

  /** The same scope with one more layer above all: an item of a loop, a result. */
  with(layer: Layer): LayeredScope {
    return new LayeredScope([layer, ...this.layers]);
  }
}

export interface Definition {
  readonly layer: string;
  readonly variable: Variable;
}

/** All layers that define a name, the one that counts first. */
export const explain = (scope: LayeredScope, name: string): readonly Definition[] =>
  scope.layers.flatMap((layer) => {
    const variable = layer.get(name);
    return variable === undefined ? [] : [{ layer: layer.name, variable }];
  });

export function mapLayer(name: string, variables: ReadonlyMap<string, Variable>): Layer {
  return { name, get: (key) => variables.get(key), keys: () => variables.keys() };
}

/**
 * Ansible's order of variables, once: the engine's scopes and `--explain` are both laid here. Each source is a layer; a
 * Scope looks from the strongest down and takes the first hit, so making one costs as much as there are layers, however
 * many variables they hold. Layers are shared between hosts and tasks and never changed: what is set during a run comes
 * as a new layer.
 */
import type { MapNode } from "../source/node.ts";
import { keyText } from "../source/to-plain.ts";
import type { Scope, Variable } from "./variable.ts";

/** A map of variables, or what answers like one. */
export interface Layer {
  get(name: string): Variable | undefined;
  keys(): Iterable<string>;
}
type Layers = readonly Layer[];

/** From the strongest to the weakest; where there are several of one kind, the strongest comes first. */
export interface ScopeParts {
  /** item, index, loop: above everything, also -e. */
  readonly loop?: Layer | undefined;
  /** inventory_hostname, groups, …: set by nobody. */
  readonly magic?: Layer | undefined;
  readonly extraVars?: Layer | undefined;
  /** Loop variables and vars of include_tasks and include_role, of the innermost include first. */
  readonly includeParams?: Layers;
  /** Innermost role first. */
  readonly roleParams?: Layers;
  /** set_fact and register of this host. */
  readonly setFacts?: Layer | undefined;
  readonly includeVars?: Layer | undefined;
  /** vars of the task, then of the blocks around it, the innermost first. */
  readonly taskVars?: Layers;
  /** vars/main.yml of the role that runs, of those around it, of other roles of the play, the latest first. */
  readonly roleVars?: Layers;
  /** The last file first. */
  readonly varsFiles?: Layers;
  readonly varsPrompt?: Layer | undefined;
  /** Of several plays only to explain them: a run is in one. */
  readonly playVars?: Layers;
  /** `ansible_facts` and its names; facts set with cacheable. */
  readonly facts?: Layer | undefined;
  /** Inventory, group_vars and host_vars, as inventory/host-layers.ts gives them. */
  readonly inventory?: Layers;
  /** In the order of roleVars. */
  readonly roleDefaults?: Layers;
}

/** The order. The types see to it that no kind is forgotten. */
const strongestFirst: readonly (keyof ScopeParts)[] = Object.keys({
  loop: 0,
  magic: 0,
  extraVars: 0,
  includeParams: 0,
  roleParams: 0,
  setFacts: 0,
  includeVars: 0,
  taskVars: 0,
  roleVars: 0,
  varsFiles: 0,
  varsPrompt: 0,
  playVars: 0,
  facts: 0,
  inventory: 0,
  roleDefaults: 0,
} satisfies Record<keyof ScopeParts, 0>) as (keyof ScopeParts)[];

export class LayeredScope implements Scope {
  /** Strongest first. */
  readonly layers: Layers;
  readonly #missing: ((name: string) => void) | undefined;

  /** `missing` hears of each name that no layer has. */
  constructor(parts: ScopeParts, missing?: (name: string) => void) {
    this.layers = strongestFirst.flatMap((kind): Layers | Layer => parts[kind] ?? []);
    this.#missing = missing;
  }

  lookup(name: string): Variable | undefined {
    for (const layer of this.layers) {
      const found = layer.get(name);
      if (found !== undefined) return found;
    }
    this.#missing?.(name);
    return undefined;
  }

  *names(): Iterable<string> {
    const seen = new Set<string>();
    for (const layer of this.layers) {
      for (const name of layer.keys()) {
        if (seen.has(name)) continue;
        seen.add(name);
        yield name;
      }
    }
  }

  /** All definitions of a name, the one that counts first. */
  definitions(name: string): readonly Variable[] {
    return this.layers.flatMap((layer) => layer.get(name) ?? []);
  }
}

const noVariables: ReadonlyMap<string, Variable> = new Map();
const made = new WeakMap<MapNode, ReadonlyMap<string, Variable>>();

/** A map as written; made once, and named as it was then. */
export function layerOf(node: MapNode | undefined, layer: string): ReadonlyMap<string, Variable> {
  if (node === undefined) return noVariables;
  const known = made.get(node);
  if (known !== undefined) return known;
  const variables = new Map<string, Variable>();
  for (const { key, value } of node.entries) {
    variables.set(keyText(key), { kind: "template", node: value, origin: { layer, span: value.span } });
  }
  made.set(node, variables);
  return variables;
}

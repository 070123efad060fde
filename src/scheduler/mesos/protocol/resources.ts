/**
 * Arithmetic of resources. A `Resources` never changes; adding and taking away make new ones. Amounts of the same name,
 * role and special properties (dynamic reservation, disk source, revocability) are one entry.
 */
import {
  formatQuantity,
  includes,
  isNothing,
  KindMismatch,
  minus,
  parseQuantity,
  plus,
  type Quantity,
  type Range,
  ranges,
  scalar,
  set,
} from "./quantity.ts";
import type { Resource } from "./resource.ts";
import { WireError } from "./wire.ts";

export interface ResourceEntry {
  readonly name: string;
  /** The role that it is reserved for, "*" for none. */
  readonly role: string;
  readonly quantity: Quantity;
  /** What sets it apart from plain resources of this name and role; part of the key, carried along untouched. */
  readonly special?: SpecialProperties | undefined;
}

type SpecialProperties = Pick<Resource, "reservations" | "disk" | "revocable" | "shared">;

/** How a framework wants resources written. */
export interface WireForm {
  /** The role of an allocation, for MULTI_ROLE frameworks. */
  readonly allocationRole?: string | undefined;
  /** RESERVATION_REFINEMENT: `reservations` instead of `role`. */
  readonly refined?: boolean;
}

const emptyEntries: ReadonlyMap<string, ResourceEntry> = new Map();

export class Resources {
  static readonly none = new Resources(emptyEntries);
  readonly #entries: ReadonlyMap<string, ResourceEntry>;

  private constructor(entries: ReadonlyMap<string, ResourceEntry>) {
    this.#entries = entries;
  }

  static of(entries: Iterable<ResourceEntry>): Resources {
    const map = new Map<string, ResourceEntry>();
    for (const entry of entries) put(map, entry, plus);
    return map.size === 0 ? Resources.none : new Resources(map);
  }

  /** Throws WireError for a value that does not fit its type. */
  static fromWire(list: readonly Resource[]): Resources {
    return Resources.of(list.map(entryFromWire));
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  get entries(): IterableIterator<ResourceEntry> {
    return this.#entries.values();
  }

  plus(other: Resources): Resources {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    return this.#combined(other, plus);
  }

  /** What is left; an entry that `this` does not hold is ignored. */
  minus(other: Resources): Resources {
    return other.isEmpty || this.isEmpty ? this : this.#combined(other, minus);
  }

  contains(other: Resources): boolean {
    for (const [key, entry] of other.#entries) {
      const mine = this.#entries.get(key);
      if (mine === undefined || !includes(mine.quantity, entry.quantity)) return false;
    }
    return true;
  }

  equals(other: Resources): boolean {
    return this.contains(other) && other.contains(this);
  }

  filter(keep: (entry: ResourceEntry) => boolean): Resources {
    return Resources.of([...this.#entries.values()].filter(keep));
  }

  /** The sum of a scalar over all roles, in thousandths: whole numbers, safe to add up. */
  milli(name: string): number {
    let sum = 0;
    for (const entry of this.#entries.values())
      if (entry.name === name && entry.quantity.kind === "scalar") sum += entry.quantity.milli;
    return sum;
  }

  scalar(name: string): number {
    return this.milli(name) / 1000;
  }

  ranges(name: string): readonly Range[] {
    const found = [...this.#entries.values()].filter((entry) => entry.name === name);
    const joined = ranges(
      found.flatMap(({ quantity }) => (quantity.kind === "ranges" ? quantity.ranges : [])),
    );
    return joined.kind === "ranges" ? joined.ranges : [];
  }

  toWire(form: WireForm = {}): Resource[] {
    return [...this.#entries.values()].map((entry) => entryToWire(entry, form));
  }

  /** The model of `/state`: `{"cpus":4,"mem":8192,"ports":"[31000-32000]"}`, always with the four usual scalars. */
  toModel(): Record<string, number | string> {
    const model: Record<string, number | string> = { cpus: 0, gpus: 0, mem: 0, disk: 0 };
    const byName = new Map<string, Quantity>();
    for (const { name, quantity, special } of this.#entries.values()) {
      const key = special?.revocable === undefined ? name : `${name}_revocable`;
      const sum = byName.get(key);
      byName.set(key, sum === undefined ? quantity : plus(sum, quantity));
    }
    for (const [name, quantity] of byName)
      model[name] = quantity.kind === "scalar" ? quantity.milli / 1000 : formatQuantity(quantity);
    return model;
  }

  /** `cpus:4;mem:8192;ports(web):[31000-32000]`. */
  toString(): string {
    return [...this.#entries.values()]
      .map(
        ({ name, role, quantity }) => `${name}${role === "*" ? "" : `(${role})`}:${formatQuantity(quantity)}`,
      )
      .join(";");
  }

  #combined(other: Resources, combine: typeof plus): Resources {
    const map = new Map(this.#entries);
    for (const entry of other.#entries.values()) put(map, entry, combine);
    return map.size === 0 ? Resources.none : new Resources(map);
  }
}

function put(map: Map<string, ResourceEntry>, entry: ResourceEntry, combine: typeof plus): void {
  const key = keyOf(entry);
  const present = map.get(key);
  if (present === undefined) {
    if (combine === plus && !isNothing(entry.quantity)) map.set(key, entry);
    return;
  }
  const quantity = combine(present.quantity, entry.quantity);
  if (isNothing(quantity)) map.delete(key);
  else map.set(key, { ...present, quantity });
}

const keyOf = ({ name, role, special }: ResourceEntry): string =>
  special === undefined ? `${name}\0${role}` : `${name}\0${role}\0${JSON.stringify(special)}`;

function entryFromWire(resource: Resource): ResourceEntry {
  const stack = resource.reservations ?? [];
  const role = stack.at(-1)?.role ?? resource.role ?? "*";
  const plain = stack.length <= 1 && (stack[0]?.type ?? "STATIC") === "STATIC";
  const reservations = plain ? oldReservation(resource, role) : stack;
  const special = {
    ...(reservations === undefined ? {} : { reservations }),
    ...(resource.disk === undefined ? {} : { disk: resource.disk }),
    ...(resource.revocable === undefined ? {} : { revocable: resource.revocable }),
    ...(resource.shared === undefined ? {} : { shared: resource.shared }),
  };
  const entry = { name: resource.name, role, quantity: quantityFromWire(resource) };
  return Object.keys(special).length === 0 ? entry : { ...entry, special };
}

/** The form of before refinement: `role` plus `reservation` for a dynamic one. */
const oldReservation = ({ reservation }: Resource, role: string): Resource["reservations"] =>
  reservation === undefined ? undefined : [{ ...reservation, type: "DYNAMIC", role }];

function quantityFromWire(resource: Resource): Quantity {
  const { name, type } = resource;
  if (type === "SCALAR" && resource.scalar !== undefined) {
    if (resource.scalar.value < 0) throw new WireError(`resource '${name}' is negative`);
    return scalar(resource.scalar.value);
  }
  if (type === "RANGES" && resource.ranges !== undefined) {
    const bad = resource.ranges.range.find(({ begin, end }) => begin > end);
    if (bad !== undefined) throw new WireError(`resource '${name}' has the range ${bad.begin}-${bad.end}`);
    return ranges(resource.ranges.range);
  }
  if (type === "SET" && resource.set !== undefined) return set(resource.set.item);
  throw new WireError(`resource '${name}' is said to be ${type} and holds no such value`);
}

function entryToWire(entry: ResourceEntry, form: WireForm): Resource {
  const { name, role, special } = entry;
  const { reservations, ...rest } = special ?? {};
  const resource: Resource = { name, ...quantityToWire(entry.quantity), ...rest };
  if (form.allocationRole !== undefined) resource.allocation_info = { role: form.allocationRole };
  if (form.refined === true) {
    if (reservations !== undefined) resource.reservations = reservations;
    else if (role !== "*") resource.reservations = [{ type: "STATIC", role }];
    return resource;
  }
  resource.role = role;
  const dynamic = reservations?.at(-1);
  if (dynamic?.type === "DYNAMIC") {
    const { principal, labels } = dynamic;
    resource.reservation = {
      ...(principal === undefined ? {} : { principal }),
      ...(labels === undefined ? {} : { labels }),
    };
  }
  return resource;
}

function quantityToWire(quantity: Quantity): Pick<Resource, "type" | "scalar" | "ranges" | "set"> {
  if (quantity.kind === "scalar") return { type: "SCALAR", scalar: { value: quantity.milli / 1000 } };
  if (quantity.kind === "set") return { type: "SET", set: { item: [...quantity.items] } };
  return { type: "RANGES", ranges: { range: quantity.ranges.map(({ begin, end }) => ({ begin, end })) } };
}

/** Reads `cpus:4;mem:8192;ports:[31000-32000];bugs(role):{a,b}`. Throws WireError naming the bad part. */
export function parseResources(text: string): Resources {
  const entries: ResourceEntry[] = [];
  for (const part of text.split(/[;\n]/).map((piece) => piece.trim())) {
    if (part === "") continue;
    const [, name, role, value] = /^([^:()\s]+)\s*(?:\(([^()]+)\))?\s*:(.+)$/s.exec(part) ?? [];
    const quantity = value === undefined ? undefined : parseQuantity(value);
    if (name === undefined || quantity === undefined)
      throw new WireError(`"${part}" is no resource like cpus:4, ports:[31000-32000] or disks:{a,b}`);
    entries.push({ name, role: role?.trim() ?? "*", quantity });
  }
  try {
    return Resources.of(entries);
  } catch (error) {
    if (error instanceof KindMismatch)
      throw new WireError(`one resource is given in two kinds: ${error.message}`);
    throw error;
  }
}

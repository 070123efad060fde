/**
 * The next state while it is being made. Maps are copied when they are first written to, so that the state a draft
 * started from never changes; what must be stored, said to Mesos and told to listeners is gathered beside it.
 */
import type { Random } from "../../../base/clock.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { SchedulerCall } from "../../mesos/protocol/scheduler-call.ts";
import type { AppDefinition, AppId, Version } from "../model/app.ts";
import type { Deployment } from "../model/deployment.ts";
import type { Instance, InstanceId } from "../model/instance.ts";
import type { GroupRecord, InstanceChecks, MarathonState } from "./state.ts";

/** What must be stored, in domain words; undefined removes. The storage room knows the keys. */
export type Write =
  | { readonly kind: "framework"; readonly id: string | undefined }
  | { readonly kind: "app"; readonly id: AppId; readonly version: Version | undefined }
  | {
      readonly kind: "version";
      readonly id: AppId;
      readonly version: Version;
      readonly value: AppDefinition | undefined;
    }
  | { readonly kind: "group"; readonly id: AppId; readonly value: GroupRecord | undefined }
  | { readonly kind: "instance"; readonly id: InstanceId; readonly value: Instance | undefined }
  | { readonly kind: "deployment"; readonly id: string; readonly value: Deployment | undefined };

/** A call before the driver adds the framework's id. */
export type MesosCall = SchedulerCall extends infer Call
  ? Call extends { readonly framework_id: unknown }
    ? Omit<Call, "framework_id">
    : never
  : never;

/** Told to `/v2/events`; the listener adds nothing. */
export type MarathonEvent = JsonObject & { readonly eventType: string; readonly timestamp: string };

export interface Context {
  readonly now: number;
  readonly random: Random;
}

type MapField = {
  [Key in keyof MarathonState]: MarathonState[Key] extends ReadonlyMap<string, unknown> ? Key : never;
}[keyof MarathonState] &
  string;
type ValueOf<Field extends MapField> = MarathonState[Field] extends ReadonlyMap<string, infer V> ? V : never;

export class Draft {
  #state: MarathonState;
  readonly now: number;
  readonly random: Random;
  readonly writes: Write[] = [];
  readonly calls: MesosCall[] = [];
  readonly events: MarathonEvent[] = [];
  /** Apps whose instances must be looked at before the draft is done. */
  readonly dirty = new Set<AppId>();
  readonly #owned = new Set<unknown>();

  constructor(state: MarathonState, { now, random }: Context) {
    this.#state = state;
    this.now = now;
    this.random = random;
  }

  get state(): MarathonState {
    return this.#state;
  }

  patch(fields: Partial<MarathonState>): void {
    this.#state = { ...this.#state, ...fields };
  }

  replace(state: MarathonState): void {
    this.#state = state;
  }

  /** Sets a map's entry; undefined removes it. */
  set<Field extends MapField>(field: Field, key: string, value: ValueOf<Field> | undefined): void {
    const map = this.#own(this.#state[field] as ReadonlyMap<string, unknown>, (copy) =>
      this.patch({ [field]: copy }),
    );
    if (value === undefined) map.delete(key);
    else map.set(key, value);
  }

  #own<V>(map: ReadonlyMap<string, V>, keep: (copy: Map<string, V>) => void): Map<string, V> {
    if (this.#owned.has(map)) return map as Map<string, V>;
    const copy = new Map(map);
    this.#owned.add(copy);
    keep(copy);
    return copy;
  }

  #nested<Field extends "instances" | "checks", V>(
    field: Field,
    appId: AppId,
    id: InstanceId,
    value: V | undefined,
  ): void {
    const map = (this.#state[field].get(appId) ?? new Map()) as unknown as ReadonlyMap<string, V>;
    const own = this.#own(map, (copy) => this.set(field, appId, copy as never));
    if (value === undefined) own.delete(id);
    else own.set(id, value);
    if (own.size === 0) this.set(field, appId, undefined);
  }

  /** `store: false` for what a failover may forget. */
  putInstance(instance: Instance, store = true): void {
    this.#nested("instances", instance.appId, instance.id, instance);
    if (store) this.writes.push({ kind: "instance", id: instance.id, value: instance });
    this.dirty.add(instance.appId);
  }

  removeInstance(instance: Instance): void {
    this.#nested("instances", instance.appId, instance.id, undefined);
    this.#nested("checks", instance.appId, instance.id, undefined);
    this.set("kills", instance.id, undefined);
    this.writes.push({ kind: "instance", id: instance.id, value: undefined });
    this.dirty.add(instance.appId);
  }

  putChecks(instance: Instance, checks: InstanceChecks): void {
    this.#nested("checks", instance.appId, instance.id, checks);
    this.dirty.add(instance.appId);
  }

  putDeployment(deployment: Deployment): void {
    this.set("deployments", deployment.id, deployment);
    this.writes.push({ kind: "deployment", id: deployment.id, value: deployment });
    for (const { app } of deployment.changes) this.dirty.add(app);
  }

  removeDeployment(deployment: Deployment): void {
    this.set("deployments", deployment.id, undefined);
    this.writes.push({ kind: "deployment", id: deployment.id, value: undefined });
    for (const { app } of deployment.changes) this.dirty.add(app);
  }

  putGroup(id: AppId, value: GroupRecord | undefined): void {
    this.set("groups", id, value);
    this.writes.push({ kind: "group", id, value });
  }

  call(call: MesosCall): void {
    this.calls.push(call);
  }

  tell(eventType: string, fields: JsonObject = {}): void {
    this.events.push({ ...fields, eventType, timestamp: new Date(this.now).toISOString() });
  }

  /** A version that none had before. */
  nextVersion(): Version {
    const last = Date.parse(this.#state.lastVersion);
    const version = new Date(Math.max(this.now, last + 1)).toISOString();
    this.patch({ lastVersion: version });
    return version;
  }

  uuid(): string {
    const hex = () => Math.floor(this.random() * 16).toString(16);
    const digits = (count: number) => Array.from({ length: count }, hex).join("");
    const variant = (8 + Math.floor(this.random() * 4)).toString(16);
    return `${digits(8)}-${digits(4)}-4${digits(3)}-${variant}${digits(3)}-${digits(12)}`;
  }
}

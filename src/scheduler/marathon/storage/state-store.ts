/**
 * Where each thing that must not be lost has its key, and how a state comes back from them. One node an app version,
 * an instance, a deployment: each a few hundred bytes to a few kilobytes, far below ZooKeeper's limit of 1 MB.
 *
 *   /framework                 the framework's id
 *   /leader                    who wrote last: a fence, see `Fence`
 *   /apps/<app>                the version that is current
 *   /versions/<app>/<version>  a definition
 *   /groups/<group>            dependencies
 *   /instances/<app>/<uuid>    an instance
 *   /deployments/<id>          a deployment that runs
 */
import type { z } from "zod";
import type { Store, StoreOperation } from "../../store.ts";
import type { Write } from "../core/draft.ts";
import { emptyState, type GroupRecord, type MarathonState, type Settings } from "../core/state.ts";
import type { AppDefinition, AppId } from "../model/app.ts";
import type { Deployment } from "../model/deployment.ts";
import { appOfInstance, type Instance, uuidOfInstance } from "../model/instance.ts";
import { root, safeId } from "../model/path-id.ts";
import {
  currentShape,
  definitionShape,
  deploymentShape,
  frameworkShape,
  groupShape,
  instanceShape,
  readStored,
} from "./stored-value.ts";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** "a_b" of "/a/b", "_" of the root; segments never hold "_". */
const nodeOf = (id: AppId): string => (id === root ? "_" : safeId(id));
const idOfNode = (node: string): AppId => (node === "_" ? root : `/${node.replaceAll("_", "/")}`);

function keyOf(write: Write): string {
  switch (write.kind) {
    case "framework":
      return "/framework";
    case "app":
      return `/apps/${nodeOf(write.id)}`;
    case "version":
      return `/versions/${nodeOf(write.id)}/${write.version}`;
    case "group":
      return `/groups/${nodeOf(write.id)}`;
    case "instance":
      return `/instances/${nodeOf(appOfInstance(write.id))}/${uuidOfInstance(write.id)}`;
    case "deployment":
      return `/deployments/${write.id}`;
  }
}

function storedValueOf(write: Write): unknown {
  if (write.kind === "framework") return write.id === undefined ? undefined : { id: write.id };
  if (write.kind === "app") return write.version === undefined ? undefined : { version: write.version };
  return write.value;
}

/** The last write of a key wins; the order of first writes stays. */
export function operationsOf(writes: readonly Write[]): readonly StoreOperation[] {
  const last = new Map<string, StoreOperation>();
  for (const write of writes) {
    const key = keyOf(write);
    const value = storedValueOf(write);
    last.set(key, value === undefined ? { op: "delete", key } : { op: "put", key, value: bytes(value) });
  }
  return [...last.values()];
}

/** How many nodes are read at the same time. */
const maxReads = 64;
const maxFolderReads = 32;

export async function loadState(store: Store, settings: Settings): Promise<MarathonState> {
  const [framework, apps, versions, groups, instances, deployments] = await Promise.all([
    store.get("/framework"),
    readAll<{ version: string }>(store, "/apps", currentShape),
    readNested<AppDefinition>(store, "/versions", definitionShape),
    readAll<GroupRecord>(store, "/groups", groupShape),
    readNested<Instance>(store, "/instances", instanceShape),
    readAll<Deployment>(store, "/deployments", deploymentShape),
  ]);
  const byApp = new Map<AppId, readonly AppDefinition[]>();
  for (const [node, definitions] of versions) {
    byApp.set(
      idOfNode(node),
      definitions.toSorted((a, b) => (a.version < b.version ? -1 : 1)),
    );
  }
  const current = new Map<AppId, AppDefinition>();
  for (const [node, { version }] of apps) {
    const id = idOfNode(node);
    const definition = byApp.get(id)?.find((candidate) => candidate.version === version);
    if (definition !== undefined) current.set(id, definition);
  }
  const base = emptyState(settings);
  return {
    ...base,
    ...(framework === undefined
      ? {}
      : { frameworkId: readStored<{ id: string }>(frameworkShape, "/framework", framework).id }),
    apps: current,
    versions: byApp,
    groups: new Map([...groups].map(([node, group]) => [idOfNode(node), group])),
    instances: new Map(
      [...instances].map(([node, list]) => [idOfNode(node), new Map(list.map((one) => [one.id, one]))]),
    ),
    deployments: new Map(deployments),
    lastVersion: [...byApp.values()]
      .flatMap((list) => list.at(-1)?.version ?? [])
      .reduce((a, b) => (a > b ? a : b), base.lastVersion),
  };
}

async function readNested<T>(
  store: Store,
  key: string,
  shape: z.ZodType,
): Promise<ReadonlyMap<string, readonly T[]>> {
  const names = await store.list(key);
  const found = new Map<string, readonly T[]>();
  for (let at = 0; at < names.length; at += maxFolderReads) {
    const part = names.slice(at, at + maxFolderReads);
    const folders = await Promise.all(part.map((name) => readAll<T>(store, `${key}/${name}`, shape)));
    folders.forEach((values, index) => {
      if (values.size > 0) found.set(part[index] ?? "", [...values.values()]);
    });
  }
  return found;
}

async function readAll<T>(store: Store, key: string, shape: z.ZodType): Promise<ReadonlyMap<string, T>> {
  const names = await store.list(key);
  const found = new Map<string, T>();
  for (let at = 0; at < names.length; at += maxReads) {
    const part = names.slice(at, at + maxReads);
    const values = await Promise.all(part.map((name) => store.get(`${key}/${name}`)));
    values.forEach((value, index) => {
      const name = part[index] ?? "";
      if (value !== undefined) found.set(name, readStored<T>(shape, `${key}/${name}`, value));
    });
  }
  return found;
}

/**
 * All that Marathon knows. `decide` takes it with one event and gives the next; nothing changes it in place.
 * Stored: framework, apps, versions, groups, instances, deployments. The rest is learnt again after a failover.
 */
import type { Attribute } from "../../mesos/protocol/resource.ts";
import type { AppDefinition, AppId, Version } from "../model/app.ts";
import type { Deployment } from "../model/deployment.ts";
import type { Instance, InstanceId } from "../model/instance.ts";

export interface GroupRecord {
  readonly id: AppId;
  readonly dependencies: readonly AppId[];
  readonly version: Version;
  readonly enforceRole?: boolean;
}

export interface Backoff {
  readonly configVersion: Version;
  readonly delayMs: number;
  /** No launch before. */
  readonly until: number;
}

export interface QueueEntry {
  readonly count: number;
  readonly since: number;
  /** When `count` last grew: offers that were declined before that are wanted back. */
  readonly raisedAt: number;
  readonly version: Version;
  readonly processedOffers: number;
  readonly unusedOffers: number;
  /** Reason → how many offers were refused for it, ever. */
  readonly rejections: Readonly<Record<string, number>>;
  /** The same of the newest offers alone, of which there were `processed`. */
  readonly lastOffers: { readonly processed: number; readonly rejections: Readonly<Record<string, number>> };
}

export interface CheckResult {
  readonly alive: boolean;
  readonly firstSuccess?: number;
  readonly lastSuccess?: number;
  readonly lastFailure?: number;
  readonly lastFailureCause?: string;
  readonly consecutiveFailures: number;
}

export interface Readiness {
  readonly ready: boolean;
  readonly status?: number;
  readonly body?: string;
}

export interface InstanceChecks {
  /** One place for each of the app's health checks; undefined: no result yet. */
  readonly health: readonly (CheckResult | undefined)[];
  readonly readiness?: Readiness;
}

export interface PendingKill {
  readonly attempts: number;
  readonly nextAt: number;
}

export interface TaskFailure {
  readonly appId: AppId;
  readonly host: string;
  readonly message: string;
  readonly state: string;
  readonly taskId: InstanceId;
  readonly timestamp: number;
  readonly version: Version;
  readonly slaveId: string;
}

export interface KnownAgent {
  readonly host: string;
  readonly attributes: readonly Attribute[];
  readonly seenAt: number;
}

export interface Link {
  readonly connected: boolean;
  readonly suppressed: boolean;
  readonly revivedAt: number;
  readonly reconciledAt: number;
  /** Nothing is launched any more, and everything is told to end. */
  readonly draining: boolean;
}

export interface Settings {
  readonly declineMs: number;
  readonly launchTimeoutMs: number;
  readonly reconcileIntervalMs: number;
  /** How long proxies get between hearing that an instance leaves and its end. */
  readonly drainMs: number;
  readonly maxRunningDeployments: number;
  readonly maxVersions: number;
  readonly servicePortMin: number;
  readonly servicePortMax: number;
  readonly role: string;
}

export interface MarathonState {
  readonly settings: Settings;
  readonly frameworkId?: string;
  /** The newest version ever given: versions rise. */
  readonly lastVersion: Version;
  readonly apps: ReadonlyMap<AppId, AppDefinition>;
  /** Oldest first, the current one included; those of removed apps while a deployment names them. */
  readonly versions: ReadonlyMap<AppId, readonly AppDefinition[]>;
  readonly groups: ReadonlyMap<AppId, GroupRecord>;
  readonly instances: ReadonlyMap<AppId, ReadonlyMap<InstanceId, Instance>>;
  readonly deployments: ReadonlyMap<string, Deployment>;
  readonly backoffs: ReadonlyMap<AppId, Backoff>;
  readonly queue: ReadonlyMap<AppId, QueueEntry>;
  readonly checks: ReadonlyMap<AppId, ReadonlyMap<InstanceId, InstanceChecks>>;
  readonly kills: ReadonlyMap<InstanceId, PendingKill>;
  readonly failures: ReadonlyMap<AppId, TaskFailure>;
  readonly agents: ReadonlyMap<string, KnownAgent>;
  readonly link: Link;
}

export const defaultSettings: Settings = {
  declineMs: 120_000,
  launchTimeoutMs: 300_000,
  reconcileIntervalMs: 600_000,
  drainMs: 2_000,
  maxRunningDeployments: 100,
  maxVersions: 50,
  servicePortMin: 10_000,
  servicePortMax: 20_000,
  role: "*",
};

export const emptyState = (settings: Settings = defaultSettings): MarathonState => ({
  settings,
  lastVersion: new Date(0).toISOString(),
  apps: new Map(),
  versions: new Map(),
  groups: new Map(),
  instances: new Map(),
  deployments: new Map(),
  backoffs: new Map(),
  queue: new Map(),
  checks: new Map(),
  kills: new Map(),
  failures: new Map(),
  agents: new Map(),
  link: { connected: false, suppressed: false, revivedAt: 0, reconciledAt: 0, draining: false },
});

const none: ReadonlyMap<InstanceId, Instance> = new Map();
export const instancesOf = (
  state: Pick<MarathonState, "instances">,
  appId: AppId,
): ReadonlyMap<InstanceId, Instance> => state.instances.get(appId) ?? none;

export const instanceById = (
  state: Pick<MarathonState, "instances">,
  appId: AppId,
  id: InstanceId,
): Instance | undefined => state.instances.get(appId)?.get(id);

export const definitionOf = (
  state: Pick<MarathonState, "versions">,
  appId: AppId,
  version: Version | undefined,
): AppDefinition | undefined =>
  version === undefined
    ? undefined
    : state.versions.get(appId)?.find((definition) => definition.version === version);

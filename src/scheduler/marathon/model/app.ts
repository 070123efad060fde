/**
 * The words of Marathon: apps, groups, instances, deployments. Plain data and pure functions over them; JSON comes in
 * through `parse-app.ts`, is checked by `validate-app.ts` and goes out through `app-json.ts`. No decisions here, no I/O.
 */

/** Absolute, canonical: "/group/app". The root group is "/". */
export type AppId = string;
/** ISO 8601 with milliseconds, UTC. Unique and rising for one app. */
export type Version = string;

export type ConstraintOperator = "UNIQUE" | "CLUSTER" | "GROUP_BY" | "LIKE" | "UNLIKE" | "MAX_PER" | "IS";
export interface Constraint {
  readonly field: string;
  readonly operator: ConstraintOperator;
  readonly value?: string;
}

export interface FetchUri {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: string;
}

export interface PortDefinition {
  /** The service port; 0 asks for one of our choice. With `requirePorts` also the host port. */
  readonly port: number;
  readonly protocol: string;
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PortMapping {
  /** 0: the same as the host port. */
  readonly containerPort: number;
  /** 0: any that the agent offers. Absent: not reachable through the host. */
  readonly hostPort?: number;
  readonly servicePort: number;
  readonly protocol: string;
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkNames: readonly string[];
}

export interface Network {
  readonly mode: "host" | "container/bridge" | "container";
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Volume {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly mode: "RO" | "RW";
}

export interface DockerContainer {
  readonly image: string;
  readonly forcePullImage: boolean;
  readonly privileged: boolean;
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
  /** The oldest form of a container: the image's EXPOSEd ports are mapped, in order, to the instance's ports. */
  readonly mapsExposedPorts: boolean;
}

export interface Container {
  readonly type: "DOCKER" | "MESOS";
  readonly docker?: DockerContainer;
  readonly volumes: readonly Volume[];
  readonly portMappings?: readonly PortMapping[];
}

export type HealthProtocol =
  | "HTTP"
  | "HTTPS"
  | "TCP"
  | "COMMAND"
  | "MESOS_HTTP"
  | "MESOS_HTTPS"
  | "MESOS_TCP";
export interface HealthCheck {
  readonly protocol: HealthProtocol;
  readonly path?: string;
  readonly portIndex?: number;
  readonly port?: number;
  readonly command?: string;
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxConsecutiveFailures: number;
  readonly delaySeconds: number;
  readonly ignoreHttp1xx: boolean;
}

export interface ReadinessCheck {
  readonly name: string;
  readonly protocol: "HTTP" | "HTTPS";
  readonly path: string;
  readonly portName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly httpStatusCodesForReady: readonly number[];
  readonly preserveLastResponse: boolean;
}

export interface UpgradeStrategy {
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
}

export type UnreachableStrategy =
  | "disabled"
  | { readonly inactiveAfterSeconds: number; readonly expungeAfterSeconds: number };

/** What a user may say of an app. */
export interface AppSpec {
  readonly id: AppId;
  readonly cmd?: string;
  readonly args?: readonly string[];
  readonly user?: string;
  readonly env: Readonly<Record<string, string>>;
  readonly instances: number;
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
  readonly executor: string;
  readonly constraints: readonly Constraint[];
  readonly fetch: readonly FetchUri[];
  readonly portDefinitions: readonly PortDefinition[];
  readonly requirePorts: boolean;
  readonly networks: readonly Network[];
  readonly container?: Container;
  readonly healthChecks: readonly HealthCheck[];
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly upgradeStrategy: UpgradeStrategy;
  readonly labels: Readonly<Record<string, string>>;
  readonly acceptedResourceRoles?: readonly string[];
  readonly backoffSeconds: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelaySeconds: number;
  readonly dependencies: readonly AppId[];
  readonly killSelection: "YOUNGEST_FIRST" | "OLDEST_FIRST";
  readonly unreachableStrategy: UnreachableStrategy;
  readonly taskKillGracePeriodSeconds?: number;
}

/** An app as it is kept: its spec, and since when. */
export interface AppDefinition extends AppSpec {
  readonly version: Version;
  readonly lastScalingAt: Version;
  /** Instances that were launched under the same value need no restart. */
  readonly lastConfigChangeAt: Version;
}

export const isDocker = (app: AppSpec): boolean => app.container?.type === "DOCKER";
export const usesHostNetwork = (app: AppSpec): boolean =>
  app.networks.length === 0 || app.networks.some(({ mode }) => mode === "host");

/** One port of an instance, however it was declared. */
export interface AppPort {
  readonly servicePort: number;
  readonly protocol: string;
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** undefined: the agent's ports are not touched. 0: any. */
  readonly hostPort: number | undefined;
  readonly containerPort: number | undefined;
}

export function portsOf(app: AppSpec): readonly AppPort[] {
  if (!usesHostNetwork(app)) return (app.container?.portMappings ?? []).map(mappedPort);
  return app.portDefinitions.map((definition) => ({
    servicePort: definition.port,
    protocol: definition.protocol,
    ...(definition.name === undefined ? {} : { name: definition.name }),
    labels: definition.labels,
    hostPort: app.requirePorts ? definition.port : 0,
    containerPort: undefined,
  }));
}

const mappedPort = (mapping: PortMapping): AppPort => ({
  servicePort: mapping.servicePort,
  protocol: mapping.protocol,
  ...(mapping.name === undefined ? {} : { name: mapping.name }),
  labels: mapping.labels,
  hostPort: mapping.hostPort,
  containerPort: mapping.containerPort,
});

/** Fields that change without a restart of running instances. */
const scalingFields: ReadonlySet<string> = new Set([
  "instances",
  "version",
  "lastScalingAt",
  "lastConfigChangeAt",
  "backoffSeconds",
  "backoffFactor",
  "maxLaunchDelaySeconds",
  "upgradeStrategy",
  "killSelection",
  "unreachableStrategy",
  "dependencies",
]);

/** True when running instances of `before` cannot stay as they are under `after`. */
export const needsRestart = (before: AppSpec, after: AppSpec): boolean =>
  JSON.stringify(configOf(before)) !== JSON.stringify(configOf(after));

const configOf = (app: AppSpec): readonly unknown[] =>
  Object.entries(app)
    .filter(([key, value]) => !scalingFields.has(key) && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));

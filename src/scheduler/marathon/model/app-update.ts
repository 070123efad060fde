/** What a client said of an app: every field optional, ports still in the words that the client chose. */
import type { AppSpec, Container, Network, PortDefinition, Version } from "./app.ts";

export interface AppUpdate
  extends Partial<Omit<AppSpec, "id" | "networks" | "container" | "portDefinitions">> {
  readonly id?: string;
  readonly container?: Container;
  readonly networks?: readonly Network[];
  readonly portDefinitions?: readonly PortDefinition[];
  /** The old list of service ports. */
  readonly ports?: readonly number[];
  /** The old place of the network: container.docker.network, or what the oldest containers imply. */
  readonly containerNetwork?: readonly Network[];
  /** Alone or beside `id`: roll back to that version. */
  readonly version?: Version;
}

const appDefaults = {
  env: {},
  instances: 1,
  cpus: 1,
  mem: 128,
  disk: 0,
  gpus: 0,
  executor: "",
  constraints: [],
  fetch: [],
  requirePorts: false,
  healthChecks: [],
  readinessChecks: [],
  upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
  labels: {},
  backoffSeconds: 1,
  backoffFactor: 1.15,
  maxLaunchDelaySeconds: 300,
  dependencies: [],
  killSelection: "YOUNGEST_FIRST",
  unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
} as const satisfies Partial<AppSpec>;

const anyPort: PortDefinition = { port: 0, protocol: "tcp", name: "default", labels: {} };

/** The app after the update; without `base` a new app, from the defaults. Ids must be absolute by now. */
export function applyUpdate(id: string, base: AppSpec | undefined, update: AppUpdate): AppSpec {
  const { ports, containerNetwork, version: _version, container: _container, ...said } = update;
  const networks = update.networks ?? containerNetwork ?? base?.networks ?? [{ mode: "host" as const }];
  const onHost = networks.length === 0 || networks.some(({ mode }) => mode === "host");
  const container = mergedContainer(base, update, onHost);
  const { container: _old, ...kept } = base ?? {};
  const merged = {
    ...appDefaults,
    ...kept,
    ...withoutOpposite(kept, said),
    id,
    networks: networks.length === 0 ? [{ mode: "host" as const }] : networks,
    portDefinitions: onHost ? hostPorts(base, update, ports) : (update.portDefinitions ?? []),
  };
  return container === undefined ? merged : { ...merged, container };
}

/** cmd and args exclude each other: the one that is said replaces the other. */
function withoutOpposite(kept: Partial<AppSpec>, said: Partial<AppSpec>): Partial<AppSpec> {
  if (said.cmd !== undefined && said.args === undefined && kept.args !== undefined) {
    return { ...said, args: undefined } as unknown as Partial<AppSpec>;
  }
  if (said.args !== undefined && said.cmd === undefined && kept.cmd !== undefined) {
    return { ...said, cmd: undefined } as unknown as Partial<AppSpec>;
  }
  return said;
}

function hostPorts(
  base: AppSpec | undefined,
  update: AppUpdate,
  ports: readonly number[] | undefined,
): readonly PortDefinition[] {
  if (update.portDefinitions !== undefined) return update.portDefinitions;
  const before = base?.portDefinitions ?? [];
  if (ports !== undefined) {
    return ports.map((port, index) => {
      const same = before[index];
      return same?.port === port && port !== 0
        ? same
        : { port, protocol: "tcp", ...(index === 0 ? { name: "default" } : {}), labels: {} };
    });
  }
  return base === undefined ? [anyPort] : before;
}

function mergedContainer(
  base: AppSpec | undefined,
  update: AppUpdate,
  onHost: boolean,
): Container | undefined {
  const container = update.container ?? base?.container;
  if (onHost) return update.container ?? withoutMappings(base?.container);
  const given: Container = container ?? { type: "MESOS", volumes: [] };
  if (update.container?.portMappings !== undefined) return given;
  const ports = update.ports ?? (given.portMappings === undefined ? [0] : undefined);
  if (ports === undefined) return given;
  const before = base?.container?.portMappings ?? [];
  const portMappings = ports.map(
    (servicePort, index) =>
      before[index] ?? {
        containerPort: 0,
        hostPort: 0,
        servicePort,
        protocol: "tcp",
        ...(index === 0 ? { name: "default" } : {}),
        labels: {},
        networkNames: [],
      },
  );
  return { ...given, portMappings };
}

function withoutMappings(container: Container | undefined): Container | undefined {
  if (container?.portMappings === undefined) return container;
  const { portMappings: _gone, ...rest } = container;
  return rest;
}

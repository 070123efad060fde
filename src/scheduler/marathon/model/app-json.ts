/** An app as clients read it. */
import type { JsonObject, JsonValue } from "../../../base/json.ts";
import type { AppDefinition, AppSpec, Container, HealthCheck } from "./app.ts";
import { portsOf, usesHostNetwork } from "./app.ts";

const plain = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue;
const given = (fields: Record<string, unknown>): JsonObject => plain(fields) as JsonObject;

export function appJson(app: AppDefinition): JsonObject {
  return {
    ...specJson(app),
    version: app.version,
    versionInfo: { lastScalingAt: app.lastScalingAt, lastConfigChangeAt: app.lastConfigChangeAt },
  };
}

function specJson(app: AppSpec): JsonObject {
  return given({
    id: app.id,
    cmd: app.cmd,
    args: app.args,
    user: app.user,
    env: app.env,
    instances: app.instances,
    cpus: app.cpus,
    mem: app.mem,
    disk: app.disk,
    gpus: app.gpus,
    executor: app.executor,
    constraints: app.constraints.map(({ field, operator, value }) =>
      value === undefined ? [field, operator] : [field, operator, value],
    ),
    fetch: app.fetch,
    uris: app.fetch.map(({ uri }) => uri),
    ports: portsOf(app).map(({ servicePort }) => servicePort),
    portDefinitions: usesHostNetwork(app) ? app.portDefinitions : undefined,
    requirePorts: app.requirePorts,
    networks: app.networks,
    container: app.container === undefined ? undefined : containerJson(app.container),
    healthChecks: app.healthChecks.map(healthCheckJson),
    readinessChecks: app.readinessChecks,
    upgradeStrategy: app.upgradeStrategy,
    labels: app.labels,
    acceptedResourceRoles: app.acceptedResourceRoles,
    backoffSeconds: app.backoffSeconds,
    backoffFactor: app.backoffFactor,
    maxLaunchDelaySeconds: app.maxLaunchDelaySeconds,
    dependencies: app.dependencies,
    killSelection: app.killSelection,
    unreachableStrategy: app.unreachableStrategy,
    taskKillGracePeriodSeconds: app.taskKillGracePeriodSeconds,
  });
}

function containerJson({ type, docker, volumes, portMappings }: Container): JsonObject {
  const { mapsExposedPorts, ...engine } = docker ?? { mapsExposedPorts: false };
  return given({
    type,
    docker: docker === undefined ? undefined : mapsExposedPorts ? { ...engine, mapsExposedPorts } : engine,
    volumes,
    portMappings: portMappings?.map(({ networkNames, ...mapping }) =>
      networkNames.length === 0 ? mapping : { ...mapping, networkNames },
    ),
  });
}

const healthCheckJson = ({ command, ...check }: HealthCheck): JsonObject =>
  given(command === undefined ? check : { ...check, command: { value: command } });

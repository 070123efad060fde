/** What is wrong with an app whose JSON types fit: every rule says the path and Marathon's own sentence. */
import { invalidObject, type Violation } from "./api-error.ts";
import type { AppSpec, Constraint, HealthCheck, PortMapping } from "./app.ts";
import { isDocker, portsOf, usesHostNetwork } from "./app.ts";
import type { AppUpdate } from "./app-update.ts";
import { idErrors, isValidSegment, segmentPattern, segmentsOf } from "./path-id.ts";

/** Throws ApiError 422 with every violation of a whole app. */
export function validateApp(app: AppSpec): void {
  const found = appViolations(app);
  if (found.length > 0) throw invalidObject(found);
}

/** Rules about what was said rather than what comes out. */
export function validateUpdate(update: AppUpdate): void {
  const { version, id: _id, ...rest } = update;
  const found: Violation[] = [];
  if (version !== undefined && Object.keys(rest).length > 0) {
    found.push(violation("/", "The 'version' field may only be combined with the 'id' field."));
  }
  if (update.networks !== undefined && update.containerNetwork !== undefined) {
    found.push(violation("/", "must not specify both container.docker.network and networks"));
  }
  if (update.ports !== undefined && update.portDefinitions !== undefined) {
    found.push(violation("/", "cannot specify both ports and port definitions"));
  }
  if (repeated((update.ports ?? []).filter((port) => port !== 0))) {
    found.push(violation("/", "ports must be unique"));
  }
  if (found.length > 0) throw invalidObject(found);
}

export const violation = (path: string, error: string): Violation => ({ path, errors: [error] });

function appViolations(app: AppSpec): readonly Violation[] {
  return [
    ...idErrors(app.id).map((error) => violation("/id", error)),
    ...resourceViolations(app),
    ...commandViolations(app),
    ...containerViolations(app),
    ...portViolations(app),
    ...app.healthChecks.flatMap((check, index) => healthViolations(app, check, `/healthChecks(${index})`)),
    ...mesosCheckViolations(app),
    ...readinessViolations(app),
    ...app.constraints.flatMap((constraint, index) => constraintViolations(constraint, index)),
    ...strategyViolations(app),
    ...otherViolations(app),
  ];
}

/** What the type has in which Marathon's clients count them. */
const maxInstances = 2 ** 31 - 1;

function resourceViolations(app: AppSpec): readonly Violation[] {
  const numbers = ["instances", "cpus", "mem", "disk", "gpus", "maxLaunchDelaySeconds"] as const;
  const negative = numbers
    .filter((key) => app[key] < 0)
    .map((key) => violation(`/${key}`, `got ${app[key]}, expected 0 or more`));
  if (app.instances > maxInstances)
    negative.push(violation("/instances", `got ${app.instances}, expected ${maxInstances} or less`));
  if (app.backoffSeconds < 0)
    negative.push(violation("/backoffSeconds", `got ${app.backoffSeconds}, expected 0 or more`));
  if (app.backoffFactor < 1) {
    negative.push(violation("/backoffFactor", `got ${app.backoffFactor}, expected 1.0 or more`));
  }
  if (app.gpus > 0 && isDocker(app)) {
    negative.push(violation("/", "GPU resources only work with the Mesos containerizer"));
  }
  return negative;
}

function commandViolations(app: AppSpec): readonly Violation[] {
  if (app.cmd === "") return [violation("/cmd", "must not be an empty string")];
  const cmd = app.cmd !== undefined;
  const args = app.args !== undefined && app.args.length > 0;
  const image = app.container?.docker !== undefined;
  if (cmd !== args || (!cmd && !args && image)) return [];
  return [violation("/", "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.")];
}

function containerViolations(app: AppSpec): readonly Violation[] {
  const container = app.container;
  if (container === undefined) return [];
  const found: Violation[] = [];
  if (container.type === "DOCKER" && container.docker === undefined) {
    found.push(violation("/container/docker", "not defined"));
  }
  if (container.docker?.image === "") {
    found.push(violation("/container/docker/image", "must not be empty"));
  }
  container.volumes.forEach((volume, index) => {
    const path = `/container/volumes(${index})`;
    if (volume.containerPath === "") found.push(violation(`${path}/containerPath`, "must not be empty"));
    if (volume.hostPath === "") found.push(violation(`${path}/hostPath`, "must not be empty"));
  });
  if (isDocker(app) && app.networks.filter(({ mode }) => mode === "container").length > 1) {
    found.push(
      violation("/", "may only specify a single container network when using the Docker container engine"),
    );
  }
  return found;
}

function portViolations(app: AppSpec): readonly Violation[] {
  const mappings = app.container?.portMappings ?? [];
  const onHost = usesHostNetwork(app);
  const found: Violation[] = [];
  if (onHost && mappings.length > 0) {
    found.push(violation("/", "portMappings are not allowed with host-networking"));
  }
  if (!onHost && app.portDefinitions.length > 0) {
    found.push(violation("/", "portDefinitions are only allowed with host-networking"));
  }
  const list = onHost ? "/portDefinitions" : "/container/portMappings";
  const ports = onHost ? app.portDefinitions : mappings;
  if (repeated(ports.flatMap(({ name }) => name ?? [])))
    found.push(violation(list, "Port names must be unique."));
  if (onHost && repeated(app.portDefinitions.map(({ port }) => port).filter((port) => port !== 0))) {
    found.push(violation(list, "Ports must be unique."));
  }
  portsOf(app).forEach((port, index) => {
    if (!isPort(port.servicePort)) found.push(violation(`${list}(${index})`, portRange(port.servicePort)));
    if (!["tcp", "udp", "udp,tcp", "tcp,udp"].includes(port.protocol)) {
      found.push(violation(`${list}(${index})/protocol`, "is not one of (tcp,udp,udp,tcp)"));
    }
  });
  return [...found, ...mappingViolations(mappings)];
}

function mappingViolations(mappings: readonly PortMapping[]): readonly Violation[] {
  return mappings.flatMap((mapping, index) =>
    (["containerPort", "hostPort"] as const)
      .filter((key) => mapping[key] !== undefined && !isPort(mapping[key] ?? 0))
      .map((key) => violation(`/container/portMappings(${index})/${key}`, portRange(mapping[key] ?? 0))),
  );
}

const isPort = (port: number): boolean => port >= 0 && port <= 65_535;
const portRange = (port: number): string => `got ${port}, expected between 0 and 65535`;

const marathonProtocols: ReadonlySet<string> = new Set(["HTTP", "HTTPS", "TCP"]);

function healthViolations(app: AppSpec, check: HealthCheck, path: string): readonly Violation[] {
  const found: Violation[] = [];
  const count = portsOf(app).length;
  if (marathonProtocols.has(check.protocol)) {
    const index = check.portIndex;
    const exists = index === undefined ? check.port !== undefined : index >= 0 && index < count;
    if (!exists) {
      found.push(
        violation(
          path,
          "Health check port indices must address an element of the ports array or container port mappings.",
        ),
      );
    }
  }
  if (check.protocol === "COMMAND" && check.command === undefined) {
    found.push(violation(path, "COMMAND health checks need a command"));
  }
  for (const key of ["gracePeriodSeconds", "intervalSeconds", "timeoutSeconds", "delaySeconds"] as const) {
    if (check[key] < 0) found.push(violation(`${path}/${key}`, `got ${check[key]}, expected 0 or more`));
  }
  if (check.maxConsecutiveFailures < 0) {
    found.push(
      violation(`${path}/maxConsecutiveFailures`, `got ${check.maxConsecutiveFailures}, expected 0 or more`),
    );
  }
  return found;
}

function mesosCheckViolations(app: AppSpec): readonly Violation[] {
  const byMesos = app.healthChecks.filter(({ protocol }) => !marathonProtocols.has(protocol));
  return byMesos.length <= 1
    ? []
    : [violation("/", "AppDefinition can contain at most one Mesos health check")];
}

function readinessViolations(app: AppSpec): readonly Violation[] {
  const checks = app.readinessChecks;
  const found: Violation[] = [];
  if (checks.length > 1) {
    found.push(violation("/readinessChecks", `got ${checks.length}, expected 1 or less`));
  }
  const names = new Set(portsOf(app).map(({ name }) => name));
  checks.forEach((check, index) => {
    const path = `/readinessChecks(${index})`;
    if (!names.has(check.portName)) {
      found.push(
        violation(`${path}/portName`, `No port definition reference for portName ${check.portName}`),
      );
    }
    if (check.timeoutSeconds >= check.intervalSeconds) {
      found.push(
        violation(
          `${path}/timeoutSeconds`,
          `got ${check.timeoutSeconds}, expected less than ${check.intervalSeconds}`,
        ),
      );
    }
  });
  return found;
}

function constraintViolations(constraint: Constraint, index: number): readonly Violation[] {
  const path = `/constraints(${index})`;
  const { field, operator, value } = constraint;
  if (field === "") return [violation(path, "Missing field and operator")];
  if (operator === "UNIQUE" && value !== undefined) {
    return [violation(path, "Value specified but not used")];
  }
  if (operator === "LIKE" || operator === "UNLIKE") {
    if (value === undefined) return [violation(path, "A regular expression value must be provided")];
    return isRegularExpression(value)
      ? []
      : [violation(path, `'${value}' is not a valid regular expression`)];
  }
  const isCount = value !== undefined && /^\d+$/.test(value);
  if (operator === "GROUP_BY" && value !== undefined && !isCount) {
    return [violation(path, "Value was specified but is not a number")];
  }
  if (operator === "MAX_PER" && !isCount)
    return [violation(path, "Value was not specified or is not a number")];
  if (operator === "IS" && value === undefined) return [violation(path, "A value must be provided")];
  return [];
}

function isRegularExpression(value: string): boolean {
  try {
    new RegExp(value);
    return true;
  } catch {
    return false;
  }
}

function strategyViolations(app: AppSpec): readonly Violation[] {
  const found: Violation[] = [];
  for (const key of ["minimumHealthCapacity", "maximumOverCapacity"] as const) {
    const value = app.upgradeStrategy[key];
    if (value < 0 || value > 1) {
      found.push(violation(`/upgradeStrategy/${key}`, `got ${value}, expected between 0.0 and 1.0`));
    }
  }
  const unreachable = app.unreachableStrategy;
  if (unreachable !== "disabled") {
    const { inactiveAfterSeconds: inactive, expungeAfterSeconds: expunge } = unreachable;
    if (inactive < 0) {
      found.push(
        violation("/unreachableStrategy/inactiveAfterSeconds", `got ${inactive}, expected 0 or more`),
      );
    }
    if (expunge < inactive) {
      found.push(
        violation(
          "/unreachableStrategy",
          "inactiveAfterSeconds must be less or equal to expungeAfterSeconds",
        ),
      );
    }
  }
  return found;
}

function otherViolations(app: AppSpec): readonly Violation[] {
  const found: Violation[] = [];
  if (app.acceptedResourceRoles?.length === 0) {
    found.push(violation("/acceptedResourceRoles", "must not be empty"));
  }
  if (app.executor !== "" && app.executor !== "//cmd") {
    found.push(violation("/executor", `custom executors are not supported: got '${app.executor}'`));
  }
  app.dependencies.forEach((id, index) => {
    if (!segmentsOf(id).every((part) => isValidSegment(part))) {
      found.push(
        violation(`/dependencies(${index})`, `must fully match regular expression '${segmentPattern}'`),
      );
    }
  });
  app.fetch.forEach(({ uri }, index) => {
    if (uri === "" || /\s/.test(uri))
      found.push(violation(`/fetch(${index})/uri`, "URI has invalid syntax."));
  });
  Object.keys(app.env).forEach((name) => {
    if (name === "" || name.includes("=") || name.includes("\0")) {
      found.push(violation("/env", `'${name}' is not a name for an environment variable`));
    }
  });
  return found;
}

function repeated(values: readonly (string | number)[]): boolean {
  return new Set(values).size !== values.length;
}

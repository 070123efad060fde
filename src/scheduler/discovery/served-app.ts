import { isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";

/** What a proxy must know of an app, of whatever Marathon it came from. Nothing in it is checked or trusted yet. */
export interface ServedApp {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly ServedPort[];
  readonly hasHealthChecks: boolean;
  /** Running instances, those that are about to be killed included. */
  readonly instances: readonly ServedInstance[];
}

export interface ServedPort {
  readonly servicePort: number;
  /** "tcp", "udp", "tcp,udp" */
  readonly protocol: string;
  /** Marathon asks this port over HTTP whether an instance is well. */
  readonly healthPath: string | undefined;
}

export interface ServedInstance {
  readonly id: string;
  readonly host: string;
  /** One for each of the app's ports; undefined where an instance has none. */
  readonly ports: readonly (number | undefined)[];
  /** Undefined: nobody has asked it yet. */
  readonly isHealthy: boolean | undefined;
  /** About to be killed: it gets requests only when nobody else can. */
  readonly isLeaving?: boolean;
}

/** Reads `GET /v2/apps?embed=apps.tasks`. Undefined if it is no such answer. */
export function readServedApps(answer: JsonValue | undefined): readonly ServedApp[] | undefined {
  if (!isJsonObject(answer)) return undefined;
  const apps = answer["apps"];
  if (!Array.isArray(apps)) return undefined;
  return apps.filter(isJsonObject).map(readApp);
}

function readApp(app: JsonObject): ServedApp {
  const checks = objects(app["healthChecks"]);
  const definitions = portsOf(app);
  const ports = definitions.map((port, index) => ({
    servicePort: number(port["servicePort"] ?? port["port"]) ?? 0,
    protocol: text(port["protocol"]) || "tcp",
    healthPath: healthPathOf(checks, index),
  }));
  const containerPorts = isOnContainerNetwork(app)
    ? definitions.map((port) => number(port["containerPort"]))
    : undefined;
  const hasHealthChecks = checks.length > 0;
  return {
    id: text(app["id"]),
    labels: labelsOf(app["labels"]),
    ports,
    hasHealthChecks,
    instances: objects(app["tasks"])
      .filter((task) => ["TASK_RUNNING", "TASK_KILLING"].includes(stateOf(task)))
      .map((task) => readInstance(task, hasHealthChecks, containerPorts)),
  };
}

/** Old Marathons give no state, and only tasks that run. */
const stateOf = (task: JsonObject): string => text(task["state"]) || "TASK_RUNNING";

function portsOf(app: JsonObject): readonly JsonObject[] {
  const container = isJsonObject(app["container"]) ? app["container"] : {};
  const docker = isJsonObject(container["docker"]) ? container["docker"] : {};
  for (const mappings of [container["portMappings"], docker["portMappings"], app["portDefinitions"]]) {
    if (Array.isArray(mappings) && mappings.length > 0) return objects(mappings);
  }
  return list(app["ports"]).map((port) => ({ port }));
}

const isOnContainerNetwork = (app: JsonObject): boolean =>
  objects(app["networks"]).some((network) => network["mode"] === "container");

function readInstance(
  task: JsonObject,
  hasHealthChecks: boolean,
  containerPorts: readonly (number | undefined)[] | undefined,
): ServedInstance {
  const [address] = objects(task["ipAddresses"]);
  const ip = text(address?.["ipAddress"]);
  const isByIp = containerPorts !== undefined && ip !== "";
  return {
    id: text(task["id"]),
    host: isByIp ? ip : text(task["host"]),
    ports: isByIp ? containerPorts : list(task["ports"]).map(number),
    isLeaving: stateOf(task) === "TASK_KILLING",
    isHealthy: hasHealthChecks ? healthOf(objects(task["healthCheckResults"])) : true,
  };
}

function healthOf(results: readonly JsonObject[]): boolean | undefined {
  if (results.length === 0) return undefined;
  return results.every((result) => result["alive"] === true);
}

function healthPathOf(checks: readonly JsonObject[], index: number): string | undefined {
  const check = checks.find(
    (each) =>
      /^(MESOS_)?HTTP$/.test(text(each["protocol"])) &&
      each["port"] === undefined &&
      (number(each["portIndex"]) ?? 0) === index,
  );
  return check === undefined ? undefined : text(check["path"]) || "/";
}

function labelsOf(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (!isJsonObject(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, label]) => [name, text(label)]));
}

const list = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : []);
const objects = (value: JsonValue | undefined): readonly JsonObject[] => list(value).filter(isJsonObject);
const text = (value: JsonValue | undefined): string => (typeof value === "string" ? value : "");
const number = (value: JsonValue | undefined): number | undefined =>
  typeof value === "number" && Number.isInteger(value) ? value : undefined;

/** A client's JSON → what it said of an app, in today's words. Older forms are read here and nowhere else. */
import type { JsonObject, JsonValue } from "../../../base/json.ts";
import type { FetchUri, Network, PortDefinition, UnreachableStrategy } from "./app.ts";
import type { AppUpdate } from "./app-update.ts";
import { compact, JsonReader } from "./json-reader.ts";
import { readConstraints, readHealthCheck, readReadinessCheck } from "./parse-checks.ts";
import { imageOfUrl, type ReadContainer, readContainer } from "./parse-container.ts";
import { validateUpdate } from "./validate-app.ts";

/** What POST, PUT and PATCH say. Checked on its own (ApiError: 400 where JSON types do not fit); the app that it makes is to be checked after. */
export function parseAppUpdate(json: JsonValue): AppUpdate {
  const reader = new JsonReader();
  const update = readAppUpdate(reader, json, "");
  reader.throwIfAny();
  const said = update ?? {};
  validateUpdate(said);
  return said;
}

export function readAppUpdate(reader: JsonReader, json: JsonValue, path: string): AppUpdate | undefined {
  const object = reader.object(json, path);
  if (object === undefined) return undefined;
  const container =
    reader.optional(object, "container", path, (value, at) => readContainer(reader, value, at)) ??
    oldestExecutor(reader, object, path);
  const env = reader.optional(object, "env", path, reader.record(reader.string));
  return compact<AppUpdate>({
    ...readBasics(reader, object, path),
    ...readRules(reader, object, path),
    ...readPorts(reader, object, path, container),
    ...commandOf(reader, object, path, container),
    env: container?.env === undefined ? env : { ...container.env, ...env },
    container: container?.container,
    containerNetwork: container?.network,
    version: reader.optional(object, "version", path, reader.string),
  } as AppUpdate);
}

function readBasics(reader: JsonReader, object: JsonObject, path: string) {
  const text = (key: string) => reader.optional(object, key, path, reader.string);
  const number = (key: string) => reader.optional(object, key, path, reader.number);
  return {
    id: text("id"),
    user: text("user"),
    instances: reader.optional(object, "instances", path, reader.integer),
    cpus: number("cpus"),
    mem: number("mem"),
    disk: number("disk"),
    gpus: reader.optional(object, "gpus", path, reader.integer),
    labels: reader.optional(object, "labels", path, reader.record(reader.string)),
    fetch: readFetch(reader, object, path),
    dependencies: reader.optional(object, "dependencies", path, reader.array(reader.string)),
  };
}

function readRules(reader: JsonReader, object: JsonObject, path: string) {
  const number = (key: string) => reader.optional(object, key, path, reader.number);
  return {
    constraints: reader.optional(object, "constraints", path, readConstraints(reader)),
    healthChecks: reader.optional(object, "healthChecks", path, reader.array(readHealthCheck(reader))),
    readinessChecks: reader.optional(
      object,
      "readinessChecks",
      path,
      reader.array(readReadinessCheck(reader)),
    ),
    upgradeStrategy: reader.optional(object, "upgradeStrategy", path, (value, at) => {
      const strategy = reader.object(value, at);
      return strategy === undefined
        ? undefined
        : {
            minimumHealthCapacity: reader.optional(strategy, "minimumHealthCapacity", at, reader.number) ?? 1,
            maximumOverCapacity: reader.optional(strategy, "maximumOverCapacity", at, reader.number) ?? 1,
          };
    }),
    acceptedResourceRoles: reader.optional(
      object,
      "acceptedResourceRoles",
      path,
      reader.array(reader.string),
    ),
    backoffSeconds: number("backoffSeconds"),
    backoffFactor: number("backoffFactor"),
    maxLaunchDelaySeconds: number("maxLaunchDelaySeconds"),
    killSelection: reader.optional(
      object,
      "killSelection",
      path,
      reader.oneOf("YOUNGEST_FIRST", "OLDEST_FIRST"),
    ),
    unreachableStrategy: reader.optional(object, "unreachableStrategy", path, readUnreachable(reader)),
    taskKillGracePeriodSeconds: number("taskKillGracePeriodSeconds"),
  };
}

const readUnreachable =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): UnreachableStrategy | undefined => {
    if (value === "disabled") return "disabled";
    const object = reader.object(value, path);
    if (object === undefined) return undefined;
    const seconds = (key: string) => reader.optional(object, key, path, reader.number) ?? 0;
    return {
      inactiveAfterSeconds: seconds("inactiveAfterSeconds"),
      expungeAfterSeconds: seconds("expungeAfterSeconds"),
    };
  };

function readPorts(
  reader: JsonReader,
  object: JsonObject,
  path: string,
  container: ReadContainer | undefined,
) {
  const portDefinitions = reader.optional(
    object,
    "portDefinitions",
    path,
    reader.array(readDefinition(reader)),
  );
  const ports = reader.optional(object, "ports", path, reader.array(reader.integer));
  return {
    portDefinitions,
    // An app that was read from us and is sent back names its ports twice.
    ports: ports !== undefined && repeats(ports, portDefinitions, container) ? undefined : ports,
    requirePorts: reader.optional(object, "requirePorts", path, reader.boolean),
    networks:
      reader.optional(object, "networks", path, reader.array(readNetwork(reader))) ??
      reader.optional(object, "ipAddress", path, (value, at) => {
        const address = reader.object(value, at);
        const name =
          address === undefined ? undefined : reader.optional(address, "networkName", at, reader.string);
        return [compact<Network>({ mode: "container", name, labels: undefined })];
      }),
  };
}

function repeats(
  ports: readonly number[],
  definitions: readonly PortDefinition[] | undefined,
  container: ReadContainer | undefined,
): boolean {
  const said = definitions?.map(({ port }) => port);
  const mapped = container?.container.portMappings?.map(({ servicePort }) => servicePort);
  return [said, mapped].some((list) => list !== undefined && list.join() === ports.join());
}

const readDefinition =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): PortDefinition | undefined => {
    const object = reader.object(value, path);
    if (object === undefined) return undefined;
    return compact<PortDefinition>({
      port: reader.optional(object, "port", path, reader.integer) ?? 0,
      protocol: reader.optional(object, "protocol", path, reader.string) ?? "tcp",
      name: reader.optional(object, "name", path, reader.string),
      labels: reader.optional(object, "labels", path, reader.record(reader.string)) ?? {},
    });
  };

const readNetwork =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): Network | undefined => {
    const object = reader.object(value, path);
    if (object === undefined) return undefined;
    return compact<Network>({
      mode:
        reader.optional(object, "mode", path, reader.oneOf("host", "container/bridge", "container")) ??
        "container",
      name: reader.optional(object, "name", path, reader.string),
      labels: reader.optional(object, "labels", path, reader.record(reader.string)),
    });
  };

const archive = /\.(?:tgz|tbz2|txz|tar|tar\.gz|tar\.bz2|tar\.xz|zip|gz)$/;
const fetchOf = (uri: string): FetchUri => ({
  uri,
  extract: archive.test(uri),
  executable: false,
  cache: false,
});

function readFetch(reader: JsonReader, object: JsonObject, path: string): readonly FetchUri[] | undefined {
  const uris = reader.optional(object, "uris", path, reader.array(reader.string));
  const fetch = reader.optional(
    object,
    "fetch",
    path,
    reader.array((value, at): FetchUri | undefined => {
      const item = reader.object(value, at);
      const uri = item === undefined ? undefined : reader.required(item, "uri", at, reader.string);
      if (item === undefined || uri === undefined) return undefined;
      const flag = (key: string) => reader.optional(item, key, at, reader.boolean);
      return compact<FetchUri>({
        uri,
        extract: flag("extract") ?? true,
        executable: flag("executable") ?? false,
        cache: flag("cache") ?? false,
        destPath: reader.optional(item, "destPath", at, reader.string),
      });
    }),
  );
  if (uris === undefined || uris.length === 0) return fetch ?? uris?.map(fetchOf);
  if (fetch === undefined || fetch.length === 0) return uris.map(fetchOf);
  if (uris.join() !== fetch.map(({ uri }) => uri).join()) {
    reader.fail(`${path}/uris`, "may not be set in conjunction with fetch");
  }
  return fetch;
}

/** The executor through which Docker was reached before Mesos knew it: cmd is the image and its arguments. */
const dockerExecutor = "/var/lib/mesos/executors/docker";

function oldestExecutor(reader: JsonReader, object: JsonObject, path: string): ReadContainer | undefined {
  if (object.executor !== dockerExecutor || object.container !== undefined) return undefined;
  const cmd = reader.required(object, "cmd", path, reader.string);
  const image = imageOfUrl(cmd?.trim().split(/\s+/)[0] ?? "");
  return readContainer(reader, { image }, path);
}

function commandOf(
  reader: JsonReader,
  object: JsonObject,
  path: string,
  container: ReadContainer | undefined,
) {
  const cmd = reader.optional(object, "cmd", path, reader.string);
  const said = reader.optional(object, "args", path, reader.array(reader.string));
  const args = said?.length === 0 ? undefined : said;
  const executor = reader.optional(object, "executor", path, reader.string);
  if (executor !== dockerExecutor || container === undefined) return { cmd, args, executor };
  const words = cmd?.trim().split(/\s+/).slice(1) ?? [];
  return { cmd: undefined, args: words.length > 0 ? words : undefined, executor: "" };
}

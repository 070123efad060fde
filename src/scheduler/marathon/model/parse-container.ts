/** Containers in every form that clients have posted, the oldest (an image URL and docker options) included. */
import type { JsonObject, JsonValue } from "../../../base/json.ts";
import type { Container, DockerContainer, Network, PortMapping, Volume } from "./app.ts";
import { compact, type JsonReader } from "./json-reader.ts";

export interface ReadContainer {
  readonly container: Container;
  /** Where the container itself names its network (the older forms). */
  readonly network?: readonly Network[];
  /** Docker options of the oldest form that are no container's business. */
  readonly env?: Readonly<Record<string, string>>;
}

const bridge: readonly Network[] = [{ mode: "container/bridge" }];

export function readContainer(reader: JsonReader, value: JsonValue, path: string): ReadContainer | undefined {
  const object = reader.object(value, path);
  if (object === undefined) return undefined;
  if (object.image !== undefined) return readOldest(reader, object, path);
  const docker = reader.optional(object, "docker", path, reader.object);
  const type =
    reader.optional(object, "type", path, reader.oneOf("DOCKER", "MESOS")) ??
    (docker === undefined ? "MESOS" : "DOCKER");
  const network = docker === undefined ? undefined : oldNetwork(reader, docker, `${path}/docker`);
  const inside = docker === undefined ? undefined : readMappings(reader, docker, `${path}/docker`);
  const mappings = readMappings(reader, object, path) ?? inside;
  const onHost = network?.[0]?.mode === "host";
  const container = compact<Container>({
    type,
    docker: docker === undefined ? undefined : readDocker(reader, docker, `${path}/docker`),
    volumes: reader.optional(object, "volumes", path, reader.array(readVolume(reader))) ?? [],
    portMappings: onHost ? undefined : mappings,
  });
  return compact<ReadContainer>({ container, network, env: undefined });
}

function readDocker(reader: JsonReader, docker: JsonObject, path: string): DockerContainer {
  const parameters = reader.optional(
    docker,
    "parameters",
    path,
    reader.array((item, at) => {
      const object = reader.object(item, at);
      if (object === undefined) return undefined;
      const key = reader.required(object, "key", at, reader.string);
      const value = reader.required(object, "value", at, reader.string);
      return key === undefined || value === undefined ? undefined : { key, value };
    }),
  );
  return {
    image: reader.required(docker, "image", path, reader.string) ?? "",
    forcePullImage: reader.optional(docker, "forcePullImage", path, reader.boolean) ?? false,
    privileged: reader.optional(docker, "privileged", path, reader.boolean) ?? false,
    parameters: parameters ?? [],
    mapsExposedPorts: reader.optional(docker, "mapsExposedPorts", path, reader.boolean) ?? false,
  };
}

function oldNetwork(reader: JsonReader, docker: JsonObject, path: string): readonly Network[] | undefined {
  const name = reader.optional(docker, "network", path, reader.oneOf("BRIDGE", "HOST", "NONE", "USER"));
  if (name === undefined) return undefined;
  if (name === "BRIDGE") return bridge;
  return [{ mode: name === "USER" ? "container" : "host" }];
}

const readMappings = (reader: JsonReader, object: JsonObject, path: string) =>
  reader.optional(object, "portMappings", path, reader.array(readMapping(reader)));

const readMapping =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): PortMapping | undefined => {
    const object = reader.object(value, path);
    if (object === undefined) return undefined;
    const number = (key: string) => reader.optional(object, key, path, reader.integer);
    return compact<PortMapping>({
      containerPort: number("containerPort") ?? 0,
      hostPort: object.hostPort === null ? undefined : (number("hostPort") ?? 0),
      servicePort: number("servicePort") ?? 0,
      protocol: reader.optional(object, "protocol", path, reader.string) ?? "tcp",
      name: reader.optional(object, "name", path, reader.string),
      labels: reader.optional(object, "labels", path, reader.record(reader.string)) ?? {},
      networkNames: reader.optional(object, "networkNames", path, reader.array(reader.string)) ?? [],
    });
  };

const readVolume =
  (reader: JsonReader) =>
  (value: JsonValue, path: string): Volume | undefined => {
    const object = reader.object(value, path);
    if (object === undefined) return undefined;
    for (const kind of ["persistent", "external", "secret"]) {
      if (object[kind] !== undefined) return reader.fail(`${path}/${kind}`, "error.volume.not.supported");
    }
    const containerPath = reader.required(object, "containerPath", path, reader.string);
    const hostPath = reader.required(object, "hostPath", path, reader.string);
    const mode = reader.optional(object, "mode", path, reader.oneOf("RO", "RW")) ?? "RW";
    return containerPath === undefined || hostPath === undefined
      ? undefined
      : { containerPath, hostPath, mode };
  };

/**
 * `{"image": "docker:///name:tag", "options": ["-v", "/a:/a"]}`: bridge network, and the image's EXPOSEd ports mapped
 * in order to the app's ports. An authority (`docker://registry:5000/name`) is the registry.
 */
function readOldest(reader: JsonReader, object: JsonObject, path: string): ReadContainer | undefined {
  const url = reader.required(object, "image", path, reader.string);
  const options = reader.optional(object, "options", path, reader.array(reader.string)) ?? [];
  if (url === undefined) return undefined;
  const parsed = parseOptions(options);
  for (const option of parsed.unknown) reader.fail(`${path}/options`, `error.unknown.option: ${option}`);
  const docker: DockerContainer = {
    image: imageOfUrl(url),
    forcePullImage: false,
    privileged: parsed.privileged,
    parameters: parsed.parameters,
    mapsExposedPorts: parsed.portMappings.length === 0,
  };
  const container = compact<Container>({
    type: "DOCKER",
    docker,
    volumes: parsed.volumes,
    portMappings: parsed.portMappings.length === 0 ? undefined : parsed.portMappings,
  });
  return { container, network: bridge, env: parsed.env };
}

export const imageOfUrl = (url: string): string => url.replace(/^docker:\/\/\/?/, "");

interface Options {
  readonly volumes: Volume[];
  readonly env: Record<string, string>;
  readonly parameters: { key: string; value: string }[];
  readonly portMappings: PortMapping[];
  readonly unknown: string[];
  privileged: boolean;
}

/** docker run's options: pairs ("-v", "/a:/a") or joined ("--dns=10.0.0.1"). */
function parseOptions(words: readonly string[]): Options {
  const found: Options = {
    volumes: [],
    env: {},
    parameters: [],
    portMappings: [],
    unknown: [],
    privileged: false,
  };
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const joined = /^(--?[\w-]+)=(.*)$/s.exec(word);
    const name = joined?.[1] ?? word;
    if (name === "--privileged") {
      found.privileged = joined?.[2] !== "false";
      continue;
    }
    const value = joined?.[2] ?? words[index + 1];
    if (joined === null) index += 1;
    if (value === undefined || !addOption(found, name, value)) found.unknown.push(word);
  }
  return found;
}

/** docker's own long names of the short options that people put in. */
const longNames: Readonly<Record<string, string>> = {
  "-h": "hostname",
  "-u": "user",
  "-w": "workdir",
  "-l": "label",
};

function addOption(found: Options, name: string, value: string): boolean {
  if (name === "-v" || name === "--volume") {
    const [hostPath = "", containerPath = hostPath, mode = "rw"] = value.split(":");
    found.volumes.push({ hostPath, containerPath, mode: mode.startsWith("ro") ? "RO" : "RW" });
    return true;
  }
  if (name === "-e" || name === "--env") {
    const [key = "", ...rest] = value.split("=");
    found.env[key] = rest.join("=");
    return true;
  }
  if (name === "-p" || name === "--publish") {
    const [host, container] = value.includes(":") ? value.split(":").slice(-2) : ["0", value];
    const [port = "", protocol = "tcp"] = (container ?? "").split("/");
    const numbers = { containerPort: Number(port), hostPort: Number(host) };
    if (!Number.isInteger(numbers.containerPort) || !Number.isInteger(numbers.hostPort)) return false;
    found.portMappings.push({ ...numbers, servicePort: 0, protocol, labels: {}, networkNames: [] });
    return true;
  }
  const key = longNames[name] ?? (name.startsWith("--") ? name.slice(2) : undefined);
  if (key === undefined) return false;
  found.parameters.push({ key, value });
  return true;
}

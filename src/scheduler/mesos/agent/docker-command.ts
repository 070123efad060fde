/** The `docker run` of a task, word for word as Mesos composes it. Pure. */
import type { Resources } from "../protocol/resources.ts";
import type { CommandInfo, ContainerInfo } from "../protocol/task.ts";
import { sharesOf } from "./cgroups.ts";
import { sandboxInContainer } from "./task-environment.ts";

export interface DockerRun {
  readonly docker: string;
  readonly containerId: string;
  readonly container: ContainerInfo;
  readonly command: CommandInfo | undefined;
  readonly resources: Resources;
  /** Taken by name from the client's environment, to keep values out of the argument list. */
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  readonly cfsQuota: boolean;
  /** Published ports that are not in the container's own mappings: what an image EXPOSEs. */
  readonly extraPorts: readonly PortMapping[];
}

export interface PortMapping {
  readonly host_port: number;
  readonly container_port: number;
  readonly protocol?: string | undefined;
}

export const containerName = (containerId: string): string => `mesos-${containerId}`;
/** By this label an agent knows its own containers. */
export const ownerLabel = "provision.agent";

const minMemBytes = 32 * 1024 * 1024;
const cfsPeriodUs = 100_000;
const minQuotaUs = 1_000;

export function dockerRunArgv(run: DockerRun, owner: string): readonly string[] {
  const { container, resources, command } = run;
  const docker = container.docker ?? { image: "" };
  const cpus = resources.scalar("cpus");
  const memBytes = Math.max(minMemBytes, Math.round(resources.scalar("mem") * 1024 * 1024));
  return [
    run.docker,
    "run",
    ...(docker.privileged === true ? ["--privileged"] : []),
    ...["--cpu-shares", String(sharesOf(cpus))],
    ...(run.cfsQuota
      ? [
          "--cpu-period",
          String(cfsPeriodUs),
          "--cpu-quota",
          String(Math.max(minQuotaUs, Math.round(cpus * cfsPeriodUs))),
        ]
      : []),
    ...["--memory", String(memBytes)],
    ...Object.entries(run.env).flatMap(([name, value]) => [
      "-e",
      steersClient(name) ? `${name}=${value}` : name,
    ]),
    ...volumesOf(container, run.directory),
    ...["-v", `${run.directory}:${sandboxInContainer}`],
    ...networkOf(container, run.extraPorts),
    ...(command?.shell !== false && (command?.value ?? "") !== "" ? ["--entrypoint", "/bin/sh"] : []),
    ...["--name", containerName(run.containerId), "--label", `${ownerLabel}=${owner}`],
    ...["--sig-proxy=false"],
    ...(docker.parameters ?? []).map(({ key, value }) => `--${key}=${value}`),
    docker.image,
    ...wordsOf(command),
  ];
}

/** A task's variable of this name must not reach the docker client: it goes into the argument list instead. */
export const steersClient = (name: string): boolean =>
  /^(PATH|HOME|DOCKER_.*|LD_.*|.*_proxy|GO.*)$/i.test(name);

function wordsOf(command: CommandInfo | undefined): readonly string[] {
  const value = command?.value ?? "";
  if (command?.shell !== false && value !== "") return ["-c", value];
  return [...(value === "" ? [] : [value]), ...(command?.arguments ?? [])];
}

const volumesOf = (container: ContainerInfo, directory: string): readonly string[] =>
  (container.volumes ?? []).flatMap(({ host_path, container_path, mode }) => {
    const suffix = mode === "RO" ? ":ro" : "";
    if (host_path === undefined) return ["-v", `${container_path}${suffix}`];
    const host = host_path.startsWith("/") ? host_path : `${directory}/${host_path}`;
    return ["-v", `${host}:${container_path}${suffix}`];
  });

/** `HOST` unless said otherwise. Ports are published on bridges only. */
function networkOf(container: ContainerInfo, extraPorts: readonly PortMapping[]): readonly string[] {
  const { docker, network_infos: networks, hostname } = container;
  const network = docker?.network ?? "HOST";
  const name = network === "USER" ? (networks?.[0]?.name ?? "bridge") : network.toLowerCase();
  const hasBridge = network === "BRIDGE" || network === "USER";
  const ports = hasBridge ? [...(docker?.port_mappings ?? []), ...extraPorts] : [];
  return [
    ...["--net", name],
    ...(hostname !== undefined && network !== "HOST" ? ["--hostname", hostname] : []),
    ...ports.flatMap(({ host_port, container_port, protocol }) => [
      "-p",
      `${host_port}:${container_port}${protocol === undefined ? "" : `/${protocol.toLowerCase()}`}`,
    ]),
  ];
}

/** Which of an image's EXPOSEd ports go to which host ports; see protocol/exposed-ports.ts. */
export function publishExposed(
  hostPorts: readonly number[],
  exposed: readonly string[],
): readonly PortMapping[] {
  const ports = exposed
    .map((text) => text.split("/"))
    .map(([port, protocol]) => ({ port: Number(port), protocol: protocol ?? "tcp" }))
    .sort((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1));
  const [first] = hostPorts;
  if (ports.length === 0)
    return first === undefined ? [] : [{ host_port: first, container_port: first, protocol: "tcp" }];
  return hostPorts.slice(0, ports.length).map((host_port, index) => ({
    host_port,
    container_port: ports[index]?.port ?? 0,
    protocol: ports[index]?.protocol ?? "tcp",
  }));
}

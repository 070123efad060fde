/**
 * A task label by which a framework asks the agent for what only the agent can know: the ports that a Docker image
 * EXPOSEs. Its value is the task's host ports in order, comma-separated ("31002,31007"). The task's container is
 * DOCKER with network BRIDGE and no port mappings; the agent reads the image's EXPOSEd ports (`docker image inspect`,
 * numbers ascending) and publishes the first on the first host port, the second on the second, and so on, with
 * each port's own protocol. Host ports beyond the EXPOSEd ones stay unused; EXPOSEd ports beyond the host ports stay
 * unpublished; an image that EXPOSEs none publishes the first host port as itself.
 */
export const exposedPortsLabel = "provision.exposed-ports";

export const formatExposedPorts = (hostPorts: readonly number[]): string => hostPorts.join(",");

/** The host ports of the label's value; undefined when it is no list of ports. */
export function parseExposedPorts(value: string): readonly number[] | undefined {
  const ports = value.split(",").map(Number);
  return ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536) ? ports : undefined;
}

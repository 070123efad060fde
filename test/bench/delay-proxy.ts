/** A TCP hop that holds every byte back for half a round trip each way, where the kernel has no `tc netem`. */
import { connect, createServer, type Socket } from "node:net";

export interface DelayProxy {
  readonly port: number;
  close(): void;
}

interface DelayRequest {
  readonly listenHost: string;
  readonly host: string;
  readonly port: number;
  readonly roundTripMs: number;
}

export async function startDelayProxy({
  listenHost,
  host,
  port,
  roundTripMs,
}: DelayRequest): Promise<DelayProxy> {
  const oneWayMs = roundTripMs / 2;
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const upstream = connect({ host, port, noDelay: true, allowHalfOpen: true });
    forward(client, upstream, oneWayMs);
    forward(upstream, client, oneWayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, listenHost, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the delay proxy has no port");
  return { port: address.port, close: () => server.close() };
}

function forward(from: Socket, to: Socket, oneWayMs: number): void {
  from.on("data", (chunk) => setTimeout(() => to.writable && to.write(chunk), oneWayMs));
  from.on("end", () => setTimeout(() => to.end(), oneWayMs));
  from.on("error", () => to.destroy());
  from.on("close", () => setTimeout(() => to.destroy(), oneWayMs * 2));
}

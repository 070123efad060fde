import { createServer } from "node:net";

/** Which of these ports somebody on this machine listens on. Tried by listening, one after another. */
export async function busyPorts(ports: Iterable<number>): Promise<ReadonlySet<number>> {
  const busy = new Set<number>();
  for (const port of ports) if (await isBusy(port)) busy.add(port);
  return busy;
}

function isBusy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve("code" in error && error.code === "EADDRINUSE"));
    server.listen(port, "0.0.0.0", () => server.close(() => resolve(false)));
  });
}

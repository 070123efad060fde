import { connect, createServer, type Server, type Socket } from "node:net";

/** A TCP proxy on loopback whose line can be cut, held silent, and mended. */
export interface TcpProxy {
  readonly port: number;
  /** Whether somebody is connected through it. */
  readonly isUsed: boolean;
  /** Bytes stop in both directions; connections stay open, new ones are taken and stay silent. */
  silence(): void;
  /** Open connections are reset, and new ones refused at once. */
  cut(): void;
  /** Lets everything through again, what was held first. */
  mend(): void;
  close(): Promise<void>;
}

type State = "open" | "silent" | "cut";

export async function startTcpProxy(target: {
  readonly host: string;
  readonly port: number;
}): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let state: State = "open";
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    if (state === "silent") socket.pause();
  };
  const server = createServer((inner) => {
    if (state === "cut") {
      inner.destroy();
      return;
    }
    const outer = connect(target.port, target.host);
    track(inner);
    track(outer);
    link(inner, outer);
    link(outer, inner);
  });
  const port = await listen(server);
  const destroyAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    get isUsed() {
      return sockets.size > 0;
    },
    silence: () => {
      state = "silent";
      for (const socket of sockets) socket.pause();
    },
    cut: () => {
      state = "cut";
      destroyAll();
    },
    mend: () => {
      state = "open";
      for (const socket of sockets) socket.resume();
    },
    close: () => {
      destroyAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function link(from: Socket, to: Socket): void {
  from.on("data", (chunk) => void to.write(chunk));
  from.once("close", () => to.destroy());
}

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });

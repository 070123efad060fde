import { connect, type Socket } from "node:net";
import { formatServer, type ZooKeeperServer } from "./connect-string.ts";
import { type ConnectAnswer, type ConnectRequest, decodeConnect, encodeConnect } from "./protocol.ts";

export interface FrameConnectionOptions {
  readonly server: ZooKeeperServer;
  readonly hello: ConnectRequest;
  /** For the TCP connection and ZooKeeper's handshake together. */
  readonly connectTimeoutMs: number;
  readonly maxAnswerBytes: number;
  /** Gives the attempt up. */
  readonly signal: AbortSignal;
  readonly onFrame: (frame: Buffer) => void;
}

/** One TCP connection to one server, past the handshake, cutting the stream into frames. */
export interface FrameConnection {
  readonly answer: ConnectAnswer;
  /** Why it ended. Never rejects. */
  readonly closed: Promise<Error>;
  write(frame: Buffer): void;
  destroy(why: string): void;
}

/** Rejects if the server cannot be reached or does not say hello in time. */
export function openConnection(options: FrameConnectionOptions): Promise<FrameConnection> {
  const { server, hello, connectTimeoutMs } = options;
  const socket = connect({ host: server.host, port: server.port, noDelay: true });
  let why: Error | undefined;
  const fail = (error: Error): void => {
    why ??= error;
    socket.destroy();
  };
  const closed = new Promise<Error>((resolve) => {
    socket.on("error", (error) => {
      why ??= error;
    });
    socket.once("close", () => resolve(why ?? new Error(`${formatServer(server)} closed the connection`)));
  });
  const abort = (): void => fail(new Error("given up"));
  options.signal.addEventListener("abort", abort, { once: true });
  void closed.then(() => options.signal.removeEventListener("abort", abort));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => fail(new Error(`${formatServer(server)} did not answer within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    void closed.then((error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.once("connect", () => writeFrame(socket, encodeConnect(hello)));
    let isGreeted = false;
    readFrames(socket, options.maxAnswerBytes, fail, (frame) => {
      if (isGreeted) return options.onFrame(frame);
      isGreeted = true;
      clearTimeout(timer);
      resolve({
        answer: decodeConnect(frame),
        closed,
        write: (request) => void socket.write(request),
        destroy: (reason) => fail(new Error(reason)),
      });
    });
  });
}

function writeFrame(socket: Socket, body: Buffer): void {
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeInt32BE(body.length, 0);
  frame.set(body, 4);
  socket.write(frame);
}

/** What `onFrame` throws is a broken protocol: the connection cannot be used any more. */
function readFrames(
  socket: Socket,
  maxAnswerBytes: number,
  fail: (error: Error) => void,
  onFrame: (frame: Buffer) => void,
): void {
  let chunks: Buffer[] = [];
  let size = 0;
  let wanted = 4;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < wanted) return;
    let held = chunks.length === 1 ? chunk : Buffer.concat(chunks, size);
    try {
      while (held.length >= 4 && !socket.destroyed) {
        const length = held.readInt32BE(0);
        if (length < 0 || length > maxAnswerBytes) throw new Error(`An answer of ${length} bytes is refused`);
        wanted = 4 + length;
        if (held.length < wanted) break;
        onFrame(held.subarray(4, wanted));
        held = held.subarray(wanted);
        wanted = 4;
      }
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
    chunks = [held];
    size = held.length;
  });
}

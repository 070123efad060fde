/** Proxies that a task's environment names: http_proxy, https_proxy, no_proxy. */
import type { Duplex } from "node:stream";
import type { Env } from "../host/step.ts";

export interface HttpProxy {
  readonly host: string;
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
}

const defaultPort = 8080;

export function proxyFor(url: URL, env: Env): HttpProxy | undefined {
  const named = (name: string) => env[name] ?? env[name.toUpperCase()];
  if (isExempt(url, named("no_proxy") ?? "")) return undefined;
  const given = named(url.protocol === "https:" ? "https_proxy" : "http_proxy") ?? named("all_proxy");
  if (given === undefined || given === "") return undefined;
  const proxy = URL.parse(given.includes("://") ? given : `http://${given}`);
  if (proxy?.protocol !== "http:")
    throw new Error("the environment names a proxy that is not http://HOST:PORT");
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return {
    host: proxy.hostname.replace(/^\[|\]$/g, ""),
    port: Number(proxy.port || defaultPort),
    headers:
      credentials === ":"
        ? {}
        : { "Proxy-Authorization": `Basic ${Buffer.from(credentials).toString("base64")}` },
  };
}

/** no_proxy is a list of names that stand for themselves and what is below them, or one *. */
function isExempt({ hostname, port }: URL, list: string): boolean {
  return list
    .split(/[,\s]+/)
    .filter((name) => name !== "")
    .some((name) => {
      if (name === "*") return true;
      const bare = name.replace(/^\./, "");
      return bare === hostname || bare === `${hostname}:${port}` || hostname.endsWith(`.${bare}`);
    });
}

interface Tunnel {
  readonly socket: Duplex;
  readonly proxy: HttpProxy;
  readonly name: string;
  readonly port: number;
  readonly signal: AbortSignal;
}

const headLimitBytes = 16 * 1024;

/** CONNECT: what follows on the socket goes to name:port. */
export function tunnel({ socket, proxy, name, port, signal }: Tunnel): Promise<void> {
  const address = `${name.includes(":") ? `[${name}]` : name}:${port}`;
  const headers = Object.entries(proxy.headers).map(([key, value]) => `${key}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    let head = Buffer.alloc(0);
    const stop = (error: Error): void => {
      socket.off("data", onData);
      reject(error);
    };
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end === -1) {
        if (head.length > headLimitBytes) stop(new Error("the proxy's answer to CONNECT has no end"));
        return;
      }
      const line = head.subarray(0, end).toString("latin1").split("\r\n")[0] ?? "";
      if (!/^HTTP\/1\.\d 2\d\d/.test(line)) {
        stop(new Error(`the proxy answered CONNECT with ${line}`));
        return;
      }
      socket.off("data", onData);
      socket.pause();
      const rest = head.subarray(end + 4);
      if (rest.length > 0) socket.unshift(rest);
      resolve();
    };
    socket.on("data", onData);
    socket.once("error", stop);
    socket.once("end", () => stop(new Error("the proxy hung up")));
    signal.addEventListener("abort", () => stop(signal.reason as Error), { once: true });
    socket.write(`CONNECT ${address} HTTP/1.1\r\nHost: ${address}\r\n${headers.join("")}\r\n`);
  });
}

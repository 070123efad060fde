/** Where an ensemble is, as flags say it: `zk://user:password@h1:2181,h2:2181/path`. */
export interface ZooKeeperAddress {
  readonly servers: readonly ZooKeeperServer[];
  /** "/" or "/mesos"; never with a trailing slash. */
  readonly path: string;
  readonly auth?: { readonly scheme: "digest"; readonly credentials: string };
}

export interface ZooKeeperServer {
  readonly host: string;
  readonly port: number;
}

const defaultPort = 2181;

export class BadZooKeeperAddress extends Error {
  override readonly name = "BadZooKeeperAddress";
}

/** Takes `zk://…` and the bare `h1:2181,h2:2181/path` of ZooKeeper's own tools. Throws BadZooKeeperAddress. */
export function parseZooKeeperAddress(text: string): ZooKeeperAddress {
  const rest = text.trim().replace(/^zk:\/\//, "");
  if (/^[a-z]+:\/\//.test(rest)) throw bad(text, "the scheme must be zk");
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? "/" : rest.slice(slash).replace(/\/+$/, "") || "/";
  const at = authority.lastIndexOf("@");
  const credentials = at < 0 ? undefined : authority.slice(0, at);
  if (credentials !== undefined && !/^[^:]+:.+$/s.test(credentials)) {
    throw bad(text, 'credentials are written "user:password@"');
  }
  if (path !== "/") checkPath(path, text);
  const servers = authority
    .slice(at + 1)
    .split(",")
    .map((server) => parseServer(server.trim(), text));
  const address = { servers, path };
  return credentials === undefined ? address : { ...address, auth: { scheme: "digest", credentials } };
}

function parseServer(server: string, text: string): ZooKeeperServer {
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^\s:[\]]+))(?::(\d+))?$/.exec(server);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (host === undefined) throw bad(text, `"${server}" is no host:port`);
  if (port < 1 || port > 65_535) throw bad(text, `port ${port} is not between 1 and 65535`);
  return { host, port };
}

function checkPath(path: string, text: string): void {
  if (
    path
      .split("/")
      .slice(1)
      .some((part) => part === "" || part === "." || part === "..")
  ) {
    throw bad(text, `"${path}" is no path of a node`);
  }
}

/** Credentials never stand in a message. */
const bad = (text: string, why: string): BadZooKeeperAddress =>
  new BadZooKeeperAddress(
    `Cannot read ZooKeeper address "${text.replace(/^(zk:\/\/)?[^/]*@/, "$1…@")}": ${why}`,
  );

export const formatServer = ({ host, port }: ZooKeeperServer): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;

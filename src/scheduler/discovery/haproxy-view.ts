import { createHash } from "node:crypto";
import { isPort, type PortWishes, readPortWishes } from "./port-labels.ts";
import type { ServedApp, ServedInstance, ServedPort } from "./served-app.ts";

export interface HaproxyOptions {
  /** Where `www.anything` goes to the app `www`. Undefined: this node has no such front (slaves). */
  readonly frontPort?: number | undefined;
  /** Any app by the header X-Marathon-App-Id. Default 9091 where there is a front; null for none. */
  readonly appIdPort?: number | null | undefined;
  /** A certificate file or folder: the front is then also on 443. */
  readonly certificates?: string | undefined;
  readonly statsPort?: number | undefined;
  readonly statsPassword?: string | undefined;
  /** Only apps of these groups (HAPROXY_GROUP). Empty: all apps; "*": all that have a group. */
  readonly groups?: readonly string[];
  /** Ports that others on the node need: an app that asks for one does not get it. */
  readonly reservedPorts?: readonly number[];
  /** Where the slaves' tasks get their ports: a service port in there would fight with them. */
  readonly taskPorts?: readonly (readonly [first: number, last: number])[];
  /** Whether something else on this node listens on it. */
  readonly isBusy?: (port: number) => boolean;
  /** Servers of the configuration before: one whose health nobody knows yet stays if it was in it. */
  readonly servedBefore?: ReadonlySet<string>;
  readonly adminSocket?: string;
  /** Null: haproxy stays who it was started as. */
  readonly runAs?: { readonly user: string; readonly group: string; readonly chroot: string } | null;
  readonly connectTimeoutMs?: number;
  /** "2.6": older ones lack some words. Undefined: a current one. */
  readonly haproxyVersion?: string | undefined;
}

/** What a template sees. All texts in it are checked: none can break out of its line. */
export interface HaproxyView {
  readonly adminSocket: string;
  readonly runAs: { readonly user: string; readonly group: string; readonly chroot: string } | null;
  readonly connectTimeoutMs: number;
  /** Whether a GET that a server left without an answer goes to another one. */
  readonly repeatsReads: boolean;
  readonly stats: { readonly port: number; readonly user: string; readonly password: string } | null;
  readonly front: FrontView | null;
  readonly appIds: { readonly port: number; readonly routes: readonly AppIdRoute[] } | null;
  readonly backends: readonly BackendView[];
  readonly services: readonly ServiceView[];
}

export interface FrontView {
  readonly port: number;
  readonly certificates: string | null;
  readonly redirects: readonly string[];
  /** In order: virtual hosts with paths, then without, then first labels. */
  readonly routes: readonly { readonly condition: string; readonly backend: string; readonly app: string }[];
}

export interface AppIdRoute {
  readonly id: string;
  readonly backend: string;
}

export interface PoolView {
  readonly name: string;
  readonly app: string;
  readonly balance: string;
  readonly cookie: boolean;
  readonly healthPath: string | null;
  readonly servers: readonly ServerView[];
}
export type BackendView = PoolView;
export interface ServiceView extends PoolView {
  readonly bind: string;
  readonly mode: "http" | "tcp";
  readonly repeatsReads: boolean;
}

export interface ServerView {
  /** Of the instance, so that it stays when others come and go. */
  readonly name: string;
  readonly address: string;
  readonly cookie: string;
  /** Only when no other server is up. */
  readonly backup: boolean;
}

export interface HaproxyPlan {
  readonly view: HaproxyView;
  /** What an app asked for and does not get, and why: `app "/a": …`. */
  readonly problems: readonly string[];
}

/** Ports of the services that share a node with the proxy. */
const defaultReservedPorts = [22, 2181, 2888, 3888, 5050, 5051, 8080, 8443] as const;
const defaultTaskPorts = [[31_000, 32_000]] as const;
const defaultConnectTimeoutMs = 2_000;
const idPattern = /^(\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?)+$/;
const namePattern = /^[\w.-]{1,253}$/;
const ipv6Pattern = /^[0-9a-f]*:[0-9a-f:.]+$/i;
const serverNamePattern = /^[\w.:-]{1,200}$/;
const passwordPattern = /^[\x21-\x7e]{1,128}$/;

interface Port {
  readonly app: ServedApp;
  readonly index: number;
  readonly definition: ServedPort;
  readonly wishes: PortWishes;
  readonly servers: readonly ServerView[];
}

/** Decides what the proxy serves. Pure; the order of `apps` does not matter. */
export function planHaproxy(apps: readonly ServedApp[], options: HaproxyOptions): HaproxyPlan {
  const problems: string[] = [];
  const ports = apps
    .filter((app) => isNamed(app, problems))
    .sort(byDepthThenId)
    .flatMap((app) => portsOf(app, options, problems));
  const front =
    options.frontPort === undefined ? null : planFront(options.frontPort, ports, options, problems);
  const appIdPort = options.appIdPort === undefined ? (front === null ? null : 9091) : options.appIdPort;
  const view: HaproxyView = {
    adminSocket: options.adminSocket ?? "/run/haproxy/admin.sock",
    runAs: options.runAs === undefined ? systemUser : options.runAs,
    connectTimeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    repeatsReads: knowsRetryOn(options),
    stats: planStats(options),
    front,
    appIds: appIdPort === null ? null : { port: appIdPort, routes: ports.filter(isFirst).map(appIdRoute) },
    backends: front === null && appIdPort === null ? [] : ports.filter(isRouted).map(backendOf),
    services: planServices(ports, options, { front, appIdPort }, problems),
  };
  return { view, problems };
}

/** `retry-on` came with 2.0. */
const knowsRetryOn = ({ haproxyVersion }: HaproxyOptions): boolean =>
  Number.parseInt(haproxyVersion ?? "2", 10) >= 2;

const systemUser = { user: "haproxy", group: "haproxy", chroot: "/var/lib/haproxy" };

function planStats({ statsPort, statsPassword }: HaproxyOptions): HaproxyView["stats"] {
  if (statsPassword === undefined) return null;
  if (!passwordPattern.test(statsPassword) || /["'\\#$:]/.test(statsPassword)) {
    throw new TypeError("The statistics password holds characters that haproxy.cfg gives a meaning");
  }
  return { port: statsPort ?? 9090, user: "provision", password: statsPassword };
}

function isNamed({ id }: ServedApp, problems: string[]): boolean {
  if (idPattern.test(id) && id.length <= 500) return true;
  problems.push(`app ${JSON.stringify(id)}: its id is not valid`);
  return false;
}

const depth = ({ id }: ServedApp): number => id.split("/").length;
/** Shallow ids first: `/web` has its label and port before `/web/www` of another could take them. */
const byDepthThenId = (a: ServedApp, b: ServedApp): number =>
  depth(a) - depth(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

function portsOf(app: ServedApp, options: HaproxyOptions, problems: string[]): Port[] {
  const tell = (problem: string): void => void problems.push(`app "${app.id}": ${problem}`);
  return app.ports.flatMap((definition, index) => {
    const wishes = readPortWishes(app, index, tell);
    if (!wishes.isEnabled || !definition.protocol.split(",").includes("tcp")) return [];
    if (!isInGroups(wishes.groups, options.groups ?? [])) return [];
    const servers = app.instances.flatMap((instance) => serverOf(app, instance, index, { options, tell }));
    return [{ app, index, definition, wishes, servers: servers.sort((a, b) => (a.name < b.name ? -1 : 1)) }];
  });
}

const isInGroups = (own: readonly string[], wanted: readonly string[]): boolean =>
  wanted.length === 0 ||
  (wanted.includes("*") && own.length > 0) ||
  own.some((group) => wanted.includes(group));

function serverOf(
  app: ServedApp,
  instance: ServedInstance,
  index: number,
  { options, tell }: { readonly options: HaproxyOptions; readonly tell: (problem: string) => void },
): ServerView[] {
  const port = instance.ports[index];
  if (!serverNamePattern.test(instance.id)) {
    tell(`instance ${JSON.stringify(instance.id)} has no valid id`);
    return [];
  }
  if (
    port === undefined ||
    !isPort(port) ||
    !(namePattern.test(instance.host) || ipv6Pattern.test(instance.host))
  ) {
    tell(
      `instance "${instance.id}" has no address for port ${index}: ${JSON.stringify(instance.host)}:${port}`,
    );
    return [];
  }
  const name = `${instance.id}:${port}`;
  const isWell = instance.isHealthy ?? options.servedBefore?.has(name) ?? false;
  if (app.hasHealthChecks && !isWell) return [];
  const host = ipv6Pattern.test(instance.host) ? `[${instance.host}]` : instance.host;
  const cookie = createHash("sha256").update(name).digest("hex").slice(0, 16);
  return [{ name, address: `${host}:${port}`, cookie, backup: instance.isLeaving === true }];
}

const safeId = ({ id }: ServedApp): string => id.slice(1).replaceAll("/", "_");
const backendName = ({ app, index }: Port): string =>
  index === 0 ? `app:${safeId(app)}` : `app:${safeId(app)}:${index}`;
const isFirst = (port: Port, at: number, ports: readonly Port[]): boolean => ports[at - 1]?.app !== port.app;
/** Whether something on the front can lead there. */
const isRouted = (port: Port, at: number, ports: readonly Port[]): boolean =>
  isFirst(port, at, ports) || port.wishes.hosts.length > 0;
const appIdRoute = (port: Port): AppIdRoute => ({ id: port.app.id, backend: backendName(port) });

function poolOf(port: Port, name: string): PoolView {
  const { wishes, definition } = port;
  const isSafePath =
    definition.healthPath !== undefined && /^\/[\w/.~%+@:=&?-]*$/.test(definition.healthPath);
  return {
    name,
    app: port.app.id,
    balance: wishes.balance,
    cookie: wishes.isSticky,
    healthPath: isSafePath ? (definition.healthPath ?? null) : null,
    servers: port.servers,
  };
}

const backendOf = (port: Port): BackendView => poolOf(port, backendName(port));

function planFront(
  port: number,
  ports: readonly Port[],
  { certificates }: HaproxyOptions,
  problems: string[],
): FrontView {
  const withHosts = ports.filter(({ wishes }) => wishes.hosts.length > 0);
  const pathLength = ({ wishes }: Port): number => wishes.path?.length ?? 0;
  const hosted = withHosts
    .toSorted((a, b) => pathLength(b) - pathLength(a))
    .flatMap((each) =>
      each.wishes.hosts.map((host) => ({
        condition: `{ ${hostMatch(host)} }${each.wishes.path === undefined ? "" : ` { path_beg ${each.wishes.path} }`}`,
        backend: backendName(each),
        app: each.app.id,
      })),
    );
  const redirects = withHosts
    .filter(({ wishes }) => wishes.redirectsToHttps)
    .flatMap(({ wishes }) => wishes.hosts.map((host) => `{ ${hostMatch(host)} }`));
  const labelled = [...labelsOf(ports.filter(isFirst), problems)].map(([label, each]) => ({
    condition: `{ var(txn.label) -m str ${label} }`,
    backend: backendName(each),
    app: each.app.id,
  }));
  return {
    port,
    certificates: certificates ?? null,
    redirects: [...new Set(redirects)],
    routes: [...hosted, ...labelled],
  };
}

const hostMatch = (host: string): string =>
  host.startsWith("*.") ? `var(txn.host) -m end ${host.slice(1)}` : `var(txn.host) -m str ${host}`;

/**
 * First labels: `/www` is `www`, `/shop/web` is `web-shop` (the innermost name first, as marathon-lb has it); a dot
 * counts as a dash. Two apps with one label: the one that is less deep, then first by id, has it.
 */
function labelsOf(ports: readonly Port[], problems: string[]): ReadonlyMap<string, Port> {
  const labels = new Map<string, Port>();
  for (const port of ports) {
    const label = port.app.id.slice(1).split("/").reverse().join("-").replaceAll(".", "-");
    const holder = labels.get(label);
    if (holder === undefined) labels.set(label, port);
    else problems.push(`app "${port.app.id}": app "${holder.app.id}" has the host label "${label}" already`);
  }
  return labels;
}

interface Taken {
  readonly front: FrontView | null;
  readonly appIdPort: number | null;
}

function planServices(
  ports: readonly Port[],
  options: HaproxyOptions,
  { front, appIdPort }: Taken,
  problems: string[],
): ServiceView[] {
  const own = [front?.port, front?.certificates ? 443 : undefined, appIdPort, options.statsPort ?? 9090];
  const reserved = new Set<number | null | undefined>([
    ...own,
    ...(options.reservedPorts ?? defaultReservedPorts),
  ]);
  const holders = new Map<number, string>();
  return ports.flatMap((port) => {
    const number = port.wishes.port ?? port.definition.servicePort;
    if (number === 0) return [];
    const why = whyNotServed(number, { reserved, holders, options });
    if (why !== undefined) {
      problems.push(`app "${port.app.id}": its service port ${number} is not served: ${why}`);
      return [];
    }
    holders.set(number, port.app.id);
    const pool = poolOf(port, `${safeId(port.app)}-${number}`);
    const mode = modeOf(port);
    const address = port.wishes.bindAddress;
    const bind = `${address.includes(":") ? `[${address}]` : address}:${number}`;
    // A cookie needs HTTP; over TCP the same client goes to the same server by its address.
    const sticky = mode === "tcp" && pool.cookie ? { balance: "source", cookie: false } : {};
    return [{ ...pool, ...sticky, bind, mode, repeatsReads: mode === "http" && knowsRetryOn(options) }];
  });
}

function whyNotServed(
  port: number,
  taken: {
    readonly reserved: ReadonlySet<number | null | undefined>;
    readonly holders: ReadonlyMap<number, string>;
    readonly options: HaproxyOptions;
  },
): string | undefined {
  if (!isPort(port)) return "it is no port";
  if (taken.reserved.has(port)) return "the node needs it itself";
  const ranges = taken.options.taskPorts ?? defaultTaskPorts;
  if (ranges.some(([first, last]) => port >= first && port <= last)) return "tasks get their ports there";
  const holder = taken.holders.get(port);
  if (holder !== undefined) return `app "${holder}" has it already`;
  return taken.options.isBusy?.(port) === true ? "another program on this node listens there" : undefined;
}

const modeOf = ({ wishes, definition }: Port): "http" | "tcp" =>
  wishes.mode ?? (wishes.hosts.length > 0 || definition.healthPath !== undefined ? "http" : "tcp");

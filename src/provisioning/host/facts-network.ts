/** Interfaces, addresses and the default routes. */
import type { JsonObject } from "../../base/json.ts";
import type { RawFacts } from "./gather-facts.ts";

interface Ipv4 {
  readonly address: string;
  readonly prefix: string;
  readonly broadcast: string;
}
interface Ipv6 {
  readonly address: string;
  readonly prefix: string;
  readonly scope: string;
}
interface Addresses {
  readonly ipv4: Ipv4[];
  readonly ipv6: Ipv6[];
}

export function networkFacts(raw: RawFacts): JsonObject {
  const addresses = addressesOf(raw);
  const names = [
    ...new Set([
      ...raw.paths(/^\/sys\/class\/net\/([^/]+)\/mtu$/).map((m) => m[1] ?? ""),
      ...addresses.keys(),
    ]),
  ];
  const interfaces = names.map(
    (name) => [name.replaceAll("-", "_"), interfaceFacts(raw, name, addresses.get(name))] as const,
  );
  const outer = names.filter((name) => name !== "lo").map((name) => addresses.get(name));
  return {
    interfaces: names,
    ...Object.fromEntries(interfaces),
    all_ipv4_addresses: outer
      .flatMap((each) => each?.ipv4.map(({ address }) => address) ?? [])
      .filter((a) => !a.startsWith("127.")),
    all_ipv6_addresses: outer.flatMap((each) => each?.ipv6.map(({ address }) => address) ?? []),
    default_ipv4: defaultIpv4(raw, addresses),
    default_ipv6: defaultIpv6(raw, addresses),
  };
}

/** `ip -o addr`: `2: eth0    inet 10.0.0.5/24 brd 10.0.0.255 scope global eth0\ …` */
function addressesOf({ section, file }: RawFacts): Map<string, Addresses> {
  const found = new Map<string, Addresses>();
  const of = (name: string): Addresses => {
    const known = found.get(name) ?? { ipv4: [], ipv6: [] };
    found.set(name, known);
    return known;
  };
  for (const line of section("ip").split("\n")) {
    const match = /^\d+:\s+(\S+?)(?:@\S+)?\s+(inet6?) ([^/\s]+)(?:\/(\d+))?(.*)$/.exec(line);
    if (!match) continue;
    const [, name = "", family, address = "", prefix = family === "inet" ? "32" : "128", rest = ""] = match;
    const scope = /scope (\S+)/.exec(rest)?.[1] ?? "global";
    if (family === "inet")
      of(name).ipv4.push({ address, prefix, broadcast: /brd (\S+)/.exec(rest)?.[1] ?? "" });
    else of(name).ipv6.push({ address, prefix, scope });
  }
  if (found.size > 0) return found;
  readIfconfig(section("ifconfig"), of);
  readInet6(file("/proc/net/if_inet6"), of);
  return found;
}

function readIfconfig(text: string, of: (name: string) => Addresses): void {
  let name = "";
  for (const line of text.split("\n")) {
    name = /^(\S+?):?\s/.exec(line)?.[1] ?? name;
    const address = /inet (?:addr:)?(\d+(?:\.\d+){3})/.exec(line)?.[1];
    const mask = /(?:Mask:|netmask )(\S+)/.exec(line)?.[1] ?? "255.255.255.255";
    const broadcast = /(?:Bcast:|broadcast )(\S+)/.exec(line)?.[1] ?? "";
    if (address !== undefined) of(name).ipv4.push({ address, prefix: String(prefixOf(mask)), broadcast });
  }
}

function readInet6(text: string, of: (name: string) => Addresses): void {
  for (const line of text.split("\n")) {
    const [hex, , prefix, scope, , name] = line.trim().split(/\s+/);
    if (hex === undefined || name === undefined || prefix === undefined) continue;
    const scopes: Readonly<Record<string, string>> = { "00": "global", "10": "host", "20": "link" };
    of(name).ipv6.push({
      address: ipv6Text(hex),
      prefix: String(Number.parseInt(prefix, 16)),
      scope: scopes[scope ?? ""] ?? "global",
    });
  }
}

function interfaceFacts(raw: RawFacts, name: string, addresses: Addresses | undefined): JsonObject {
  const text = (path: string): string => raw.file(`/sys/class/net/${name}/${path}`).trim();
  const [first, ...others] = addresses?.ipv4 ?? [];
  const flags = Number.parseInt(text("flags") || "0", 16);
  return {
    device: name,
    mtu: Number(text("mtu") || "0"),
    active: name === "lo" ? true : text("operstate") !== "down",
    promisc: (flags & 0x100) !== 0,
    type: typeOf(raw, name),
    ...(/^-?\d+$/.test(text("speed")) ? { speed: Number(text("speed")) } : {}),
    ...bridgeFacts(raw, name),
    ...bondingFacts(text),
    ...(text("address") === "" || name === "lo" ? {} : { macaddress: text("address") }),
    ...(first ? { ipv4: ipv4Facts(first) } : {}),
    ...(others.length > 0 ? { ipv4_secondaries: others.map(ipv4Facts) } : {}),
    ...(addresses && addresses.ipv6.length > 0 ? { ipv6: addresses.ipv6.map((each) => ({ ...each })) } : {}),
  };
}

function bridgeFacts({ file, paths }: RawFacts, name: string): JsonObject {
  const id = file(`/sys/class/net/${name}/bridge/bridge_id`).trim();
  if (id === "") return {};
  const ports = paths(/^\/sys\/class\/net\/([^/]+)\/brif\/([^/]+)\/port_no$/);
  return {
    id,
    interfaces: ports.filter((match) => match[1] === name).map((match) => match[2] ?? ""),
    stp: file(`/sys/class/net/${name}/bridge/stp_state`).trim() === "1",
  };
}

function bondingFacts(text: (path: string) => string): JsonObject {
  const first = (path: string): string => text(path).split(" ")[0] ?? "";
  if (text("bonding/mode") === "") return {};
  return {
    slaves: text("bonding/slaves")
      .split(" ")
      .filter((name) => name !== ""),
    mode: first("bonding/mode"),
    miimon: first("bonding/miimon"),
    lacp_rate: first("bonding/lacp_rate"),
  };
}

function typeOf({ file, paths }: RawFacts, name: string): string {
  if (name === "lo") return "loopback";
  if (paths(/^\/sys\/class\/net\/([^/]+)\/bridge\/bridge_id$/).some((m) => m[1] === name)) return "bridge";
  if (paths(/^\/sys\/class\/net\/([^/]+)\/bonding\/mode$/).some((m) => m[1] === name)) return "bonding";
  const kind = file(`/sys/class/net/${name}/type`).trim();
  return kind === "1"
    ? "ether"
    : kind === "772"
      ? "loopback"
      : kind === "32"
        ? "infiniband"
        : kind === "776" || kind === "768"
          ? "tunnel"
          : "unknown";
}

const ipv4Facts = ({ address, prefix, broadcast }: Ipv4): JsonObject => {
  const mask = prefix === "0" ? 0 : (0xffffffff << (32 - Number(prefix))) >>> 0;
  return {
    address,
    broadcast,
    netmask: ipv4Text(mask),
    network: ipv4Text((ipv4Number(address) & mask) >>> 0),
    prefix,
  };
};

const ipv4Number = (text: string): number =>
  text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const ipv4Text = (value: number): string => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
const prefixOf = (mask: string): number => ipv4Number(mask).toString(2).replaceAll("0", "").length;

/** /proc/net/route: little-endian hex; the default route of the lowest metric. */
function defaultIpv4(raw: RawFacts, addresses: ReadonlyMap<string, Addresses>): JsonObject {
  const routes = raw
    .file("/proc/net/route")
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/))
    .filter((fields) => fields[1] === "00000000" && fields[7] === "00000000")
    .sort((a, b) => Number(a[6]) - Number(b[6]));
  const [route] = routes;
  if (!route) return {};
  const [name = "", , gateway = ""] = route;
  const bytes =
    gateway
      .match(/../g)
      ?.map((byte) => Number.parseInt(byte, 16))
      .reverse() ?? [];
  const [first] = addresses.get(name)?.ipv4 ?? [];
  return {
    interface: name,
    alias: name,
    gateway: bytes.join("."),
    ...(first ? ipv4Facts(first) : {}),
    ...linkFacts(raw, name),
  };
}

function linkFacts(raw: RawFacts, name: string): JsonObject {
  const text = (path: string): string => raw.file(`/sys/class/net/${name}/${path}`).trim();
  return { macaddress: text("address"), mtu: Number(text("mtu") || "0"), type: typeOf(raw, name) };
}

/** /proc/net/ipv6_route: destination, prefix, …, next hop (5th), metric (6th), …, device (10th). */
function defaultIpv6(raw: RawFacts, addresses: ReadonlyMap<string, Addresses>): JsonObject {
  const routes = raw
    .file("/proc/net/ipv6_route")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(
      (fields) =>
        /^0{32}$/.test(fields[0] ?? "") &&
        fields[1] === "00" &&
        fields[9] !== "lo" &&
        !/^0{32}$/.test(fields[4] ?? "0".repeat(32)),
    )
    .sort((a, b) => Number.parseInt(a[5] ?? "0", 16) - Number.parseInt(b[5] ?? "0", 16));
  const [route] = routes;
  const name = route?.[9];
  if (!route || name === undefined) return {};
  const all = addresses.get(name)?.ipv6 ?? [];
  const first = all.find(({ scope }) => scope === "global") ?? all[0];
  return {
    interface: name,
    gateway: ipv6Text(route[4] ?? ""),
    ...(first ? { ...first } : {}),
    ...linkFacts(raw, name),
  };
}

/** RFC 5952: the longest run of zero groups becomes "::". */
export function ipv6Text(hex: string): string {
  const groups = (hex.match(/..../g) ?? []).map((group) => Number.parseInt(group, 16).toString(16));
  const runs = [...groups.join(":").matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)];
  const longest = runs.sort((a, b) => b[0].length - a[0].length)[0];
  if (!longest) return groups.join(":");
  const text = groups.join(":");
  const before = text.slice(0, longest.index).replace(/:$/, "");
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, "");
  return `${before}::${after}`;
}

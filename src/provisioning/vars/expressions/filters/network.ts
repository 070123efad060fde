/** Addresses and networks: ipaddr and its kin of ansible.utils. */
import { fromBigInt, limitItems } from "../arithmetic.ts";
import { IpNetwork, parseIpNetwork, parseIpv4 } from "../ip-network.ts";
import { iterate } from "../members.ts";
import { type Filter, type Invocation, parameters, textOf, wholeOf } from "../runtime.ts";
import { str } from "../text.ts";
import { Dict, Fault, isInt, isList, type Value } from "../value.ts";

/** What ipaddr works on: the network, and whether a prefix was written. */
interface Given {
  readonly net: IpNetwork;
  readonly hasPrefix: boolean;
  readonly shown: string;
}

function given(value: Value, version: 4 | 6 | undefined): Given | undefined {
  if (typeof value === "boolean" || value === null) return undefined;
  const text = str(value);
  if (/^\d+$/.test(text)) {
    const ip = BigInt(text);
    const isFour = version !== 6 && ip < 2n ** 32n;
    if (ip >= 2n ** 128n) return undefined;
    const net = isFour ? new IpNetwork(4, ip, 32) : new IpNetwork(6, ip, 128);
    return { net, hasPrefix: false, shown: net.text };
  }
  const net = parseIpNetwork(text.trim());
  return net === undefined ? undefined : { net, hasPrefix: text.includes("/"), shown: text };
}

const isHost = ({ ip, first, size, version }: IpNetwork): boolean =>
  size === 1n || ip !== first || size === 2n || version === 6;
const needsNetwork = ({ hasPrefix, shown }: Given): void => {
  if (!hasPrefix) throw new Fault(`"${shown}" is an address alone, and a network is wanted`);
};
const within = (net: IpNetwork, ranges: readonly string[]): boolean =>
  ranges.some((range) => parseIpNetwork(range)?.has(net) === true);
const alone = (net: IpNetwork): IpNetwork => net.at(net.bits);

const privateRanges = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "239.0.0.0/8",
  "fc00::/7",
  "fec0::/10",
  "169.254.0.0/16",
  "fe80::/10",
];
const loopback = ["127.0.0.0/8", "::1/128"];
const multicast = ["224.0.0.0/4", "ff00::/8"];
const linkLocal = ["169.254.0.0/16", "fe80::/10"];

const showIf =
  (holds: (net: IpNetwork) => boolean) =>
  (one: Given): Value =>
    holds(one.net) ? one.shown : null;
const ofNetwork =
  (work: (net: IpNetwork) => Value) =>
  (one: Given): Value => {
    needsNetwork(one);
    return one.net.size > 1n ? work(one.net) : null;
  };
const neighbour =
  (step: bigint) =>
  (net: IpNetwork): Value =>
    usableAt(net, net.ip + step);
function usableAt(net: IpNetwork, ip: bigint): Value {
  const [first, last] = net.usable;
  return ip >= first && ip <= last ? net.textOf(ip) : null;
}

const address = ({ net }: Given): Value => (isHost(net) ? net.textOf(net.ip) : null);
const addressPrefix = ({ net }: Given): Value =>
  net.size > 2n && (net.ip === net.first || net.ip === net.last) ? false : net.text;
const network = ({ net }: Given): Value => net.textOf(net.first);
const hostmask = ({ net }: Given): Value => net.textOf(net.hostmask);
const subnet = ({ net }: Given): Value => net.network.text;

function isPublic(net: IpNetwork): boolean {
  const one = alone(net);
  const all = (1n << BigInt(net.bits)) - 1n;
  const isRun = (mask: bigint): boolean => (mask & (mask + 1n)) === 0n;
  if (within(one, [...privateRanges, ...loopback, ...multicast])) return false;
  return !isRun(net.ip) && !isRun(all ^ net.ip);
}

function peer(net: IpNetwork): Value {
  if (net.size === 2n) return net.textOf(net.ip ^ 1n);
  if (net.size !== 4n) throw new Fault(`"${net.text}" is no network of two hosts`);
  if (net.ip === net.first || net.ip === net.last)
    throw new Fault(`"${net.text}" is the network's own address or its broadcast, which have no peer`);
  return net.textOf(net.ip ^ 3n);
}

function reverseName(net: IpNetwork): string {
  if (net.version === 4) return `${net.textOf(net.ip).split(".").reverse().join(".")}.in-addr.arpa.`;
  return `${[...net.ip.toString(16).padStart(32, "0")].reverse().join(".")}.ip6.arpa.`;
}

const mappedBase = 0xffff_0000_0000n;
const asFour = ({ net, shown }: Given): Value => {
  if (net.version === 4) return shown;
  const isMapped = net.ip >> 32n === 0xffffn || net.ip >> 32n === 0n;
  return isMapped && net.prefix >= 96 ? new IpNetwork(4, net.ip & 0xffff_ffffn, net.prefix - 96).text : false;
};
const asSix = ({ net, shown }: Given): Value =>
  net.version === 6 ? shown : new IpNetwork(6, mappedBase | net.ip, net.prefix + 96).text;
const typeOf = ({ size, ip, first }: IpNetwork): string =>
  size === 1n || ip !== first ? "address" : "network";

const queries: Readonly<Record<string, (one: Given) => Value>> = {
  "": ({ net, hasPrefix }) => (hasPrefix ? net.text : net.textOf(net.ip)),
  address,
  ip: address,
  "address/prefix": addressPrefix,
  "host/prefix": addressPrefix,
  hostnet: addressPrefix,
  gateway: addressPrefix,
  gw: addressPrefix,
  router: addressPrefix,
  bool: () => true,
  broadcast: ({ net }) => (net.size > 2n ? net.textOf(net.last) : null),
  cidr: ({ net }) => net.text,
  first_usable: ofNetwork((net) => net.textOf(net.usable[0])),
  last_usable: ofNetwork((net) => net.textOf(net.usable[1])),
  range_usable: ofNetwork((net) => `${net.textOf(net.usable[0])}-${net.textOf(net.usable[1])}`),
  next_usable: ofNetwork(neighbour(1n)),
  previous_usable: ofNetwork(neighbour(-1n)),
  peer: (one) => {
    needsNetwork(one);
    return peer(one.net);
  },
  host: ({ net }) => (net.size <= 2n || net.ip !== net.first ? net.text : null),
  hostmask,
  wildcard: hostmask,
  int: ({ net, hasPrefix }) => (hasPrefix ? `${net.ip}/${net.prefix}` : fromBigInt(net.ip)),
  "ip/prefix": ({ net }) => (net.size === 2n || net.ip !== net.first ? net.text : null),
  ip_netmask: ({ net }) =>
    net.size === 2n || net.ip !== net.first ? `${net.textOf(net.ip)} ${net.textOf(net.netmask)}` : null,
  ipv4: asFour,
  v4: asFour,
  ipv6: asSix,
  v6: asSix,
  "link-local": showIf((net) => within(alone(net), linkLocal)),
  loopback: showIf((net) => within(alone(net), loopback)),
  lo: showIf((net) => within(alone(net), loopback)),
  multicast: showIf((net) => within(alone(net), multicast)),
  unicast: showIf((net) => !within(alone(net), multicast)),
  private: showIf((net) => within(alone(net), privateRanges)),
  public: showIf(isPublic),
  net: ({ net }) => (net.size > 1n && net.ip === net.first ? net.text : null),
  netmask: ({ net }) => net.textOf(net.netmask),
  network,
  network_id: network,
  "network/prefix": subnet,
  subnet,
  network_netmask: ({ net }) => `${net.textOf(net.first)} ${net.textOf(net.netmask)}`,
  network_wildcard: ({ net }) => `${net.textOf(net.first)} ${net.textOf(net.hostmask)}`,
  prefix: ({ net }) => net.prefix,
  revdns: ({ net }) => reverseName(net),
  size: ({ net }) => fromBigInt(net.size),
  size_usable: ({ net }) => fromBigInt(net.size === 1n ? 0n : net.size === 2n ? 2n : net.size - 2n),
  type: ({ net }) => typeOf(net),
  version: ({ net }) => net.version,
  wrap: ({ net, hasPrefix, shown }) =>
    net.version === 4 ? shown : `[${net.textOf(net.ip)}]${hasPrefix ? `/${net.prefix}` : ""}`,
};

/** The n-th address of a network, from its end when negative. */
function nth({ net, hasPrefix }: Given, index: bigint): Value {
  if (net.size === 1n) return hasPrefix ? net.text : net.textOf(net.ip);
  const ip = index < 0n ? net.last + 1n + index : net.first + index;
  return ip < net.first || ip > net.last ? false : `${net.textOf(ip)}/${net.prefix}`;
}

function ask(value: Value, query: string, version: 4 | 6 | undefined): Value {
  if (isList(value))
    return value
      .map((item) => ask(item, query, version))
      .filter((found) => found !== null && found !== false && found !== "");
  const one = given(value, version);
  if (one === undefined || (version !== undefined && one.net.version !== version)) return false;
  if (Object.hasOwn(queries, query)) return queries[query]?.(one) ?? null;
  if (/^-?\d+$/.test(query)) return nth(one, BigInt(query));
  const range = parseIpNetwork(query);
  if (range === undefined) throw new Fault(`ipaddr knows no query "${query}"`);
  return range.network.has(one.net.network) ? one.shown : null;
}

const asking =
  (version?: 4 | 6): Filter =>
  (input, call) => {
    const [query] = parameters(call, ["query", "version", "alias"]);
    return ask(input, query === undefined || query === null ? "" : str(query), version);
  };

function ipwrap(input: Value): Value {
  if (isList(input)) return input.map(ipwrap);
  const one = given(input, undefined);
  if (one === undefined) return input;
  return (
    queries.wrap?.({ ...one, shown: one.hasPrefix ? one.net.text : one.net.textOf(one.net.ip) }) ?? input
  );
}

function wanted(value: Value | undefined, call: Invocation): IpNetwork {
  const net = value === undefined ? undefined : given(value, undefined)?.net;
  if (net !== undefined) return net;
  throw new Fault(`${call.name} wants an address or a network, and not "${str(value ?? null)}"`);
}

const ipsubnet: Filter = (input, call) => {
  const [query, index] = parameters(call, ["query", "index"]);
  const net = given(input, undefined)?.net.network;
  if (net === undefined) return false;
  const size = query === undefined || query === null ? "" : str(query);
  if (size === "") return net.text;
  if (!/^\d+$/.test(size)) return rankIn(net, wanted(size, call).network);
  const prefix = Number(size);
  if (prefix > net.bits) return false;
  const place = index === undefined || index === null ? undefined : wholeOf(index, 0);
  if (net.size === 1n) return supernet(net, prefix + (place ?? 0));
  if (prefix < net.prefix) throw new Fault(`a /${net.prefix} network has no subnets of the size /${prefix}`);
  const count = 1n << BigInt(prefix - net.prefix);
  if (place === undefined) return fromBigInt(count);
  const rank = place < 0 ? BigInt(place) + count : BigInt(place);
  if (rank < 0n || rank >= count) return false;
  return new IpNetwork(net.version, net.first + (rank << BigInt(net.bits - prefix)), prefix).text;
};
const supernet = (net: IpNetwork, prefix: number): Value =>
  prefix < 0 || prefix >= net.bits ? false : net.at(prefix).network.text;
/** Which subnet it is of the larger one, counted from 1. */
function rankIn(net: IpNetwork, larger: IpNetwork): Value {
  if (!larger.has(net)) throw new Fault(`${net.text} is not in the network ${larger.text}`);
  return fromBigInt(((net.first - larger.first) >> BigInt(net.bits - net.prefix)) + 1n);
}

const nthhost: Filter = (input, call) => {
  const [query] = parameters(call, ["query"], 1);
  const net = given(input, undefined)?.net;
  if (net === undefined) return false;
  const index = BigInt(wholeOf(query, 0));
  const ip = index < 0n ? net.last + 1n + index : net.first + index;
  return ip < net.first || ip > net.last ? false : net.textOf(ip);
};

const ipmath: Filter = (input, call) => {
  const [amount] = parameters(call, ["amount"], 1);
  const net = wanted(input, call);
  if (!isInt(amount ?? null)) throw new Fault("ipmath wants a whole number");
  const ip = net.ip + BigInt(wholeOf(amount, 0));
  if (ip < 0n || ip >= 1n << BigInt(net.bits)) throw new Fault("ipmath leaves the addresses that there are");
  return net.textOf(ip);
};

const nthUsable =
  (sign: 1n | -1n): Filter =>
  (input, call) => {
    const [offset] = parameters(call, ["offset"], 1);
    const net = wanted(input, call);
    return usableAt(net, net.ip + sign * BigInt(wholeOf(offset, 0)));
  };

function usableRange(input: Value, call: Invocation): Value {
  const net = wanted(input, call);
  limitItems(Number(net.size));
  const ips = Array.from({ length: Number(net.size) }, (_, index) => net.textOf(net.first + BigInt(index)));
  return Dict.of([
    ["usable_ips", ips],
    ["number_of_ips", ips.length],
  ]);
}

/** Networks that touch become one, networks within others go. */
function merged(nets: readonly IpNetwork[]): IpNetwork[] {
  const order = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
  const sorted = [...nets].sort(
    (a, b) => a.version - b.version || order(a.first, b.first) || a.prefix - b.prefix,
  );
  const kept: IpNetwork[] = [];
  for (const net of sorted) {
    const last = kept.at(-1);
    if (last?.has(net) === true) continue;
    kept.push(net);
    joinTail(kept);
  }
  return kept;
}
function joinTail(kept: IpNetwork[]): void {
  for (;;) {
    const [a, b] = kept.slice(-2);
    if (a === undefined || b === undefined || a.version !== b.version || a.prefix !== b.prefix) return;
    const both = a.at(a.prefix - 1);
    if (a.prefix === 0 || both.first !== a.first || both.last !== b.last) return;
    kept.splice(-2, 2, both);
  }
}
const cidrMerge: Filter = (input, call) => {
  const [action] = parameters(call, ["action"]);
  const nets = iterate(input).map((item) => wanted(item, call).network);
  const how = textOf(action, "merge");
  if (how === "merge") return merged(nets).map((net) => net.text);
  if (how !== "span") throw new Fault(`cidr_merge cannot "${how}": merge, span`);
  const [first] = nets;
  if (first === undefined) return null;
  let span = first;
  while (span.prefix > 0 && !nets.every((net) => span.has(net))) span = span.at(span.prefix - 1).network;
  return span.text;
};

const macForms: Readonly<Record<string, (hex: string) => Value>> = {
  bare: (hex) => hex.toUpperCase(),
  bool: () => true,
  int: (hex) => Number.parseInt(hex, 16),
  cisco: (hex) => grouped(hex, 4, "."),
  eui48: (hex) => grouped(hex.toUpperCase(), 2, "-"),
  win: (hex) => grouped(hex.toUpperCase(), 2, "-"),
  linux: (hex) => grouped(hex, 2, ":"),
  unix: (hex) => grouped(hex, 2, ":").replace(/\b0(?=[\da-f])/g, ""),
  pgsql: (hex) => grouped(hex, 6, ":"),
  postgresql: (hex) => grouped(hex, 6, ":"),
  psql: (hex) => grouped(hex, 6, ":"),
};
const grouped = (hex: string, size: number, mark: string): string =>
  (hex.match(new RegExp(`.{${size}}`, "g")) ?? []).join(mark);
const hwaddr: Filter = (input, call) => {
  const query = textOf(parameters(call, ["query", "alias"])[0], "");
  const text = str(input);
  const isAddress =
    /^(?:[\da-f]{12}|[\da-f]{2}(?:[:-][\da-f]{2}){5}|[\da-f]{4}(?:\.[\da-f]{4}){2}|[\da-f]{6}[:-][\da-f]{6})$/i;
  if (!isAddress.test(text)) {
    if (query === "" || query === "bool") return false;
    throw new Fault(`"${text}" is no hardware address`);
  }
  if (query === "") return input;
  const form = Object.hasOwn(macForms, query) ? macForms[query] : undefined;
  if (form === undefined)
    throw new Fault(`${call.name} knows no form "${query}": ${Object.keys(macForms).join(", ")}`);
  return form(text.replace(/[^\da-fA-F]/g, "").toLowerCase());
};

export const networkFilters: Readonly<Record<string, Filter>> = {
  ipaddr: asking(),
  ipv4: asking(4),
  ipv6: asking(6),
  ipwrap,
  ipsubnet,
  nthhost,
  ipmath,
  network_in_network: (input, call) =>
    wanted(input, call).network.has(wanted(parameters(call, ["test"], 1)[0], call).network),
  network_in_usable: (input, call) => {
    const [net, test] = [wanted(input, call), wanted(parameters(call, ["test"], 1)[0], call)];
    const [first, last] = net.usable;
    return net.version === test.version && test.first >= first && test.last <= last;
  },
  next_nth_usable: nthUsable(1n),
  previous_nth_usable: nthUsable(-1n),
  reduce_on_network: (input, call) => {
    const net = wanted(parameters(call, ["network"], 1)[0], call).network;
    return iterate(input).filter((item) => net.has(wanted(item, call).network));
  },
  usable_range: usableRange,
  cidr_merge: cidrMerge,
  ip4_hex: (input, call) => {
    const ip = parseIpv4(str(input));
    if (ip === undefined) throw new Fault(`"${str(input)}" is no IPv4 address`);
    const hex = ip.toString(16).padStart(8, "0");
    return grouped(hex, 2, textOf(parameters(call, ["delimiter"])[0], ""));
  },
  hwaddr,
  macaddr: hwaddr,
};

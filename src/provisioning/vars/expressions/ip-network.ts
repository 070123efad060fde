/** IPv4 and IPv6 addresses with their networks, as numbers. */
export class IpNetwork {
  readonly version: 4 | 6;
  readonly ip: bigint;
  readonly prefix: number;
  constructor(version: 4 | 6, ip: bigint, prefix: number) {
    this.version = version;
    this.ip = ip;
    this.prefix = prefix;
  }
  get bits(): number {
    return this.version === 4 ? 32 : 128;
  }
  get size(): bigint {
    return 1n << BigInt(this.bits - this.prefix);
  }
  get hostmask(): bigint {
    return this.size - 1n;
  }
  get netmask(): bigint {
    return ((1n << BigInt(this.bits)) - 1n) ^ this.hostmask;
  }
  get first(): bigint {
    return this.ip & this.netmask;
  }
  get last(): bigint {
    return this.first | this.hostmask;
  }
  /** What hosts may have: without the network's own address and the broadcast. */
  get usable(): readonly [first: bigint, last: bigint] {
    return this.size <= 2n ? [this.first, this.last] : [this.first + 1n, this.last - 1n];
  }
  get network(): IpNetwork {
    return new IpNetwork(this.version, this.first, this.prefix);
  }
  /** Address and prefix. */
  get text(): string {
    return `${this.textOf(this.ip)}/${this.prefix}`;
  }
  textOf(ip: bigint): string {
    return this.version === 4 ? ipv4Text(ip) : ipv6Text(ip);
  }
  has(other: IpNetwork): boolean {
    return other.version === this.version && other.first >= this.first && other.last <= this.last;
  }
  at(prefix: number): IpNetwork {
    return new IpNetwork(this.version, this.ip, prefix);
  }
}

/** Undefined: the text is no address and no network. */
export function parseIpNetwork(text: string): IpNetwork | undefined {
  const [address = "", mask, ...rest] = text.split("/");
  if (rest.length > 0) return undefined;
  const version = address.includes(":") ? 6 : 4;
  const ip = version === 6 ? parseIpv6(address) : parseIpv4(address);
  if (ip === undefined) return undefined;
  const bits = version === 4 ? 32 : 128;
  const prefix = mask === undefined ? bits : prefixOf(mask, version);
  return prefix === undefined || prefix > bits ? undefined : new IpNetwork(version, ip, prefix);
}

function prefixOf(mask: string, version: 4 | 6): number | undefined {
  if (/^\d{1,3}$/.test(mask)) return Number(mask);
  const bits = version === 4 ? 32 : 128;
  const value = version === 4 ? parseIpv4(mask) : parseIpv6(mask);
  if (value === undefined) return undefined;
  const isMask = (one: bigint): boolean => {
    const rest = ((1n << BigInt(bits)) - 1n) ^ one;
    return (rest & (rest + 1n)) === 0n;
  };
  const given = isMask(value) ? value : ((1n << BigInt(bits)) - 1n) ^ value;
  if (!isMask(given)) return undefined;
  return given.toString(2).replaceAll("0", "").length;
}

export function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function parseIpv6(text: string): bigint | undefined {
  const tail = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (tail !== null) {
    const four = parseIpv4(tail[2] ?? "");
    if (four === undefined) return undefined;
    return parseIpv6(`${tail[1]}${(four >> 16n).toString(16)}:${(four & 0xffffn).toString(16)}`);
  }
  const [head = "", end, ...rest] = text.split("::");
  if (rest.length > 0) return undefined;
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const [left, right] = [groups(head), groups(end ?? "")];
  const missing = 8 - left.length - right.length;
  if (end === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...left, ...Array.from({ length: missing }, () => "0"), ...right];
  if (!all.every((group) => /^[\da-fA-F]{1,4}$/.test(group))) return undefined;
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

export const ipv4Text = (ip: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => ((ip >> shift) & 0xffn).toString()).join(".");

function ipv6Text(ip: bigint): string {
  const words = Array.from({ length: 8 }, (_, index) => (ip >> BigInt(112 - index * 16)) & 0xffffn);
  const [start, length] = longestZeros(words);
  const isMapped = start === 0 && (length === 6 || (length === 5 && words[5] === 0xffffn));
  if (isMapped) return `${length === 5 ? "::ffff:" : "::"}${ipv4Text(ip & 0xffffffffn)}`;
  const hex = (part: readonly bigint[]): string => part.map((one) => one.toString(16)).join(":");
  if (length < 2) return hex(words);
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}
function longestZeros(words: readonly bigint[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < words.length; start++) {
    let end = start;
    while (end < words.length && words[end] === 0n) end++;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}

/** `host`, `host:port`, `[ipv6]:port`, each with ranges: what stands at the start of a host line. */
export interface HostAddress {
  readonly host: string;
  readonly port: number | undefined;
}

const numericRange = String.raw`\[\d+:\d+(?::\d+)?\]`;
const hexRange = String.raw`\[[0-9a-f]+:[0-9a-f]+(?::\d+)?\]`;
const labelRange = String.raw`\[(?:[a-z]:[a-z]|\d*:\d+)(?::\d+)?\]`;
const octet = String.raw`(?:[01]?\d{1,2}|2[0-4]\d|25[0-5]|${numericRange})`;
const label = String.raw`(?:[\p{L}\p{N}_]|${labelRange})(?:[\p{L}\p{N}_-]|${labelRange})*(?<![_-])`;
const ipv4 = new RegExp(`^(?:${octet}\\.){3}${octet}$`, "i");
const hostname = new RegExp(`^${label}(?:\\.${label})*$`, "iu");
const hextet = new RegExp(`^(?:[0-9a-f]{1,4}|${hexRange})$`, "i");

const bracketed = /^\[(.+)\]:(\d+)$/;
const withPort = /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/;

/** Undefined when the text is no address that Ansible knows; it then takes the whole text for a name. */
export function parseHostAddress(text: string): HostAddress | undefined {
  const found = bracketed.exec(text) ?? withPort.exec(text);
  const host = found?.[1] ?? text;
  const port = found?.[2] === undefined ? undefined : Number(found[2]);
  return isHost(host) ? { host, port } : undefined;
}

const isHost = (text: string): boolean => ipv4.test(text) || isIpv6(text) || hostname.test(text);

export function isIpv6(text: string): boolean {
  const parts = splitOutsideBrackets(text);
  if (parts.length < 3) return false;
  const gap = text.indexOf("::");
  if (gap !== text.lastIndexOf("::")) return false;
  const last = parts.at(-1) ?? "";
  const embedded = ipv4.test(last);
  const groups = (embedded ? parts.slice(0, -1) : parts).filter((part) => part !== "");
  const count = groups.length + (embedded ? 2 : 0);
  const edges = (text.startsWith(":") && gap !== 0) || (text.endsWith(":") && !text.endsWith("::"));
  return groups.every((part) => hextet.test(part)) && !edges && (gap >= 0 ? count <= 7 : count === 8);
}

function splitOutsideBrackets(text: string): string[] {
  return text
    .replaceAll(/\[[^\]]*\]/g, (range) => range.replaceAll(":", "\0"))
    .split(":")
    .map(restore);
}
const restore = (part: string): string => part.replaceAll("\0", ":");

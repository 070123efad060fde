import type { Span } from "../../base/errors.ts";
import { expandRange } from "./expand-range.ts";
import { parseHostAddress } from "./host-address.ts";
import { inventoryError } from "./inventory-errors.ts";

export interface HostNames {
  readonly names: readonly string[];
  readonly port: number | undefined;
}

/** The hosts that a host pattern of an inventory (`db[1:3]:2222`) stands for. */
export function hostNames(pattern: string, span: Span): HostNames {
  const address = parseHostAddress(pattern);
  const host = address?.host ?? pattern;
  if (pattern === "---") {
    throw inventoryError(span.file, span, '"---" stands where a host should', {
      why: "that is how a YAML file begins",
      fix: "give the file the ending .yml",
    });
  }
  if (pattern === "") throw inventoryError(span.file, span, "a host has an empty name");
  if (!host.includes("[")) {
    if (address === undefined && host.includes(":")) throw badPort(pattern, span);
    return { names: [host], port: checkedPort(address?.port, span) };
  }
  const expanded = expandRange(host);
  if ("problem" in expanded) {
    throw inventoryError(span.file, span, expanded.problem, {
      why: "a range is [begin:end] or [begin:end:step], of numbers or of single letters, both ends included",
      fix: rangeFix(host),
    });
  }
  return { names: expanded.names, port: checkedPort(address?.port, span) };
}

function rangeFix(host: string): string | undefined {
  const [, before, from, to, after] = /^(.*)\[(\w+)[-,.]+(\w+)\](.*)$/.exec(host) ?? [];
  if (from !== undefined) return `write "${before}[${from}:${to}]${after}"`;
  return host.includes("]") ? undefined : `write "${host}]"`;
}

const badPort = (pattern: string, span: Span): Error =>
  inventoryError(span.file, span, `"${pattern}" is no host and port`, {
    why: "after a host's name, a colon is followed by the number of the SSH port",
    fix: pattern.endsWith(":")
      ? `leave the colon out; if this is YAML, the file's name ends in .yml`
      : `write "${pattern.slice(0, pattern.indexOf(":"))}", or a number behind the colon`,
  });

function checkedPort(port: number | undefined, span: Span): number | undefined {
  if (port === undefined || (port >= 1 && port <= 65_535)) return port;
  throw inventoryError(span.file, span, `there is no port ${port}`, {
    why: "ports are 1 to 65535",
    fix: "22 is the usual one",
  });
}

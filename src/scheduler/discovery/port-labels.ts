import type { ServedApp } from "./served-app.ts";

/** What an app's labels ask for one of its ports: marathon-lb's `HAPROXY_n_…`, checked. */
export interface PortWishes {
  readonly isEnabled: boolean;
  readonly hosts: readonly string[];
  readonly path: string | undefined;
  readonly mode: "http" | "tcp" | undefined;
  readonly balance: string;
  readonly isSticky: boolean;
  readonly redirectsToHttps: boolean;
  readonly bindAddress: string;
  readonly port: number | undefined;
  readonly groups: readonly string[];
}

const balances = new Set(["roundrobin", "static-rr", "leastconn", "first", "source", "uri", "random"]);
const hostPattern = /^(\*\.)?[a-z0-9]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]*[a-z0-9])?)*$/;
const pathPattern = /^\/[\w/.~%+@:-]*$/;
const addressPattern = /^(\*|(\d{1,3}\.){3}\d{1,3}|[0-9a-f:]*:[0-9a-f:.]*)$/i;

/** Whatever is not valid is told and left out: it never reaches the configuration. */
export function readPortWishes(app: ServedApp, index: number, tell: (problem: string) => void): PortWishes {
  const label = (name: string): string | undefined => app.labels[`HAPROXY_${index}_${name}`];
  const checked = <T>(name: string, read: (value: string) => T | undefined): T | undefined => {
    const value = label(name);
    if (value === undefined || value.trim() === "") return undefined;
    const found = read(value.trim());
    if (found === undefined) tell(`label HAPROXY_${index}_${name} is not valid: ${JSON.stringify(value)}`);
    return found;
  };
  const flag = (name: string): boolean | undefined => checked(name, readFlag);
  const groups = label("GROUP") ?? app.labels["HAPROXY_GROUP"] ?? "";
  return {
    isEnabled: flag("ENABLED") ?? true,
    hosts: checked("VHOST", readHosts) ?? [],
    path: checked("PATH", matching(pathPattern)),
    mode: checked("MODE", (value) => (value === "http" || value === "tcp" ? value : undefined)),
    balance: checked("BALANCE", (value) => (balances.has(value) ? value : undefined)) ?? "leastconn",
    isSticky: flag("STICKY") ?? false,
    redirectsToHttps: flag("REDIRECT_TO_HTTPS") ?? false,
    bindAddress: checked("BIND_ADDR", matching(addressPattern)) ?? "*",
    port: checked("PORT", readPort),
    groups: splitList(groups),
  };
}

const matching =
  (pattern: RegExp) =>
  (value: string): string | undefined =>
    pattern.test(value) ? value : undefined;

function readHosts(value: string): readonly string[] | undefined {
  const hosts = splitList(value.toLowerCase());
  return hosts.every((host) => host.length <= 253 && hostPattern.test(host)) ? hosts : undefined;
}

function readPort(value: string): number | undefined {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  return isPort(port) ? port : undefined;
}

function readFlag(value: string): boolean | undefined {
  const lower = value.toLowerCase();
  if (["true", "1", "yes"].includes(lower)) return true;
  return ["false", "0", "no"].includes(lower) ? false : undefined;
}

const splitList = (value: string): readonly string[] =>
  value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535;

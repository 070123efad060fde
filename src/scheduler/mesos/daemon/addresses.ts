/** Where a daemon listens and what others call it: the flags that master and agent share, and what follows from them. */
import { networkInterfaces, hostname as osHostname } from "node:os";
import type { FlagSet, FlagValues } from "../../daemon-configuration.ts";

export const addressFlags = {
  ip: { kind: "text", summary: "address to listen on; without it all of the host's" },
  advertise_ip: { kind: "text", summary: "address that others dial" },
  advertise_port: { kind: "integer", summary: "port that others dial" },
  hostname: { kind: "text", summary: "name that others see" },
  hostname_lookup: {
    kind: "boolean",
    summary: "without it the address stands for the host's name",
    default: "true",
  },
} as const satisfies FlagSet;

export interface Addresses {
  readonly bindIp: string;
  readonly ip: string;
  readonly hostname: string;
}

/** Where to listen and what to call ourselves. */
export function addressesOf(flags: FlagValues<typeof addressFlags>): Addresses {
  const bindIp = flags.ip ?? "0.0.0.0";
  const ip = flags.advertise_ip ?? (bindIp === "0.0.0.0" ? ownIp() : bindIp);
  return { bindIp, ip, hostname: flags.hostname ?? (flags.hostname_lookup ? osHostname() : ip) };
}

function ownIp(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}

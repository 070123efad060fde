/** The leading master's card: the content of `/mesos/json.info_NNNNNNNNNN`, part of SUBSCRIBED and of `/state`. */
import { z } from "zod";
import { addressSchema } from "./offer.ts";
import { parseWire } from "./wire.ts";

export const masterInfoSchema = z.object({
  id: z.string(),
  /** The four bytes of an IPv4 address as a little-endian integer. */
  ip: z.number(),
  port: z.number().default(5050),
  pid: z.string().optional(),
  hostname: z.string().optional(),
  version: z.string().optional(),
  address: addressSchema.optional(),
  capabilities: z.array(z.object({ type: z.string() })).optional(),
});
export type MasterInfo = z.infer<typeof masterInfoSchema>;

/** The Mesos whose interface the built-in daemons speak. */
export const mesosVersion = "1.11.0";

export const encodeIp = (ip: string): number =>
  ip.split(".").reduce((sum, byte, index) => sum + Number(byte) * 256 ** index, 0);

export const decodeIp = (ip: number): string =>
  [0, 1, 2, 3].map((index) => Math.floor(ip / 256 ** index) % 256).join(".");

export interface MasterAddress {
  readonly id: string;
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
}

export const masterInfo = ({ id, hostname, ip, port }: MasterAddress): MasterInfo => ({
  address: { hostname, ip, port },
  capabilities: [{ type: "AGENT_UPDATE" }, { type: "AGENT_DRAINING" }, { type: "QUOTA_V2" }],
  hostname,
  id,
  ip: encodeIp(ip),
  pid: `master@${ip}:${port}`,
  port,
  version: mesosVersion,
});

/** Where a master is dialled: by its address, falling back on the packed ip of older nodes. */
export const masterHostPort = (info: MasterInfo): { readonly host: string; readonly port: number } => ({
  host: info.address?.ip ?? decodeIp(info.ip),
  port: info.address?.port ?? info.port,
});

/** The node's content as Mesos writes it: keys sorted, no newline. */
export const encodeMasterInfo = (info: MasterInfo): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify(info, (_key, value: unknown) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
        : value,
    ),
  );

/** Throws WireError when the bytes are not a master's card. */
export function decodeMasterInfo(bytes: Uint8Array): MasterInfo {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    json = undefined;
  }
  return parseWire(masterInfoSchema, json);
}

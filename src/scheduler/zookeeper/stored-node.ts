import { constants, gunzipSync, gzipSync } from "node:zlib";

/**
 * How a Store's value stands in a node: as it is, so that zkCli shows it; gzipped from some size on; and in parts
 * when even that is more than a node should hold. Only the last two, and values that look like them, bear a mark.
 */
export type StoredNode =
  | { readonly form: "whole"; readonly value: Buffer }
  | { readonly form: "parts"; readonly parts: PartsList }
  /** No value: the node only leads to others. */
  | { readonly form: "folder" };

export interface PartsList {
  readonly id: string;
  readonly count: number;
  readonly isGzip: boolean;
}

const mark = { plain: 0, gzip: 1, parts: 2 } as const;
const gzipFromBytes = 16 * 1024;
/** Nodes larger than this hold up the servers; their own limit is twice as much. */
export const maxNodeBytes = 512 * 1024;

export interface PackedValue {
  readonly bytes: Uint8Array;
  readonly isGzip: boolean;
}

export function packValue(value: Uint8Array): PackedValue {
  if (value.length < gzipFromBytes) return { bytes: value, isGzip: false };
  const packed = gzipSync(value, { level: constants.Z_BEST_SPEED });
  return packed.length < value.length ? { bytes: packed, isGzip: true } : { bytes: value, isGzip: false };
}

export function encodeWhole({ bytes, isGzip }: PackedValue): Uint8Array {
  if (isGzip) return Buffer.concat([Buffer.of(mark.gzip), bytes]);
  const first = bytes[0];
  const needsMark = first === undefined || first <= mark.parts;
  return needsMark ? Buffer.concat([Buffer.of(mark.plain), bytes]) : bytes;
}

export const encodeParts = (parts: PartsList): Uint8Array =>
  Buffer.concat([Buffer.of(mark.parts), Buffer.from(JSON.stringify(parts))]);

export function decodeNode(data: Buffer): StoredNode {
  const first = data[0];
  if (first === undefined) return { form: "folder" };
  if (first > mark.parts) return { form: "whole", value: data };
  const rest = data.subarray(1);
  if (first === mark.plain) return { form: "whole", value: rest };
  if (first === mark.gzip) return { form: "whole", value: gunzipSync(rest) };
  return { form: "parts", parts: JSON.parse(rest.toString()) as PartsList };
}

export function cutIntoParts(bytes: Uint8Array): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let from = 0; from < bytes.length; from += maxNodeBytes) {
    parts.push(bytes.subarray(from, from + maxNodeBytes));
  }
  return parts;
}

export function joinParts(parts: readonly Buffer[], isGzip: boolean): Buffer {
  const joined = Buffer.concat(parts);
  return isGzip ? gunzipSync(joined) : joined;
}

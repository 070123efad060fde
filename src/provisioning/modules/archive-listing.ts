/** What is in an archive that the controller has at hand: so that the host can be asked before anything is sent. */
import { gunzipSync } from "node:zlib";
import { digestOf } from "./digest.ts";

export interface ArchiveEntry {
  /** Relative to the folder that it is unpacked into. */
  readonly path: string;
  readonly type: "file" | "directory" | "link";
  readonly mode: number;
  /** Of a file. */
  readonly sha256?: string;
  readonly target?: string;
}

export type ArchiveKind = "tar" | "gzip" | "bzip2" | "xz" | "zstd" | "zip" | "unknown";

const magics: readonly (readonly [ArchiveKind, readonly number[], number])[] = [
  ["gzip", [0x1f, 0x8b], 0],
  ["bzip2", [0x42, 0x5a, 0x68], 0],
  ["xz", [0xfd, 0x37, 0x7a, 0x58], 0],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd], 0],
  ["zip", [0x50, 0x4b, 3, 4], 0],
  ["zip", [0x50, 0x4b, 5, 6], 0],
  ["tar", [0x75, 0x73, 0x74, 0x61, 0x72], 257],
];

export const kindOfArchive = (bytes: Uint8Array): ArchiveKind =>
  magics.find(([, magic, at]) => magic.every((byte, index) => bytes[at + index] === byte))?.[0] ?? "unknown";

const unpackedLimitBytes = 64 * 1024 * 1024;

/** Undefined: the host must look into the archive itself. */
export function listArchive(bytes: Uint8Array): readonly ArchiveEntry[] | undefined {
  const kind = kindOfArchive(bytes);
  if (kind === "tar") return listTar(bytes);
  if (kind !== "gzip") return undefined;
  try {
    return listTar(gunzipSync(bytes, { maxOutputLength: unpackedLimitBytes }));
  } catch {
    return undefined;
  }
}

const block = 512;
const plainText = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
};

interface TarHeader {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly type: string;
  readonly link: string;
}

function readHeader(bytes: Uint8Array): TarHeader {
  const field = (at: number, length: number) => plainText(bytes.subarray(at, at + length));
  const octal = (at: number, length: number) => Number.parseInt(field(at, length).trim() || "0", 8);
  const isPosix = field(257, 6) === "ustar";
  const prefix = isPosix ? field(345, 155) : "";
  const name = field(0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    mode: octal(100, 8) & 0o7777,
    size: octal(124, 12),
    type: field(156, 1) || "0",
    link: field(157, 100),
  };
}

/** pax records: "LENGTH KEY=VALUE\n". */
function readPax(bytes: Uint8Array): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  while (at < bytes.length) {
    const space = bytes.indexOf(0x20, at);
    const length = Number.parseInt(new TextDecoder().decode(bytes.subarray(at, space)), 10);
    if (space === -1 || !(length > 0)) break;
    const record = new TextDecoder().decode(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    found.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  return found;
}

const typeNames: Readonly<Record<string, ArchiveEntry["type"]>> = {
  "0": "file",
  "5": "directory",
  "2": "link",
};

function listTar(bytes: Uint8Array): readonly ArchiveEntry[] | undefined {
  const entries: ArchiveEntry[] = [];
  let over: { name?: string | undefined; link?: string | undefined; size?: number | undefined } = {};
  let at = 0;
  while (at + block <= bytes.length) {
    const head = bytes.subarray(at, at + block);
    if (head.every((byte) => byte === 0)) break;
    const own = readHeader(head);
    const size = over.size ?? own.size;
    const body = bytes.subarray(at + block, at + block + size);
    at += block + Math.ceil(size / block) * block;
    if (own.type === "L") over = { ...over, name: plainText(body) };
    else if (own.type === "K") over = { ...over, link: plainText(body) };
    else if (own.type === "x") {
      const pax = readPax(body);
      const sized = pax.get("size");
      over = {
        name: pax.get("path") ?? over.name,
        link: pax.get("linkpath") ?? over.link,
        size: sized === undefined ? undefined : Number(sized),
      };
    } else if (own.type !== "g") {
      const type = typeNames[own.type];
      if (type === undefined) return undefined;
      entries.push(entryOf(over.name ?? own.name, type, own, over.link ?? own.link, body));
      over = {};
    }
  }
  return entries.filter(({ path }) => path !== "");
}

function entryOf(
  name: string,
  type: ArchiveEntry["type"],
  own: TarHeader,
  link: string,
  body: Uint8Array,
): ArchiveEntry {
  const path = name
    .replace(/^(\.?\/)+/, "")
    .replace(/\/+$/, "")
    .replace(/^\.$/, "");
  return {
    path,
    type,
    mode: own.mode,
    ...(type === "file" ? { sha256: digestOf(body, "sha256") } : {}),
    ...(type === "link" ? { target: link } : {}),
  };
}

/** Block devices, their partitions, and the names that /dev/disk has for them. */
import type { JsonObject } from "../../base/json.ts";
import type { RawFacts } from "./gather-facts.ts";

const sectorBytes = 512;

/** Names of devices by kind: what links to "sda1". */
export interface DiskLinks {
  readonly ids: ReadonlyMap<string, readonly string[]>;
  readonly uuids: ReadonlyMap<string, readonly string[]>;
  readonly labels: ReadonlyMap<string, readonly string[]>;
  /** The devices that are made of it. */
  readonly masters: ReadonlyMap<string, readonly string[]>;
}
const kinds = ["ids", "uuids", "labels", "masters"] as const;

/** `ls -l` of /dev/disk/by-id, by-uuid and by-label: a heading each, then `… NAME -> ../../sda1`. */
export function diskLinks(raw: RawFacts): DiskLinks {
  const links = { ids: lists(), uuids: lists(), labels: lists(), masters: lists() };
  const folders: Readonly<Record<string, keyof typeof links>> = { id: "ids", uuid: "uuids", label: "labels" };
  let kind: keyof typeof links | undefined;
  for (const line of raw.section("disks").split("\n")) {
    const heading = /^\/dev\/disk\/by-(\w+):$/.exec(line)?.[1];
    if (heading !== undefined) kind = folders[heading];
    const [, name, device] = /\s(\S+) -> (?:\S*\/)?([^/\s]+)$/.exec(line) ?? [];
    if (kind !== undefined && name !== undefined && device !== undefined)
      add(links[kind], device, unescaped(name));
  }
  for (const match of raw.paths(/^\/sys\/block\/([^/]+)\/slaves\/([^/]+)\/size$/))
    add(links.masters, match[2] ?? "", match[1] ?? "");
  return links;
}
const lists = (): Map<string, string[]> => new Map();
function add(map: Map<string, string[]>, key: string, value: string): void {
  map.set(key, [...(map.get(key) ?? []), value].sort());
}
/** udev writes "a b" as a\x20b. */
const unescaped = (name: string): string =>
  name.replace(/\\x([\da-f]{2})/g, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

export function diskFacts(raw: RawFacts, links: DiskLinks): JsonObject {
  const names = raw.paths(/^\/sys\/block\/([^/]+)\/size$/).map((match) => match[1] ?? "");
  return {
    devices: Object.fromEntries(names.map((name) => [name, deviceFacts(raw, links, name)])),
    device_links: Object.fromEntries(kinds.map((kind) => [kind, Object.fromEntries(links[kind])])),
  };
}

const linksOf = (links: DiskLinks, name: string): JsonObject =>
  Object.fromEntries(kinds.map((kind) => [kind, links[kind].get(name) ?? []]));

function deviceFacts(raw: RawFacts, links: DiskLinks, name: string): JsonObject {
  const text = (path: string): string => raw.file(`/sys/block/${name}/${path}`).trim();
  const sectors = text("size") || "0";
  return {
    virtual: 1,
    links: linksOf(links, name),
    model: text("device/model") || null,
    vendor: text("device/vendor") || null,
    sas_address: text("device/sas_address") || null,
    sas_device_handle: text("device/sas_device_handle") || null,
    removable: text("removable"),
    support_discard: text("queue/discard_granularity"),
    rotational: text("queue/rotational"),
    scheduler_mode: /\[(\S+)\]/.exec(text("queue/scheduler"))?.[1] ?? "",
    sectors,
    sectorsize: text("queue/logical_block_size") || String(sectorBytes),
    size: readableSize(Number(sectors) * sectorBytes),
    host: "",
    holders: holdersOf(raw, `/sys/block/${name}/holders/`),
    partitions: partitionFacts(raw, links, name),
  };
}

function partitionFacts(raw: RawFacts, links: DiskLinks, device: string): JsonObject {
  const found = raw
    .paths(/^\/sys\/block\/([^/]+)\/([^/]+)\/partition$/)
    .filter((match) => match[1] === device);
  return Object.fromEntries(
    found.map(([, , name = ""]) => {
      const folder = `/sys/block/${device}/${name}`;
      const sectors = raw.file(`${folder}/size`).trim() || "0";
      const facts: JsonObject = {
        links: linksOf(links, name),
        start: raw.file(`${folder}/start`).trim(),
        sectors,
        sectorsize: sectorBytes,
        size: readableSize(Number(sectors) * sectorBytes),
        uuid: links.uuids.get(name)?.[0] ?? null,
        holders: holdersOf(raw, `${folder}/holders/`),
      };
      return [name, facts];
    }),
  );
}

/** What is made of a device: volumes of the device mapper by their own names. */
function holdersOf(raw: RawFacts, folder: string): string[] {
  return raw
    .paths(/^(.*\/holders\/)([^/]+)\/size$/)
    .filter((match) => match[1] === folder)
    .map(([, , name = ""]) => raw.file(`${folder}${name}/dm/name`).trim() || name);
}

export function readableSize(bytes: number): string {
  const units = ["Bytes", "KB", "MB", "GB", "TB", "PB"];
  const power = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(2)} ${units[power]}`;
}

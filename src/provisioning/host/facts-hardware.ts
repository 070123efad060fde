/** Processors, memory, mounts, block devices and what the firmware says of the machine. */
import type { JsonObject } from "../../base/json.ts";
import { type DiskLinks, diskFacts, diskLinks } from "./facts-disks.ts";
import type { RawFacts } from "./gather-facts.ts";

export function hardwareFacts(raw: RawFacts): JsonObject {
  const links = diskLinks(raw);
  return {
    ...processorFacts(raw.file("/proc/cpuinfo")),
    ...memoryFacts(raw.file("/proc/meminfo")),
    ...firmwareFacts(raw),
    mounts: mountFacts(raw, links),
    ...diskFacts(raw, links),
    uptime_seconds: Math.floor(Number(raw.file("/proc/uptime").split(" ")[0] || "0")),
  };
}

/** Ansible's counting: sockets as `processor_count`, cores a socket, threads a core, and all threads as vcpus. */
function processorFacts(cpuinfo: string): JsonObject {
  const blocks = cpuinfo
    .split("\n\n")
    .map((block) => Object.fromEntries(block.split("\n").map(pairOf)))
    .filter((block) => block.processor !== undefined);
  const sockets = new Map<string, { cores: number; siblings: number }>();
  for (const block of blocks) {
    const id = block["physical id"] ?? "";
    const cores = Number(block["cpu cores"] ?? "1");
    if (block["physical id"] !== undefined)
      sockets.set(id, { cores, siblings: Number(block.siblings ?? cores) });
  }
  const [socket] = sockets.values();
  const count = sockets.size || blocks.length;
  const cores = socket?.cores ?? 1;
  const threads = socket ? Math.max(1, Math.floor(socket.siblings / socket.cores)) : 1;
  return {
    processor: blocks.flatMap((block) =>
      [block.processor, block.vendor_id, block["model name"]].filter((v) => v !== undefined),
    ),
    processor_count: count,
    processor_cores: cores,
    processor_threads_per_core: threads,
    processor_vcpus: socket ? count * cores * threads : count,
    processor_nproc: blocks.length,
  };
}

function pairOf(line: string): [string, string] {
  const at = line.indexOf(":");
  return at === -1 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

function memoryFacts(meminfo: string): JsonObject {
  const megabytes = (name: string): number =>
    Math.floor(Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(meminfo)?.[1] ?? "0") / 1024);
  const total = megabytes("MemTotal");
  const free = megabytes("MemFree");
  const cached = megabytes("Cached") + megabytes("Buffers");
  const swap = {
    total: megabytes("SwapTotal"),
    free: megabytes("SwapFree"),
    cached: megabytes("SwapCached"),
  };
  return {
    memtotal_mb: total,
    memfree_mb: free,
    swaptotal_mb: swap.total,
    swapfree_mb: swap.free,
    memory_mb: {
      real: { total, free, used: total - free },
      nocache: { free: free + cached, used: total - free - cached },
      swap: { ...swap, used: swap.total - swap.free },
    },
  };
}

const firmware: Readonly<Record<string, string>> = {
  bios_date: "bios_date",
  bios_vendor: "bios_vendor",
  bios_version: "bios_version",
  board_asset_tag: "board_asset_tag",
  board_name: "board_name",
  board_serial: "board_serial",
  board_vendor: "board_vendor",
  board_version: "board_version",
  chassis_asset_tag: "chassis_asset_tag",
  chassis_serial: "chassis_serial",
  chassis_vendor: "chassis_vendor",
  chassis_version: "chassis_version",
  product_name: "product_name",
  product_serial: "product_serial",
  product_uuid: "product_uuid",
  product_version: "product_version",
  system_vendor: "sys_vendor",
};

function firmwareFacts({ file }: RawFacts): JsonObject {
  return Object.fromEntries(
    Object.entries(firmware).map(([fact, name]) => [fact, file(`/sys/class/dmi/id/${name}`).trim() || "NA"]),
  );
}

/** Of devices and network shares; sizes for those that were safe to ask. */
function mountFacts({ file, section }: RawFacts, links: DiskLinks): JsonObject[] {
  const sizes = new Map<string, number[]>();
  for (const line of section("mounts").split("\n")) {
    const match = /^((?:\d+ ){6})(.+)$/.exec(line);
    if (match) sizes.set(match[2] ?? "", (match[1] ?? "").trim().split(" ").map(Number));
  }
  const found: JsonObject[] = [];
  for (const line of file("/proc/mounts").split("\n")) {
    const [device = "", at = "", fstype = "", options = ""] = line.split(" ").map(unescapeMount);
    if (!device.startsWith("/") && !device.includes(":/")) continue;
    if (fstype === "none") continue;
    found.push({
      mount: at,
      device,
      fstype,
      options,
      uuid: links.uuids.get(device.slice(device.lastIndexOf("/") + 1))?.[0] ?? "N/A",
      dump: 0,
      passno: 0,
      ...sizeFacts(sizes.get(at)),
    });
  }
  return found;
}

function sizeFacts(values: readonly number[] | undefined): JsonObject {
  if (!values) return {};
  const [size = 0, blocks = 0, free = 0, available = 0, inodes = 0, inodesFree = 0] = values;
  return {
    size_total: size * blocks,
    size_available: size * available,
    block_size: size,
    block_total: blocks,
    block_available: available,
    block_used: blocks - free,
    inode_total: inodes,
    inode_available: inodesFree,
    inode_used: inodes - inodesFree,
  };
}

const unescapeMount = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

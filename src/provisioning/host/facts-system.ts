/** Distribution, kernel, names, user, time, environment: Ansible's "min" facts. */
import type { JsonObject, JsonValue } from "../../base/json.ts";
import type { RawFacts } from "./gather-facts.ts";
import { badAnswer } from "./sections.ts";

export const systemFacts = (raw: RawFacts): JsonObject => ({
  ...distributionFacts(raw),
  ...kernelFacts(raw),
  ...nameFacts(raw),
  ...userFacts(raw),
  ...dateFacts(raw.section("date").trim().split("|")),
  ...securityFacts(raw),
  env: environmentOf(raw),
  dns: dnsFacts(raw.file("/etc/resolv.conf")),
  cmdline: commandLine(raw.file("/proc/cmdline"), (_before, value) => value),
  proc_cmdline: commandLine(raw.file("/proc/cmdline"), joinRepeated),
  loadavg: loadFacts(raw.file("/proc/loadavg")),
  machine_id: (raw.file("/etc/machine-id") || raw.file("/var/lib/dbus/machine-id")).trim(),
  pkg_mgr: raw.section("pkg").trim(),
  service_mgr: raw.section("svc").trim(),
  ...hostKeyFacts(raw),
});

/** KEY=value with sh's quotes, as os-release and lsb-release are written. */
export function assignments(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const match = /^\s*([A-Za-z_]\w*)=(.*?)\s*$/.exec(line);
    if (!match) continue;
    const value = match[2] ?? "";
    const quoted = /^(["'])(.*)\1$/.exec(value);
    found[match[1] ?? ""] = quoted ? (quoted[2] ?? "").replace(/\\(["$`\\])/g, "$1") : value;
  }
  return found;
}

const names: Readonly<Record<string, string>> = {
  debian: "Debian",
  ubuntu: "Ubuntu",
  linuxmint: "Linux Mint",
  raspbian: "Debian",
  kali: "Kali",
  fedora: "Fedora",
  rhel: "RedHat",
  centos: "CentOS",
  rocky: "Rocky",
  almalinux: "AlmaLinux",
  ol: "OracleLinux",
  amzn: "Amazon",
  alpine: "Alpine",
  arch: "Archlinux",
  sles: "SLES",
  opensuse: "openSUSE",
  "opensuse-leap": "openSUSE Leap",
  "opensuse-tumbleweed": "openSUSE Tumbleweed",
};

const families: readonly (readonly [RegExp, string])[] = [
  [/\b(debian|ubuntu)\b/, "Debian"],
  [/\b(rhel|fedora|centos|rocky|almalinux|ol|amzn)\b/, "RedHat"],
  [/\b(suse|sles|opensuse)/, "Suse"],
  [/\balpine\b/, "Alpine"],
  [/\barch\b/, "Archlinux"],
];

function distributionFacts({ file }: RawFacts): JsonObject {
  const os = assignments(file("/etc/os-release"));
  const lsb = assignments(file("/etc/lsb-release"));
  const id = os.ID ?? "";
  const family =
    families.find(([pattern]) => pattern.test(`${id} ${os.ID_LIKE ?? ""}`))?.[1] ?? names[id] ?? "Linux";
  const version = versionOf(id, os, file);
  const release =
    os.VERSION_CODENAME ??
    os.UBUNTU_CODENAME ??
    lsb.DISTRIB_CODENAME ??
    /\((\w[\w -]*)\)/.exec(os.VERSION ?? "")?.[1] ??
    "NA";
  const [major = "", minor] = version.split(".");
  const debianMinor = /^\d+\.(\d+)/.exec(file("/etc/debian_version"))?.[1];
  return {
    distribution: names[id] ?? (os.NAME?.split(" ")[0] || "Linux"),
    distribution_version: version,
    distribution_major_version: major,
    distribution_release: release,
    distribution_minor_version: id === "debian" ? (debianMinor ?? minor ?? "NA") : (minor ?? "NA"),
    distribution_file_path: "/etc/os-release",
    distribution_file_parsed: true,
    distribution_file_variety: family,
    os_family: family,
    lsb: lsbFacts(os, lsb, names[id]),
  };
}

/** Debian's point release and a release candidate's name stand in files of their own. */
function versionOf(id: string, os: Readonly<Record<string, string>>, file: RawFacts["file"]): string {
  if (id === "alpine") return file("/etc/alpine-release").trim() || (os.VERSION_ID ?? "NA");
  if (id === "centos" || id === "rhel" || id === "rocky" || id === "almalinux")
    return /release (\d+(?:\.\d+)*)/.exec(file("/etc/redhat-release"))?.[1] ?? os.VERSION_ID ?? "NA";
  if (id === "debian") {
    const point = /^(\d+\.\d+)/.exec(file("/etc/debian_version"))?.[1];
    return point ?? os.VERSION_ID ?? "NA";
  }
  return os.VERSION_ID ?? "NA";
}

function lsbFacts(
  os: Readonly<Record<string, string>>,
  lsb: Readonly<Record<string, string>>,
  name?: string,
): JsonObject {
  const release = lsb.DISTRIB_RELEASE ?? os.VERSION_ID;
  if (release === undefined) return {};
  return {
    id: lsb.DISTRIB_ID ?? name ?? "",
    release,
    codename: lsb.DISTRIB_CODENAME ?? os.VERSION_CODENAME ?? "",
    description: lsb.DISTRIB_DESCRIPTION ?? os.PRETTY_NAME ?? "",
    major_release: release.split(".")[0] ?? "",
  };
}

function kernelFacts({ file, section }: RawFacts): JsonObject {
  const machine = section("uname").trim();
  const bits = /64$|s390x|alpha/.test(machine) || machine === "aarch64" ? "64" : "32";
  return {
    system: file("/proc/sys/kernel/ostype").trim() || "Linux",
    kernel: file("/proc/sys/kernel/osrelease").trim(),
    kernel_version: file("/proc/sys/kernel/version").trim(),
    machine,
    architecture: /^i[3456]86$/.test(machine) ? "i386" : machine,
    userspace_bits: bits,
    userspace_architecture: /^i[3456]86$/.test(machine) ? "i386" : machine,
  };
}

/** As Python's getfqdn: a dotted name that /etc/hosts lists, else what it lists first, else the host's resolver. */
function nameFacts({ file, section }: RawFacts): JsonObject {
  const node = file("/proc/sys/kernel/hostname").trim();
  const short = node.split(".")[0] ?? node;
  const listed = file("/etc/hosts")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim().split(/\s+/).slice(1))
    .find((aliases) => aliases.includes(node));
  const dotted = listed?.find((name) => name.includes("."));
  const fqdn = dotted ?? (node.includes(".") ? node : section("fqdn").trim() || listed?.[0] || node);
  return {
    hostname: short,
    nodename: node,
    fqdn,
    domain: fqdn.includes(".") ? fqdn.slice(fqdn.indexOf(".") + 1) : "",
  };
}

function userFacts({ section }: RawFacts): JsonObject {
  const id = /uid=(\d+)(?:\(([^)]*)\))? gid=(\d+)/.exec(section("id"));
  const [name = id?.[2] ?? "", , , , gecos = "", home = "", shell = ""] = section("user").trim().split(":");
  const uid = Number(id?.[1] ?? "-1");
  const gid = Number(id?.[3] ?? "-1");
  return {
    user_id: name,
    user_uid: uid,
    user_gid: gid,
    user_gecos: gecos,
    user_dir: home,
    user_shell: shell,
    real_user_id: uid,
    effective_user_id: uid,
    real_group_id: gid,
    effective_group_id: gid,
  };
}

function dateFacts(fields: readonly string[]): JsonObject {
  const [year = "", month = "", day = "", hour = "", minute = "", second = "", epoch = "0", ...more] = fields;
  const [tz = "", offset = "", weekday = "", weekdayNumber = "", week = ""] = more;
  // The year 9999 is the last that ISO 8601 writes with four digits.
  if (!/^\d{1,12}$/.test(epoch) || Number(epoch) > 253_402_300_799) throw badAnswer("its date is no date");
  const utc = new Date(Number(epoch) * 1000).toISOString();
  const compact = `${year}${month}${day}T${hour}${minute}${second}`;
  return {
    date_time: {
      ...{
        year,
        month,
        day,
        hour,
        minute,
        second,
        epoch,
        epoch_int: epoch,
        tz,
        tz_dst: tz,
        tz_offset: offset,
      },
      ...{
        weekday,
        weekday_number: weekdayNumber,
        weeknumber: week,
      },
      date: `${year}-${month}-${day}`,
      time: `${hour}:${minute}:${second}`,
      iso8601: `${utc.slice(0, 19)}Z`,
      iso8601_micro: `${utc.slice(0, 19)}.000000Z`,
      iso8601_basic: `${compact}000000`,
      iso8601_basic_short: compact,
    },
  };
}

function securityFacts({ file }: RawFacts): JsonObject {
  const enforce = file("/sys/fs/selinux/enforce").trim();
  const modes: Readonly<Record<string, string>> = { "0": "permissive", "1": "enforcing" };
  const isOn = /^Y/.test(file("/sys/module/apparmor/parameters/enabled"));
  return {
    selinux:
      enforce === "" ? { status: "disabled" } : { status: "enabled", mode: modes[enforce] ?? "unknown" },
    apparmor: { status: isOn ? "enabled" : "disabled" },
    fips: file("/proc/sys/crypto/fips_enabled").trim() === "1",
  };
}

/** As the shell was given it, before anything was set for our own questions. */
function environmentOf({ file, paths }: RawFacts): JsonObject {
  const [own] = paths(/^\/proc\/\d+\/environ$/).filter((match) => match[0] !== "/proc/1/environ");
  const text = file(own?.[0] ?? "/proc/1/environ");
  return Object.fromEntries(
    text
      .split("\0")
      .filter((pair) => pair.includes("="))
      .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
  );
}

function dnsFacts(resolv: string): JsonObject {
  const facts: Record<string, JsonValue> = {};
  const servers: string[] = [];
  for (const line of resolv.split("\n")) {
    const [word, ...values] = line.trim().split(/\s+/);
    if (word === "nameserver") servers.push(...values.slice(0, 1));
    if (word === "domain") facts.domain = values[0] ?? "";
    if (word === "search") facts.search = values;
    if (word === "options") facts.options = Object.fromEntries(values.map(option));
  }
  return servers.length > 0 ? { nameservers: servers, ...facts } : facts;
}

const option = (text: string): [string, JsonValue] => {
  const [name = "", value] = text.split(":");
  return [name, value ?? true];
};

type Merge = (before: JsonValue | undefined, value: JsonValue) => JsonValue;

function commandLine(text: string, merge: Merge): JsonObject {
  const facts: Record<string, JsonValue> = {};
  for (const word of text.trim().match(/(?:[^\s"]|"[^"]*")+/g) ?? []) {
    const at = word.indexOf("=");
    const name = at === -1 ? word : word.slice(0, at);
    facts[name] = merge(facts[name], at === -1 ? true : word.slice(at + 1).replaceAll('"', ""));
  }
  return facts;
}

const joinRepeated: Merge = (before, value) =>
  before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];

function loadFacts(text: string): JsonObject {
  const [one = "0", five = "0", fifteen = "0"] = text.split(" ");
  return { "1m": Number(one), "5m": Number(five), "15m": Number(fifteen) };
}

function hostKeyFacts({ file, paths }: RawFacts): JsonObject {
  return Object.fromEntries(
    paths(/^\/etc\/ssh\/ssh_host_(\w+)_key\.pub$/).flatMap((match) => {
      const [type = "", key = ""] = file(match[0]).split(" ");
      return [
        [`ssh_host_key_${match[1]}_public`, key.trim()],
        [`ssh_host_key_${match[1]}_public_keytype`, type],
      ];
    }),
  );
}

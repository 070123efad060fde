/**
 * Ansible's facts from a POSIX sh, in one script: nearly all is read from /proc, /sys and /etc by a single process,
 * and understood here. Three short programs say the rest (uname, id, date; ip where the host has it).
 */
import type { JsonObject } from "../../base/json.ts";
import { shellQuote } from "../../base/shell-quote.ts";
import { type HostScript, newNonce } from "./compile-questions.ts";
import { type FactKind, factKinds, kindsWanted } from "./fact-subsets.ts";
import { hardwareFacts } from "./facts-hardware.ts";
import { localFacts } from "./facts-local.ts";
import { networkFacts } from "./facts-network.ts";
import { systemFacts } from "./facts-system.ts";
import { virtualFacts } from "./facts-virtual.ts";
import { decodeHostText } from "./host-text.ts";
import type { HostOutput } from "./read-answers.ts";
import { badAnswer, nonceOf, type Sections, sectionPrologue, splitSections } from "./sections.ts";

/** What the fact files need of the output: the text of a file of the host, or of a section; "" where there is none. */
export interface RawFacts {
  readonly file: (path: string) => string;
  /** Paths of the files read that match. */
  readonly paths: (pattern: RegExp) => readonly RegExpExecArray[];
  readonly section: (name: string) => string;
  readonly sections: (prefix: string) => readonly (readonly [string, string])[];
}

const minimumFiles = [
  "/etc/os-release",
  "/etc/lsb-release",
  "/etc/debian_version",
  "/etc/redhat-release",
  "/etc/alpine-release",
  "/etc/machine-id",
  "/var/lib/dbus/machine-id",
  "/etc/hosts",
  "/etc/resolv.conf",
  "/etc/ssh/ssh_host_*_key.pub",
  "/proc/sys/kernel/hostname",
  "/proc/sys/kernel/osrelease",
  "/proc/sys/kernel/version",
  "/proc/sys/kernel/ostype",
  "/proc/sys/crypto/fips_enabled",
  "/proc/cmdline",
  "/proc/loadavg",
  "/proc/1/comm",
  "/proc/$$/environ",
  "/sys/fs/selinux/enforce",
  "/sys/fs/selinux/policyvers",
  "/sys/module/apparmor/parameters/enabled",
  "/sys/kernel/security/apparmor/profiles",
];
const filesOf: Readonly<Record<FactKind, readonly string[]>> = {
  network: [
    "/proc/net/route",
    "/proc/net/ipv6_route",
    "/proc/net/if_inet6",
    "/sys/class/net/*/address",
    "/sys/class/net/*/mtu",
    "/sys/class/net/*/operstate",
    "/sys/class/net/*/flags",
    "/sys/class/net/*/type",
    "/sys/class/net/*/speed",
    "/sys/class/net/*/bridge/bridge_id",
    "/sys/class/net/*/bridge/stp_state",
    "/sys/class/net/*/brif/*/port_no",
    "/sys/class/net/*/bonding/mode",
    "/sys/class/net/*/bonding/slaves",
    "/sys/class/net/*/bonding/miimon",
    "/sys/class/net/*/bonding/lacp_rate",
  ],
  hardware: [
    "/proc/meminfo",
    "/proc/cpuinfo",
    "/proc/mounts",
    "/proc/uptime",
    "/sys/class/dmi/id/*",
    "/sys/block/*/size",
    "/sys/block/*/removable",
    "/sys/block/*/queue/rotational",
    "/sys/block/*/queue/scheduler",
    "/sys/block/*/queue/discard_granularity",
    "/sys/block/*/queue/logical_block_size",
    "/sys/block/*/device/sas_address",
    "/sys/block/*/device/sas_device_handle",
    "/sys/block/*/slaves/*/size",
    "/sys/block/*/holders/*/size",
    "/sys/block/*/holders/*/dm/name",
    "/sys/block/*/*/holders/*/size",
    "/sys/block/*/*/holders/*/dm/name",
    "/sys/block/*/*/start",
    "/sys/block/*/device/vendor",
    "/sys/block/*/device/model",
    "/sys/block/*/*/partition",
    "/sys/block/*/*/size",
  ],
  virtual: [
    "/proc/1/cgroup",
    "/proc/1/environ",
    "/proc/cpuinfo",
    "/proc/modules",
    "/sys/class/dmi/id/product_name",
    "/sys/class/dmi/id/sys_vendor",
    "/sys/class/dmi/id/bios_vendor",
    "/sys/hypervisor/type",
    "/.dockerenv",
    "/run/.containerenv",
  ],
  local: [],
};

const fileBytes = 1024 * 1024;

/** As for contents of files (ask-paths.ts): one `head`, with its own environ as the mark between them. */
const readFiles = `
rf() { l= a=; for f do case $f in *[!A-Za-z0-9_./:@,+=-]*) continue;; esac; [ -f "$f" ] && [ -r "$f" ] && l="$l $f" a="$a $f /proc/self/environ"; done
m files; printf '%s\\n' $l; m contents; [ -r /proc/self/environ ] && command -v head >/dev/null 2>&1 && { env -i N=$N head -q -c ${fileBytes} $a 2>/dev/null; m headed "$?"; return; }
for f in $l; do m "one $f"; cat "$f" 2>/dev/null; done; }
fq() { h=; [ -r /proc/sys/kernel/hostname ] && read -r h </proc/sys/kernel/hostname; [ -n "$h" ] || h=$(uname -n)
while read -r i c r; do case $i in '#'*|'') continue;; esac; case " $c $r " in *" $h "*) return;; esac; done </etc/hosts 2>/dev/null
case $h in *.*) ;; *) m fqdn; hostname -f 2>/dev/null;; esac; }
pk() { for p in apt:apt-get dnf:dnf yum:yum zypper:zypper apk:apk pacman:pacman; do command -v "\${p#*:}" >/dev/null 2>&1 && { printf '%s\\n' "\${p%%:*}"; return; }; done; echo unknown; }
sv() { if [ -d /run/systemd/system ] || [ -d /dev/.run/systemd ]; then echo systemd; elif [ -e /run/openrc ] || [ -x /sbin/openrc-run ]; then echo openrc
elif command -v initctl >/dev/null 2>&1 && [ -d /etc/init ]; then echo upstart; elif [ -d /etc/init.d ]; then echo sysvinit; else echo service; fi; }
`.trim();

const statMounts = `mt() { l=; while read -r d p t o x; do case $t in nfs*|cifs|smb*|fuse*|autofs|9p|ceph|gluster*|afs) continue;; esac
case $d in /*|*:/*) case $p in *[!A-Za-z0-9_./:@,+=-]*) ;; *) l="$l $p";; esac;; esac; done </proc/mounts; [ -z "$l" ] || { m mounts; stat -f -c '%s %b %f %a %c %d %n' $l 2>/dev/null; }; }
[ -r /proc/mounts ] && mt`;

const listDisks =
  "m disks; [ -d /dev/disk ] && LC_ALL=C ls -l /dev/disk/by-id /dev/disk/by-uuid /dev/disk/by-label 2>/dev/null";

const usualFactPath = "/etc/ansible/facts.d";
const askLocal = (folder: string): string =>
  `for f in ${shellQuote(folder)}/*.fact; do [ -f "$f" ] || continue; m "local \${f##*/}"; if [ -x "$f" ]; then "$f" </dev/null 2>/dev/null; c=$?; [ $c = 0 ] || { m "factcode \${f##*/}"; echo $c; }; else cat "$f"; fi; done`;

const askNetwork = `m ip; if command -v ip >/dev/null 2>&1; then ip -o addr show 2>/dev/null; elif command -v ifconfig >/dev/null 2>&1; then m ifconfig; ifconfig -a 2>/dev/null; fi`;

/** What is asked of a host, in Ansible's words; an empty subset means all. */
export interface FactRequest {
  readonly subset: readonly string[];
  /** Folder with facts of the host's own. */
  readonly factPath?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

export function gatherFactsScript(subset: readonly string[] = [], factPath = usualFactPath): HostScript {
  const wanted = kindsWanted(subset);
  const nonce = newNonce();
  const files = [...new Set([...minimumFiles, ...[...wanted].flatMap((kind) => filesOf[kind])])];
  const lines = [
    'P=$PATH; PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"',
    `${sectionPrologue(nonce)}m kinds; printf '%s\\n' '${[...wanted].join(" ")}'`,
    readFiles,
    `rf ${files.join(" ")}`,
    'm uname; uname -m; m id; id; m user; u=$(id -u); if command -v getent >/dev/null 2>&1; then getent passwd "$u"; else grep "^[^:]*:[^:]*:$u:" /etc/passwd; fi',
    "m date; LC_ALL=C date '+%Y|%m|%d|%H|%M|%S|%s|%Z|%z|%A|%w|%W'; m pkg; pk; m svc; sv; fq",
    "m container; [ -e /.dockerenv ] && echo docker; [ -e /run/.containerenv ] && echo podman; [ -d /proc/vz ] && [ ! -d /proc/bc ] && echo openvz; [ -d /proc/xen ] && echo xen; [ -c /dev/kvm ] && echo kvmhost",
    ...(wanted.has("network") ? [askNetwork] : []),
    ...(wanted.has("hardware") ? [statMounts, listDisks] : []),
    ...(wanted.has("local") ? [askLocal(factPath)] : []),
    "m end",
    "exit 0",
  ];
  return { script: lines.join("\n") };
}

export function readGatheredFacts(output: HostOutput, _nowMs: number): JsonObject {
  const nonce = nonceOf(output.stdout);
  const sections = splitSections(output.stdout, nonce);
  if (sections.get("end") === undefined) throw badAnswer("the facts were cut off");
  const raw = rawFacts(sections);
  const wanted = new Set(raw.section("kinds").trim().split(" "));
  return {
    ...systemFacts(raw),
    ...(wanted.has("hardware") ? hardwareFacts(raw) : {}),
    ...(wanted.has("virtual") ? virtualFacts(raw) : {}),
    ...(wanted.has("network") ? networkFacts(raw) : {}),
    ...(wanted.has("local") ? { local: localFacts(raw) } : {}),
    gather_subset:
      [...wanted].length === factKinds.length ? ["all"] : ["min", ...wanted].filter((name) => name !== ""),
    module_setup: true,
  };
}

function rawFacts(sections: Sections): RawFacts {
  const files = fileContents(sections);
  const section = (name: string): string => decodeHostText(sections.get(name) ?? Buffer.alloc(0));
  return {
    file: (path) => decodeHostText(files.get(path) ?? Buffer.alloc(0)),
    paths: (pattern) => [...files.keys()].map((path) => pattern.exec(path)).filter((match) => match !== null),
    section,
    sections: (prefix) =>
      sections.startingWith(prefix).map(([name, body]) => [name, decodeHostText(body)] as const),
  };
}

function fileContents(sections: Sections): Map<string, Buffer> {
  const found = new Map<string, Buffer>(sections.startingWith("one"));
  if (found.size > 0) return found;
  const names = decodeHostText(sections.get("files") ?? Buffer.alloc(0))
    .split("\n")
    .filter((name) => name !== "");
  const body = sections.get("contents") ?? Buffer.alloc(0);
  const mark = `N=${sections.nonce}\0`;
  let at = 0;
  for (const name of names) {
    const end = body.indexOf(mark, at, "latin1");
    if (end === -1) throw badAnswer("a fact's file has no end");
    found.set(name, body.subarray(at, end));
    at = end + mark.length;
  }
  return found;
}

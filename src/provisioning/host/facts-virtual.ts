/** virtualization_type, virtualization_role, and the technologies seen. */
import type { JsonObject } from "../../base/json.ts";
import type { RawFacts } from "./gather-facts.ts";

interface Guess {
  readonly type: string;
  readonly role: "guest" | "host";
}

export function virtualFacts(raw: RawFacts): JsonObject {
  const guesses = [...containers(raw), ...machines(raw), ...hosts(raw)];
  const first = guesses[0] ?? { type: "NA", role: "NA" };
  const named = (role: string): string[] => [
    ...new Set(guesses.filter((g) => g.role === role).map((g) => g.type)),
  ];
  return {
    virtualization_type: first.type,
    virtualization_role: first.role,
    virtualization_tech_guest: named("guest"),
    virtualization_tech_host: named("host"),
  };
}

function containers({ file, section }: RawFacts): Guess[] {
  const seen = section("container").split("\n");
  const cgroup = file("/proc/1/cgroup");
  const found: string[] = [];
  if (seen.includes("docker") || /\/docker(\/|-[0-9a-f]+\.scope)/m.test(cgroup)) found.push("docker");
  if (seen.includes("podman")) found.push("podman");
  if (/\/lxc\//.test(cgroup)) found.push("lxc");
  const declared = /(?:^|\0)container=([^\0]+)/.exec(file("/proc/1/environ"))?.[1];
  if (declared !== undefined)
    found.push(declared === "lxc" || declared === "podman" || declared === "docker" ? declared : "container");
  if (seen.includes("openvz")) found.push("openvz");
  return [...found, ...(found.length > 0 && !found.includes("container") ? ["container"] : [])].map(
    (type) => ({
      type,
      role: "guest" as const,
    }),
  );
}

const products: readonly (readonly [RegExp, string])[] = [
  [/^(KVM|KVM Server|Bochs|AHV|Standard PC)/, "kvm"],
  [/^oVirt/, "oVirt"],
  [/^RHEV/, "RHEV"],
  [/^VMware/, "VMware"],
  [/^VirtualBox/, "VirtualBox"],
  [/^OpenStack/, "openstack"],
  [/^HVM domU/, "xen"],
  [/^Parallels/, "parallels"],
];
const vendors: readonly (readonly [RegExp, string])[] = [
  [/^Amazon EC2/, "kvm"],
  [/^QEMU|^Nutanix|^Google|^DigitalOcean|^Hetzner/, "kvm"],
  [/^Microsoft Corporation/, "VirtualPC"],
  [/^innotek/, "VirtualBox"],
  [/^oVirt/, "kvm"],
  [/^Parallels/, "parallels"],
];

const first = (table: readonly (readonly [RegExp, string])[], text: string): string | undefined =>
  table.find(([pattern]) => pattern.test(text))?.[1];

function machines({ file, section }: RawFacts): Guess[] {
  const type =
    (section("container").split("\n").includes("xen") || file("/sys/hypervisor/type").trim() === "xen"
      ? "xen"
      : undefined) ??
    first(products, file("/sys/class/dmi/id/product_name").trim()) ??
    first(vendors, file("/sys/class/dmi/id/sys_vendor").trim()) ??
    first(vendors, file("/sys/class/dmi/id/bios_vendor").trim()) ??
    (/QEMU Virtual CPU|Common KVM processor/.test(file("/proc/cpuinfo")) ? "kvm" : undefined);
  return type === undefined ? [] : [{ type, role: "guest" }];
}

/** Where /dev/kvm is, machines could be run: that makes a host of what is no guest. */
function hosts({ section }: RawFacts): Guess[] {
  return section("container").split("\n").includes("kvmhost") ? [{ type: "kvm", role: "host" }] : [];
}

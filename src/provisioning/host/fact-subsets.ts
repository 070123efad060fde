/** Ansible's names for parts of the facts, and which of the four costly kinds each means. */
export type FactKind = "network" | "hardware" | "virtual" | "local";
export const factKinds: readonly FactKind[] = ["network", "hardware", "virtual", "local"];

const minimum =
  "all min apparmor architecture caps chroot cmdline date_time distribution distribution_major_version distribution_release distribution_version dns effective_group_ids effective_user_id env fips is_chroot kernel kernel_version loadavg lsb machine machine_id os_family pkg_mgr platform python python_version real_user_id selinux service_mgr ssh_host_key_dsa_public ssh_host_key_ecdsa_public ssh_host_key_ed25519_public ssh_host_key_rsa_public ssh_host_pub_keys ssh_pub_keys system system_capabilities system_capabilities_enforced user user_dir user_gecos user_gid user_id user_shell user_uid facter ohai";
const within: Readonly<Record<FactKind, string>> = {
  network:
    "all_ipv4_addresses all_ipv6_addresses default_ipv4 default_ipv6 interfaces fibre_channel_wwn iscsi nvme",
  hardware: "devices mounts processor processor_cores processor_count",
  virtual: "virtualization_role virtualization_tech_guest virtualization_tech_host virtualization_type",
  local: "",
};

/** Undefined: part of the minimum, which always comes. */
const kindOf = new Map<string, FactKind | undefined>([
  ...minimum.split(" ").map((name) => [name, undefined] as const),
  ...factKinds.flatMap((kind) => [kind, ...within[kind].split(" ")].map((name) => [name, kind] as const)),
]);

export const factSubsets: readonly string[] = [...kindOf.keys()].filter((name) => name !== "").sort();

export const unknownSubsets = (subset: readonly string[]): readonly string[] =>
  subset.filter((name) => !factSubsets.includes(name.replace(/^!/, "")));

/** Ansible's rule: "all" by default, "min" and "!all" leave only the minimum, "!name" leaves one out. */
export function kindsWanted(subset: readonly string[]): ReadonlySet<FactKind> {
  const positive = subset.filter((name) => !name.startsWith("!"));
  const refused = new Set(subset.filter((name) => name.startsWith("!")).map((name) => name.slice(1)));
  const all = (positive.length === 0 && !refused.has("all")) || positive.includes("all");
  const named = new Set(positive.map((name) => kindOf.get(name)));
  return new Set(factKinds.filter((kind) => (all || named.has(kind)) && !refused.has(kind)));
}

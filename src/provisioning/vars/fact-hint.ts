/** What to say of a fact that is not there. */
import { nearest } from "../../base/nearest.ts";

/** Facts that every gathering gives, without their prefix. */
export const knownFacts: readonly string[] = (
  "all_ipv4_addresses all_ipv6_addresses apparmor architecture bios_date bios_vendor bios_version board_name " +
  "board_vendor cmdline date_time default_ipv4 default_ipv6 device_links devices distribution " +
  "distribution_file_path distribution_file_variety distribution_major_version distribution_minor_version " +
  "distribution_release distribution_version dns domain effective_group_id effective_user_id env fips fqdn hostname " +
  "interfaces kernel kernel_version loadavg local lsb machine machine_id memfree_mb memory_mb memtotal_mb mounts " +
  "nodename os_family pkg_mgr proc_cmdline processor processor_cores processor_count processor_nproc " +
  "processor_threads_per_core processor_vcpus product_name product_serial product_uuid product_version " +
  "real_group_id real_user_id selinux service_mgr swapfree_mb swaptotal_mb system system_vendor uptime_seconds " +
  "user_dir user_gecos user_gid user_id user_shell user_uid userspace_architecture userspace_bits " +
  "virtualization_role virtualization_type"
).split(" ");

export interface FactHint {
  readonly why: string;
  readonly fix: string;
}

/** Undefined: the name is no fact's, and near to none. */
export function factHint(name: string): FactHint | undefined {
  const [, fact] = /^ansible_(\w+)$/.exec(name) ?? [];
  if (fact === undefined) return undefined;
  if (/^python(?:_version)?$/.test(fact))
    return {
      why: "hosts need no Python here, so nothing is known of it",
      fix: `guard it: ${name} | default(…)`,
    };
  if (knownFacts.includes(fact))
    return {
      why: "it is a fact, and the facts of this host were not gathered, or not this part of them",
      fix: 'take "gather_facts: false" out of the play, or run the module "setup" before',
    };
  const near = nearest(fact, knownFacts);
  if (near === undefined) return undefined;
  return { why: "no fact has that name", fix: `write "ansible_${near}" instead of "${name}"` };
}

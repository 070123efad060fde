/** What was learnt of a host at the start: Ansible's names, from a POSIX sh. Filled in by host/gather-facts.ts. */
import type { JsonObject } from "../../base/json.ts";

export interface HostFacts {
  /** `ansible_facts` without the prefix: distribution, os_family, default_ipv4, … Empty when not gathered. */
  readonly ansible: JsonObject;
  /** Always known after connecting, gathered or not: the few things modules decide by. */
  readonly base: {
    readonly serviceManager: "systemd" | "sysvinit" | "upstart" | "none";
    readonly packageManager: "apt" | "dnf" | "apk" | "none";
    readonly uid: number;
    readonly user: string;
    readonly home: string;
    /** uname -m */
    readonly machine: string;
    /** /etc/machine-id: two inventory names of one machine share it. Absent where there is none. */
    readonly machineId?: string;
    /** Which of `optionalTools` the host has. */
    readonly tools?: readonly string[];
  };
}

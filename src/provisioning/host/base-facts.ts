/** What is always learnt of a host, in its first message: the few things that modules and the engine decide by. */
import type { HostScript } from "./compile-questions.ts";
import type { HostFacts } from "./facts.ts";
import { decodeHostText } from "./host-text.ts";
import { badAnswer } from "./sections.ts";

/** Programs that make a difference to how something is done; found by the shell itself, without a process. */
export const optionalTools = [
  "apk",
  "apt-get",
  "crontab",
  "curl",
  "debconf-set-selections",
  "dnf",
  "docker",
  "getent",
  "git",
  "gpg",
  "hostnamectl",
  "ip",
  "openssl",
  "python3",
  "rpm",
  "setfacl",
  "sudo",
  "systemctl",
  "tar",
  "timedatectl",
  "ufw",
  "unzip",
  "useradd",
  "wget",
  "xz",
  "zstd",
] as const;

const script = `
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
printf 'machine=%s\\n' "$(uname -m)"; printf 'id=%s\\n' "$(id -u; id -un)"; printf 'home=%s\\n' ~
i=; [ -r /etc/machine-id ] && read -r i </etc/machine-id; printf 'machine_id=%s\\n' "$i"
if [ -d /run/systemd/system ]; then s=systemd; elif [ -e /etc/init/rc-sysinit.conf ] && command -v initctl >/dev/null 2>&1; then s=upstart
elif [ -d /etc/init.d ]; then s=sysvinit; else s=none; fi; printf 'service_manager=%s\\n' "$s"
if command -v apt-get >/dev/null 2>&1; then k=apt; elif command -v dnf >/dev/null 2>&1; then k=dnf; elif command -v apk >/dev/null 2>&1; then k=apk; else k=none; fi
printf 'package_manager=%s\\n' "$k"
for x in ${optionalTools.join(" ")}; do command -v "$x" >/dev/null 2>&1 && printf 'tool=%s\\n' "$x"; done
printf 'end=\\n'; exit 0`;

export const baseFactsScript = (): HostScript => ({ script });

const serviceManagers = ["systemd", "sysvinit", "upstart", "none"] as const;
const packageManagers = ["apt", "dnf", "apk", "none"] as const;

export function readBaseFacts(stdout: Uint8Array): HostFacts["base"] {
  const text = decodeHostText(stdout);
  const value = (key: string): string => new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "";
  const id = /^id=(\d+)\n(.*)$/m.exec(text);
  if (!id || !text.includes("\nend=\n")) throw badAnswer("the host's base facts were cut off");
  const machineId = value("machine_id");
  return {
    serviceManager: serviceManagers.find((each) => each === value("service_manager")) ?? "none",
    packageManager: packageManagers.find((each) => each === value("package_manager")) ?? "none",
    uid: Number(id[1]),
    user: id[2] ?? "",
    home: value("home"),
    machine: value("machine"),
    ...(machineId === "" ? {} : { machineId }),
    tools: [...text.matchAll(/^tool=(.+)$/gm)].map(([, tool]) => tool ?? ""),
  };
}

/** One host of a rehearsal: a container with systemd as its first process, sshd, and an address that stays. */
import { GenericContainer, Wait } from "testcontainers";

export interface HostRequest {
  readonly image: string;
  /** Its name in the inventory: also host name and network alias. */
  readonly name: string;
  readonly network: string;
  readonly address: string;
  readonly containerName: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Public key, one line. */
  readonly authorizedKey: string;
}

const bootTimeoutMs = 90_000;

/** testcontainers has no word for a cgroup namespace, a fixed address and a capability set such as systemd wants. */
export class HostContainer extends GenericContainer {
  constructor(request: HostRequest) {
    super(request.image);
    this.withName(request.containerName)
      .withHostname(request.name)
      .withLabels({ ...request.labels })
      .withNetworkMode(request.network)
      .withAddedCapabilities("ALL")
      // SYS_RESOURCE is not to be had everywhere; the others would reach through to the machine itself: its clock, its kernel.
      .withDroppedCapabilities("SYS_RESOURCE", "SYS_TIME", "SYS_MODULE", "SYS_BOOT")
      .withSecurityOpt("seccomp=unconfined", "apparmor=unconfined")
      .withBindMounts([{ source: "/sys/fs/cgroup", target: "/sys/fs/cgroup", mode: "rw" }])
      .withTmpFs({ "/run": "rw,exec", "/run/lock": "rw", "/tmp": "rw,exec" })
      .withCopyContentToContainer(
        ["/root", "/home/ubuntu"].map((home) => ({
          content: `${request.authorizedKey}\n`,
          target: `${home}/.ssh/authorized_keys`,
          mode: 0o644,
        })),
      )
      .withWaitStrategy(
        Wait.forSuccessfulCommand(
          "systemctl is-active --quiet ssh.service || systemctl is-active --quiet ssh.socket",
        ),
      )
      .withStartupTimeout(bootTimeoutMs);
    Object.assign(this.hostConfig, { CgroupnsMode: "host" });
    this.createOpts.NetworkingConfig = {
      EndpointsConfig: {
        [request.network]: { Aliases: [request.name], IPAMConfig: { IPv4Address: request.address } },
      },
    };
  }
}

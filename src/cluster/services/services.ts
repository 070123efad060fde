/**
 * What each service of the cluster is: its unit, the groups that run it, the role that knows how to restart it safely,
 * and how one sees that it works. Data only; operations/ and rehearsal/ act on it.
 */
export interface Service {
  /** What users type: `provision restart zookeeper`. Also the unit's name unless `unit` says otherwise. */
  readonly name: string;
  readonly unit: string;
  readonly summary: string;
  /** A host pattern over the inventory's groups. */
  readonly hosts: string;
  readonly role: string;
  /** Tasks of that role that take one host through a restart, until it is healthy again. Default "restart". */
  readonly restartTasks?: string;
  readonly health: HealthProbe;
}

export type HealthProbe =
  | { readonly by: "http"; readonly port: number; readonly path: string }
  /** Exit code 0 is healthy. */
  | { readonly by: "command"; readonly argv: readonly string[] };

const masters = "mesos_masters";
const slaves = "mesos_slaves";

export const services: readonly Service[] = [
  {
    name: "zookeeper",
    unit: "zookeeper",
    summary: "keeps what the masters agree on",
    hosts: masters,
    role: "zookeeper",
    health: { by: "command", argv: ["/usr/share/zookeeper/bin/zkServer.sh", "status"] },
  },
  {
    name: "mesos-master",
    unit: "mesos-master",
    summary: "offers the slaves' resources to frameworks",
    hosts: masters,
    role: "mesos-master",
    health: { by: "http", port: 5050, path: "/health" },
  },
  {
    name: "marathon",
    unit: "marathon",
    summary: "keeps apps running",
    hosts: masters,
    role: "marathon",
    health: { by: "http", port: 8080, path: "/ping" },
  },
  {
    name: "mesos-slave",
    unit: "mesos-slave",
    summary: "runs tasks",
    hosts: slaves,
    role: "mesos-slave",
    health: { by: "http", port: 5051, path: "/health" },
  },
  {
    name: "docker",
    unit: "docker",
    summary: "runs containers",
    hosts: slaves,
    role: "docker",
    health: { by: "command", argv: ["docker", "version"] },
  },
  {
    name: "haproxy",
    unit: "haproxy",
    summary: "routes requests to running tasks",
    hosts: `${masters}:${slaves}`,
    role: "haproxy",
    health: { by: "command", argv: ["systemctl", "is-active", "haproxy"] },
  },
  {
    name: "haproxy-bridge",
    unit: "haproxy-bridge",
    summary: "keeps haproxy.cfg in step with Marathon",
    hosts: `${masters}:${slaves}`,
    role: "haproxy",
    restartTasks: "restart-bridge",
    health: { by: "command", argv: ["systemctl", "is-active", "haproxy-bridge"] },
  },
];

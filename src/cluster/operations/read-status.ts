/** What status.yml's tasks found, read into one picture of the cluster. Pure: answers of hosts in, findings out. */
import { isJsonObject, type JsonValue } from "../../base/json.ts";
import type { Service } from "../services/services.ts";

/** One answered task of status.yml on one host. */
export interface StatusAnswer {
  readonly host: string;
  readonly task: string;
  readonly item: string | undefined;
  readonly result: JsonValue;
}

export interface ServiceStatus {
  readonly host: string;
  readonly service: string;
  /** systemd's word, "absent" without a unit, "unhealthy" when it runs and does not answer well. */
  readonly state: string;
  readonly enabled: boolean;
  readonly restarts: number;
}
export interface ClusterStatus {
  readonly services: readonly ServiceStatus[];
  /** By master: leader, follower, standalone, or undefined where ZooKeeper serves nobody. */
  readonly quorum: ReadonlyMap<string, string | undefined>;
  /** Share of the fullest file system in use, 0–100. */
  readonly diskPercent: ReadonlyMap<string, number>;
}

export function readStatus(answers: readonly StatusAnswer[], services: readonly Service[]): ClusterStatus {
  const found: ServiceStatus[] = [];
  const quorum = new Map<string, string | undefined>();
  const diskPercent = new Map<string, number>();
  const unhealthy = new Set<string>();
  for (const { host, task, item, result } of answers) {
    if (task === "health" && item !== undefined && field(result, "status") !== 200)
      unhealthy.add(`${host} ${item}`);
    if (task === "quorum") quorum.set(host, /Mode: (\w+)/.exec(textOf(result, "stdout"))?.[1]);
    if (task === "disk") diskPercent.set(host, fullest(textOf(result, "stdout")));
  }
  for (const { host, task, result } of answers) {
    if (task !== "units") continue;
    for (const unit of readUnits(textOf(result, "stdout"))) {
      const service = services.find((candidate) => `${candidate.unit}.service` === unit.id);
      if (service !== undefined && unit.state !== "absent") {
        found.push(statusOf(host, service.name, unit, unhealthy.has(`${host} ${service.name}`)));
      }
    }
  }
  return { services: found, quorum, diskPercent };
}

interface Unit {
  readonly id: string;
  readonly state: string;
  readonly enabled: boolean;
  readonly restarts: number;
}

const statusOf = (host: string, service: string, unit: Unit, isUnhealthy: boolean): ServiceStatus => ({
  host,
  service,
  state: unit.state === "active" && isUnhealthy ? "unhealthy" : unit.state,
  enabled: unit.enabled,
  restarts: unit.restarts,
});

/** `systemctl show A B`: blocks of key=value, an empty line between. */
function readUnits(text: string): Unit[] {
  return text.split(/\n\s*\n/).flatMap((block) => {
    const values = new Map(
      block
        .split("\n")
        .map((line): [string, string] => [line.split("=")[0] ?? "", line.replace(/^[^=]*=/, "")]),
    );
    const id = values.get("Id");
    if (id === undefined) return [];
    const isThere = values.get("LoadState") !== "not-found";
    return [
      {
        id,
        state: isThere ? (values.get("ActiveState") ?? "unknown") : "absent",
        enabled: values.get("UnitFileState") === "enabled",
        restarts: Number(values.get("NRestarts") ?? 0),
      },
    ];
  });
}

const fullest = (df: string): number =>
  Math.max(0, ...[...df.matchAll(/\s(\d+)%\s/g)].map(([, percent]) => Number(percent)));

const field = (value: JsonValue, key: string): JsonValue | undefined =>
  isJsonObject(value) ? value[key] : undefined;
const textOf = (value: JsonValue, key: string): string => {
  const text = field(value, key);
  return typeof text === "string" ? text : "";
};

export interface Finding {
  readonly what: string;
  readonly fix: string;
}

const fullDiskPercent = 90;
const manyRestarts = 5;

/** What is wrong, and what to type about it. Empty: nothing. */
export function diagnose({ services, quorum, diskPercent }: ClusterStatus): Finding[] {
  const findings: Finding[] = [];
  for (const { host, service, state, enabled, restarts } of services) {
    const limit = `-l ${host}`;
    if (state !== "active")
      findings.push({
        what: `${service} on ${host} is ${state}`,
        fix: `provision logs ${service} ${limit}; provision restart ${service} ${limit}`,
      });
    else if (restarts >= manyRestarts)
      findings.push({
        what: `${service} on ${host} was restarted ${restarts} times`,
        fix: `provision logs ${service} ${limit}`,
      });
    if (!enabled && service !== "docker")
      findings.push({
        what: `${service} on ${host} does not start with the host`,
        fix: "run the playbook again",
      });
  }
  findings.push(...quorumFindings(quorum));
  for (const [host, percent] of diskPercent) {
    if (percent >= fullDiskPercent)
      findings.push({
        what: `a disk of ${host} is ${percent}% full`,
        fix: `provision exec ${host} -- df -h`,
      });
  }
  return findings;
}

function quorumFindings(quorum: ReadonlyMap<string, string | undefined>): Finding[] {
  const serving = [...quorum].filter(([, mode]) => mode !== undefined);
  const leaders = serving.filter(([, mode]) => mode === "leader" || mode === "standalone");
  const findings = [...quorum]
    .filter(([, mode]) => mode === undefined)
    .map(([host]) => ({
      what: `ZooKeeper on ${host} is in no quorum`,
      fix: `provision restart zookeeper -l ${host}`,
    }));
  if (quorum.size > 0 && leaders.length === 0)
    findings.push({
      what: "ZooKeeper has no quorum: nothing can be scheduled",
      fix: "provision start zookeeper",
    });
  return findings;
}

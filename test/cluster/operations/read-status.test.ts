import { describe, expect, test } from "vitest";
import { diagnose, readStatus, type StatusAnswer } from "../../../src/cluster/operations/read-status.ts";
import { services } from "../../../src/cluster/services/services.ts";

interface Host {
  readonly units?: Readonly<Record<string, string>>;
  readonly health?: Readonly<Record<string, number>>;
  readonly mode?: string;
  readonly disk?: number;
}

const unitText = (units: Readonly<Record<string, string>>): string =>
  Object.entries(units)
    .map(([unit, rest]) => `Id=${unit}.service\n${rest}`)
    .join("\n\n");

const fine = "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNRestarts=0";
const absent = "LoadState=not-found\nActiveState=inactive\nUnitFileState=\nNRestarts=0";

const answersOf = (host: string, { units = {}, health = {}, mode, disk = 10 }: Host): StatusAnswer[] => [
  { host, task: "units", item: undefined, result: { stdout: unitText(units) } },
  ...Object.entries(health).map(([item, status]) => ({ host, task: "health", item, result: { status } })),
  ...(mode === undefined ? [] : [{ host, task: "quorum", item: undefined, result: { stdout: mode } }]),
  {
    host,
    task: "disk",
    item: undefined,
    result: { stdout: `Filesystem 1K Used Avail Capacity Mounted\n/dev/a 9 9 9 ${disk}% /\n` },
  },
];

const findingsOf = (hosts: Readonly<Record<string, Host>>): string[] => {
  const answers = Object.entries(hosts).flatMap(([host, what]) => answersOf(host, what));
  return diagnose(readStatus(answers, services)).map(({ what }) => what);
};

const healthyMaster: Host = {
  units: { zookeeper: fine, "mesos-master": fine, "mesos-slave": absent },
  health: { "mesos-master": 200 },
  mode: "Mode: leader",
};

describe("the doctor", () => {
  test("finds nothing in a cluster that is well, and overlooks services that a host does not have", () => {
    expect(findingsOf({ m1: healthyMaster, m2: { ...healthyMaster, mode: "Mode: follower" } })).toEqual([]);
  });

  test.each<[string, Host, string]>([
    [
      "a unit that is down",
      { units: { zookeeper: fine.replace("=active", "=failed") }, mode: "Mode: leader" },
      "zookeeper on m1 is failed",
    ],
    [
      "a unit that runs and does not answer",
      { ...healthyMaster, health: { "mesos-master": 503 } },
      "mesos-master on m1 is unhealthy",
    ],
    [
      "a unit that dies again and again",
      { units: { zookeeper: fine.replace("NRestarts=0", "NRestarts=9") }, mode: "Mode: leader" },
      "zookeeper on m1 was restarted 9 times",
    ],
    [
      "a unit that a reboot would lose",
      { units: { zookeeper: fine.replace("=enabled", "=disabled") }, mode: "Mode: leader" },
      "zookeeper on m1 does not start with the host",
    ],
    ["a disk that is nearly full", { ...healthyMaster, disk: 96 }, "a disk of m1 is 96% full"],
  ])("names %s", (_, host, what) => {
    expect(findingsOf({ m1: host })).toEqual([what]);
  });

  test("says when ZooKeeper has no quorum", () => {
    expect(findingsOf({ m1: { ...healthyMaster, mode: "Error contacting service." } })).toEqual([
      "ZooKeeper on m1 is in no quorum",
      "ZooKeeper has no quorum: nothing can be scheduled",
    ]);
  });

  test("says what to type", () => {
    const status = readStatus(
      answersOf("m1", { ...healthyMaster, health: { "mesos-master": 500 } }),
      services,
    );
    expect(diagnose(status).map(({ fix }) => fix)).toEqual([
      "provision logs mesos-master -l m1; provision restart mesos-master -l m1",
    ]);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ProvisionError } from "../../src/base/errors.ts";
import {
  type DaemonSpec,
  daemonHelp,
  type FlagSet,
  readDaemonConfiguration,
} from "../../src/scheduler/daemon-configuration.ts";

const flags = {
  zk: { kind: "text", summary: "where ZooKeeper is" },
  ip: { kind: "text", summary: "address to listen on", default: "0.0.0.0" },
  port: { kind: "integer", summary: "port to listen on", default: "5050" },
  attributes: { kind: "text", summary: "attributes" },
  checkpoint: { kind: "boolean", summary: "a boolean", default: "false" },
  agent_ping_timeout: {
    kind: "duration",
    summary: "how long a ping may take",
    default: "15secs",
    aliases: ["slave_ping_timeout"],
  },
} as const satisfies FlagSet;

const spec: DaemonSpec<typeof flags> = {
  name: "mesos-master",
  summary: "A master.",
  flags,
  environmentPrefix: "MESOS_",
  flagFolder: "mesos-master",
  defaultFiles: ["mesos", "mesos-master"],
  shortNames: { ZK: "zk", IP: "ip" },
  lastResorts: { zk: "mesos/zk" },
  withoutEffect: ["quorum"],
  unsupported: ["authenticate_agents"],
};

let etc: string;
beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), "provision-etc-"));
});
afterEach(() => rmSync(etc, { recursive: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(etc, path)), { recursive: true });
  writeFileSync(join(etc, path), text);
}
const read = (argv: string[] = [], env: Record<string, string> = {}) =>
  readDaemonConfiguration(spec, { argv, env, etc });

describe("a daemon's flags", () => {
  test("have defaults", () => {
    expect(read().values).toEqual({
      zk: undefined,
      ip: "0.0.0.0",
      port: 5050,
      attributes: undefined,
      checkpoint: false,
      agent_ping_timeout: 15_000,
    });
  });

  test("the stronger source wins, all the way", () => {
    write("mesos/zk", "zk://1/mesos\n");
    expect(read().values.zk).toBe("zk://1/mesos");
    write("default/mesos", `# c\nexport ZK="zk://2/mesos" # all\nIP='10.0.0.1'\n`);
    expect(read().values).toMatchObject({ zk: "zk://2/mesos", ip: "10.0.0.1" });
    expect(read([], { MESOS_ZK: "zk://3/mesos" }).values.zk).toBe("zk://3/mesos");
    write("mesos-master/zk", "zk://4/mesos\n");
    expect(read([], { MESOS_ZK: "zk://3/mesos" }).values.zk).toBe("zk://4/mesos");
    expect(read(["--zk=zk://5/mesos"]).values.zk).toBe("zk://5/mesos");
  });

  test("files of flags: booleans, folders, older names", () => {
    write("mesos-master/?checkpoint", "");
    write("mesos-master/attributes/rack", "r1\n");
    write("mesos-master/attributes/zone", "z\n");
    write("mesos-master/slave_ping_timeout", "2.5secs");
    write("mesos-master/quorum", "2");
    expect(read().values).toMatchObject({
      checkpoint: true,
      attributes: "rack:r1;zone:z",
      agent_ping_timeout: 2500,
    });
    expect(read(["--no-checkpoint"]).values.checkpoint).toBe(false);
  });

  test("the packages' idioms in /etc/default are understood", () => {
    write("mesos/zk", "zk://1,2/mesos\n");
    write("default/mesos", `H=host1\nexport MESOS_IP=$H\nULIMIT="-n 8192"\n`);
    write("default/mesos-master", `ZK=\`cat ${etc}/mesos/zk\`\nMESOS_PORT="505\${EMPTY}1"\n`);
    expect(read().values).toMatchObject({ zk: "zk://1,2/mesos", ip: "host1", port: 5051 });
  });

  test("a value may stand in a file of its own", () => {
    write("secret", "10.1.1.1\n");
    expect(read([`--ip=file://${etc}/secret`]).values.ip).toBe("10.1.1.1");
  });

  test("a variable of the daemon's own default file that means nothing is warned of", () => {
    write("default/mesos", "MESOS_CONTAINERIZERS=docker\n");
    write("default/mesos-master", "MESOS_PROT=1\n");
    expect(read().warnings).toEqual([`${etc}/default/mesos-master:1: MESOS_PROT is no flag of mesos-master`]);
  });

  test.each([
    [
      ["--prot=1"],
      'Cannot start mesos-master with "prot" from the command line: there is no flag "prot"',
      'write "port"',
    ],
    [
      ["--port=many"],
      'Cannot read flag "port" of mesos-master from the command line: "many" is not a whole number',
      "write it like --port=3",
    ],
    [
      ["--authenticate_agents"],
      'Cannot start mesos-master with "authenticate_agents" from the command line: the built-in mesos-master does not do what "authenticate_agents" asks for',
      "leave it out, or run the original by scheduler_source: package",
    ],
    [["port"], 'Cannot start mesos-master with "port" from the command line: it is no --flag', undefined],
  ])("%j is refused", (argv, message, fix) => {
    expect(failure(() => read(argv))).toMatchObject({ message, fix });
  });

  test("a line of /etc/default that only a shell could read is refused with its place", () => {
    write("default/mesos", "A=1\nif true; then B=2; fi\n");
    expect(failure(() => read())).toMatchObject({ code: "bad-flag", span: { line: 2 } });
    write("default/mesos", "A=$(date)\n");
    expect(failure(() => read())).toMatchObject({ code: "bad-flag", span: { line: 1 } });
  });

  test("help names each flag with its default", () => {
    expect(daemonHelp(spec)).toContain(
      "--agent_ping_timeout=10secs\n      how long a ping may take (default 15secs)",
    );
  });
});

function failure(work: () => unknown): ProvisionError {
  try {
    work();
  } catch (error) {
    if (error instanceof ProvisionError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

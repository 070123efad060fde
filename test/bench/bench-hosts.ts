/** The hosts that all contenders are measured on, their inventories near and far, and the delay between them. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { containerName, type RehearsalHosts, stateFolder } from "../../src/cluster/rehearsal/hosts.ts";
import { runProgram } from "../../src/cluster/runtime/run-program.ts";
import { type DelayProxy, startDelayProxy } from "./delay-proxy.ts";

export const names = ["bench1", "bench2", "bench3", "bench4", "bench5"];
export const roundTripMs = 200;

export interface Inventories {
  readonly near: string;
  readonly far: string;
  /** Many names, the same five machines. */
  many(count: number): Promise<string>;
  /** How the delay is made: `tc netem`, or a TCP hop where the kernel lacks it. */
  readonly delayedBy: string;
  /** The delay is there while `work` runs. */
  delayed<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

const inHost = (id: string, name: string, ...argv: readonly string[]): Promise<string> =>
  runProgram("docker", ["exec", containerName(id, name), ...argv]);

/** Ansible needs Python on its targets; we do not. */
export async function installPython(id: string): Promise<void> {
  const script = "apt-get -qq install -y --no-install-recommends python3 python3-apt cron >/dev/null 2>&1";
  await Promise.all(names.map((name) => inHost(id, name, "sh", "-c", script)));
}

export async function makeInventories(hosts: RehearsalHosts, folder: string): Promise<Inventories> {
  const address = (name: string): string => hosts.addresses.get(name) ?? "";
  const knownHosts = join(stateFolder(hosts.id), "known_hosts");
  const write = async (file: string, lines: readonly string[], sshArgs: string): Promise<string> => {
    const path = join(folder, file);
    const vars = [
      "ansible_user=ubuntu",
      `ansible_ssh_private_key_file=${hosts.privateKeyFile}`,
      `ansible_ssh_common_args=${sshArgs}`,
      "ansible_python_interpreter=/usr/bin/python3",
    ];
    await writeFile(path, `${lines.join("\n")}\n[all:vars]\n${vars.join("\n")}\n`);
    return path;
  };
  const strict = `-o UserKnownHostsFile=${knownHosts}`;
  const line = (name: string, at: string, port: number): string =>
    `${name} ansible_host=${at} ansible_port=${port}`;
  const near = await write(
    "near.ini",
    names.map((name) => line(name, address(name), 22)),
    strict,
  );
  const many = (count: number): Promise<string> => {
    const lines = Array.from({ length: count }, (_, at) =>
      line(`name${at + 1}`, address(names[at % names.length] ?? ""), 22),
    );
    return write(`many-${count}.ini`, lines, strict);
  };
  if (await hasNetem(hosts.id)) {
    const delayed = async <T>(work: () => Promise<T>): Promise<T> => {
      await netem(hosts.id, "add");
      return work().finally(() => netem(hosts.id, "del"));
    };
    return { near, far: near, many, delayedBy: "tc netem", delayed, close: () => undefined };
  }
  const proxies = new Map<string, DelayProxy>();
  for (const name of names) {
    const hop = { listenHost: "127.0.0.1", host: address(name), port: 22, roundTripMs };
    proxies.set(name, await startDelayProxy(hop));
  }
  const far = await write(
    "far.ini",
    names.map((name) => line(name, "127.0.0.1", proxies.get(name)?.port ?? 0)),
    "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no",
  );
  const close = (): void => {
    for (const proxy of proxies.values()) proxy.close();
  };
  return { near, far, many, delayedBy: "a TCP hop", delayed: (work) => work(), close };
}

const netem = (id: string, verb: "add" | "del"): Promise<unknown> =>
  Promise.all(
    names.map((name) =>
      inHost(
        id,
        name,
        ...["tc", "qdisc", verb, "dev", "eth0", "root", "netem"],
        ...(verb === "add" ? ["delay", `${roundTripMs}ms`] : []),
      ),
    ),
  );

async function hasNetem(id: string): Promise<boolean> {
  const [first = ""] = names;
  const argv = ["tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "1ms"];
  return inHost(id, first, ...argv).then(
    () => inHost(id, first, "tc", "qdisc", "del", "dev", "eth0", "root").then(() => true),
    () => false,
  );
}

/**
 * `npm run bench`: our engine, Ansible (plain; pipelining with 20 forks; Mitogen where the distribution has it) and a
 * hand-written ssh script, on the same playbook and the same hosts, in one run. What counts are the ratios: the machine
 * is whatever it is. Round trips are counted from runs at 0 and at 200 ms.
 *
 * Writes docs/benchmarks.md and docs/benchmarks.json.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import {
  containerName,
  type RehearsalHosts,
  startHosts,
  stateFolder,
} from "../../src/cluster/rehearsal/hosts.ts";
import { prepareRehearsal } from "../../src/cluster/rehearsal/rehearse.ts";
import { runProgram } from "../../src/cluster/runtime/run-program.ts";
import { type DelayProxy, startDelayProxy } from "./delay-proxy.ts";

const here = import.meta.dirname;
const root = join(here, "../..");
const names = ["bench1", "bench2", "bench3", "bench4", "bench5"];
const runsEach = 5;
const roundTripMs = 200;
const commandTimeoutMs = 300_000;

interface Contender {
  readonly name: string;
  command(inventory: string): {
    readonly argv: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  };
  /** Fewer runs for the slow ones. */
  readonly runs: number;
}
interface Row {
  readonly name: string;
  readonly atOnceS: number;
  readonly delayedS: number;
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  const id = `bench-${process.pid}`;
  const image = await prepareRehearsal(say);
  const folder = await mkdtemp(join(tmpdir(), "provision-bench-"));
  let hosts: RehearsalHosts | undefined;
  const proxies: DelayProxy[] = [];
  try {
    hosts = await startHosts({ id, image, names, keep: false, onHost: (name) => say(`${name} is up`) });
    await installPython(id);
    const near = join(folder, "near.ini");
    const far = join(folder, "far.ini");
    await writeFile(
      near,
      inventoryText(hosts, id, () => 22),
    );
    const ports = await startProxies(hosts, proxies);
    await writeFile(
      far,
      inventoryText(hosts, id, (name) => ports.get(name) ?? 0, "127.0.0.1"),
    );
    await writeFile(join(folder, "by-hand.sh"), byHandScript);
    say("applying the playbook once");
    await timeOf(ours(), near);
    const rows = await measure([byHand(hosts, id, folder), ours(), ...(await ansibles(folder))], near, far);
    await report(rows);
  } finally {
    for (const proxy of proxies) proxy.close();
    await hosts?.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Ansible needs Python on its targets; we do not. */
async function installPython(id: string): Promise<void> {
  say("installing python3 on the hosts, for Ansible");
  await Promise.all(
    names.map((name) =>
      runProgram("docker", [
        "exec",
        containerName(id, name),
        "sh",
        "-c",
        "apt-get -qq install -y --no-install-recommends python3 python3-apt cron >/dev/null",
      ]),
    ),
  );
}

function inventoryText(
  hosts: RehearsalHosts,
  id: string,
  port: (name: string) => number,
  host?: string,
): string {
  const known = join(stateFolder(id), "known_hosts");
  const strict =
    host === undefined
      ? `-o UserKnownHostsFile=${known}`
      : "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no";
  const lines = names.map(
    (name) => `${name} ansible_host=${host ?? hosts.addresses.get(name)} ansible_port=${port(name)}`,
  );
  return `${lines.join("\n")}\n[all:vars]\nansible_user=ubuntu\nansible_ssh_private_key_file=${hosts.privateKeyFile}\nansible_ssh_common_args=${strict}\nansible_python_interpreter=/usr/bin/python3\n`;
}

async function startProxies(hosts: RehearsalHosts, proxies: DelayProxy[]): Promise<Map<string, number>> {
  const ports = new Map<string, number>();
  for (const name of names) {
    const proxy = await startDelayProxy({
      listenHost: "127.0.0.1",
      host: hosts.addresses.get(name) ?? "",
      port: 22,
      roundTripMs,
    });
    proxies.push(proxy);
    ports.set(name, proxy.port);
  }
  return ports;
}

const ours = (): Contender => ({
  name: "provision",
  runs: runsEach,
  command: (inventory) => ({
    argv: [process.execPath, join(root, "src/main.ts"), inventory, join(here, "playbooks/site.yml")],
  }),
});

/** One `ssh host sh` a host, all at once, each checking what the playbook says. */
function byHand(hosts: RehearsalHosts, id: string, folder: string): Contender {
  return {
    name: "hand-written ssh script",
    runs: runsEach,
    command: (inventory) => {
      const far = inventory.endsWith("far.ini");
      const script = join(folder, "by-hand.sh");
      return {
        argv: ["sh", script, join(here, "hand-written.sh"), far ? "far" : "near"],
        env: { KEY: hosts.privateKeyFile, KNOWN: join(stateFolder(id), "known_hosts"), INVENTORY: inventory },
      };
    },
  };
}

/** Reads the inventory, so that both see the same hosts and ports. */
const byHandScript = `
grep ansible_host= "$INVENTORY" | while read -r name host port; do
  if [ "$2" = far ]; then known=/dev/null; check=no; else known=$KNOWN; check=yes; fi
  ssh -q -i "$KEY" -o UserKnownHostsFile=$known -o StrictHostKeyChecking=$check \\
    -p "\${port#ansible_port=}" "ubuntu@\${host#ansible_host=}" sudo sh < "$1" &
done
wait
`;

async function ansibles(folder: string): Promise<Contender[]> {
  const plain = join(folder, "plain.cfg");
  const fast = join(folder, "fast.cfg");
  await writeFile(plain, "[defaults]\nhost_key_checking = False\nretry_files_enabled = False\n");
  await writeFile(
    fast,
    "[defaults]\nforks = 20\nhost_key_checking = False\n[ssh_connection]\npipelining = True\n",
  );
  const contenders = [ansible("Ansible", plain, 1), ansible("Ansible, pipelining, 20 forks", fast, 2)];
  const strategy = "/usr/share/ansible-mitogen/plugins/strategy";
  const found = ["/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy", strategy].find(
    existsSync,
  );
  if (found === undefined) return contenders;
  const mitogen = join(folder, "mitogen.cfg");
  await writeFile(
    mitogen,
    `[defaults]\nforks = 20\nhost_key_checking = False\nstrategy = mitogen_linear\nstrategy_plugins = ${found}\n[ssh_connection]\npipelining = True\n`,
  );
  return [...contenders, ansible("Mitogen", mitogen, 2)];
}

const ansible = (name: string, config: string, runs: number): Contender => ({
  name,
  runs,
  command: (inventory) => ({
    argv: ["ansible-playbook", "-i", inventory, join(here, "playbooks/site.yml")],
    env: { ANSIBLE_CONFIG: config, ANSIBLE_SSH_CONTROL_PATH_DIR: join(tmpdir(), `cp-${process.pid}`) },
  }),
});

async function measure(contenders: readonly Contender[], near: string, far: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const contender of contenders) {
    try {
      await timeOf(contender, near);
      const atOnceS = await medianOf(contender, near, contender.runs);
      const delayedS = await medianOf(contender, far, Math.min(contender.runs, 2));
      rows.push({ name: contender.name, atOnceS, delayedS });
      say(`${contender.name}: ${atOnceS.toFixed(2)} s, at ${roundTripMs} ms ${delayedS.toFixed(2)} s`);
    } catch (error) {
      say(`${contender.name} is left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return rows;
}

async function medianOf(contender: Contender, inventory: string, runs: number): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) times.push(await timeOf(contender, inventory));
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

function timeOf(contender: Contender, inventory: string): Promise<number> {
  const { argv, env } = contender.command(inventory);
  const [program = "", ...args] = argv;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const started = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: commandTimeoutMs,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-4_000);
    });
  }
  child.on("error", reject);
  child.on("close", (code) => {
    if (code === 0) resolve((performance.now() - started) / 1000);
    else reject(new Error(`${program} ended with ${code}:\n${output}`));
  });
  return promise;
}

async function report(rows: readonly Row[]): Promise<void> {
  const mine = rows.find(({ name }) => name === "provision");
  if (mine === undefined) throw new Error("our own run failed: there is nothing to compare");
  const trips = ({ atOnceS, delayedS }: Row): number => ((delayedS - atOnceS) * 1000) / roundTripMs;
  const table = rows.map(
    (row) =>
      `| ${row.name} | ${row.atOnceS.toFixed(2)} | ${(row.atOnceS / mine.atOnceS).toFixed(1)} | ${row.delayedS.toFixed(2)} | ${trips(row).toFixed(1)} |`,
  );
  const version = JSON.parse(await readFile(join(root, "package.json"), "utf8")).version as string;
  const text = [
    "# Benchmarks",
    "",
    `Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}, version ${version}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB. Five hosts in Docker on the same machine, a site of 30 tasks, nothing to change; medians of whole processes. The delayed runs go through a TCP hop that holds every byte back; round trips are (delayed − near) / ${roundTripMs} ms, connection and handshake included.`,
    "",
    `| | s | × provision | s at ${roundTripMs} ms | round trips |`,
    "|---|---|---|---|---|",
    ...table,
    "",
  ].join("\n");
  await writeFile(join(root, "docs/benchmarks.md"), text);
  await writeFile(
    join(root, "docs/benchmarks.json"),
    `${JSON.stringify({ date: new Date().toISOString(), cores: cpus().length, rows: rows.map((row) => ({ ...row, roundTrips: trips(row) })) }, null, 2)}\n`,
  );
  process.stdout.write(`${text}\n`);
}

await main();

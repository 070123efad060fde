/** What is measured beside the contest: a thousand files by one loop, many hosts, and the start. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { containerName } from "../../src/cluster/rehearsal/hosts.ts";
import { runProgram } from "../../src/cluster/runtime/run-program.ts";
import { type Inventories, names } from "./bench-hosts.ts";
import { type Command, playbook, provision } from "./contenders.ts";
import { medianOf, timed } from "./measure.ts";

const root = join(import.meta.dirname, "../..");

export interface FilesResult {
  readonly provisionS: number;
  readonly tarS: number;
}

const manyFiles = 1000;
const filesRuns = 3;

/** One host, and the files are not there yet. */
export async function measureFiles(id: string, inventory: string): Promise<FilesResult> {
  const [first = ""] = names;
  const forget = (): Promise<string> =>
    runProgram("docker", ["exec", containerName(id, first), "rm", "-rf", "/srv/many"]);
  const script = `
set -e; dir=$(mktemp -d); mkdir "$dir/many"; i=0
while [ $i -lt ${manyFiles} ]; do echo "file $i" > "$dir/many/$i"; i=$((i+1)); done
value() { sed -n "s/^$1=//p" "$INVENTORY"; }
set -- $(grep "^${first} " "$INVENTORY")
tar -C "$dir" -c many | ssh -q -o BatchMode=yes -i "$(value ansible_ssh_private_key_file)" $(value ansible_ssh_common_args) \\
  -p "\${3#ansible_port=}" "ubuntu@\${2#ansible_host=}" sudo tar -C /srv -x
rm -r "$dir"`;
  const tar: Command = { argv: ["sh", "-c", script], env: { INVENTORY: inventory } };
  const mine = provision(inventory, "-l", first, playbook("many-files.yml"));
  const times = { provision: [] as number[], tar: [] as number[] };
  for (let run = 0; run < filesRuns; run++) {
    await forget();
    times.tar.push((await timed(tar)).seconds);
    await forget();
    times.provision.push((await timed(mine)).seconds);
  }
  return { provisionS: medianOf(times.provision) ?? 0, tarS: medianOf(times.tar) ?? 0 };
}

export interface ScaleResult {
  readonly hosts: number;
  readonly seconds: number;
  /** Of the controller's own process. */
  readonly cpuS: number;
  readonly peakMiB: number;
}

/** The process says itself what it used. */
const reportUse = `data:text/javascript,${encodeURIComponent(
  'import{writeFileSync}from"node:fs";process.on("exit",()=>{const u=process.resourceUsage();writeFileSync(process.env.BENCH_USE,JSON.stringify({cpuS:(u.userCPUTime+u.systemCPUTime)/1e6,peakMiB:u.maxRSS/1024}))})',
)}`;

export async function measureScale(
  inventories: Inventories,
  folder: string,
  counts: readonly number[],
): Promise<readonly ScaleResult[]> {
  const results: ScaleResult[] = [];
  for (const hosts of counts) {
    const use = join(folder, `use-${hosts}.json`);
    const { seconds } = await timed({
      ...provision(await inventories.many(hosts), playbook("scale.yml")),
      env: { BENCH_USE: use, NODE_OPTIONS: `--import=${reportUse}` },
    });
    const used = JSON.parse(await readFile(use, "utf8")) as { cpuS: number; peakMiB: number };
    results.push({ hosts, seconds, ...used });
  }
  return results;
}

export interface StartResult {
  readonly what: string;
  readonly ms: number;
}

const startRuns = 7;

export async function measureStart(): Promise<readonly StartResult[]> {
  const commands: readonly (readonly [string, Command])[] = [
    ["an empty Node", { argv: [process.execPath, "-e", "0"] }],
    ["provision --help", provision("--help")],
    [
      "provision inventory/cluster.ini --syntax-check",
      provision(join(root, "inventory/cluster.ini"), join(root, "site.yml"), "--syntax-check"),
    ],
  ];
  const times = commands.map((): number[] => []);
  for (let run = 0; run <= startRuns; run++) {
    for (const [at, [, command]] of commands.entries()) {
      const { seconds } = await timed(command);
      if (run > 0) times[at]?.push(seconds * 1000);
    }
  }
  return commands.map(([what], at) => ({ what, ms: medianOf(times[at] ?? []) ?? 0 }));
}

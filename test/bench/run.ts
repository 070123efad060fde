/**
 * `npm run bench`: our engine, Ansible (plain; pipelining with 20 forks; Mitogen where the distribution has it) and a
 * hand-written ssh script, on the same playbook and the same hosts, in one run. What counts are the ratios: the machine
 * is whatever it is. Round trips are counted from runs at 0 and at 200 ms.
 *
 * Writes docs/benchmarks.md and docs/benchmarks.json.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RehearsalHosts, startHosts } from "../../src/cluster/rehearsal/hosts.ts";
import { prepareRehearsal } from "../../src/cluster/rehearsal/rehearse.ts";
import { type Inventories, installPython, makeInventories, names } from "./bench-hosts.ts";
import { measureChange, measureLoops } from "./changes.ts";
import { ansibles, byHand, nodeStart, ours } from "./contenders.ts";
import { measureFiles, measureScale, measureStart } from "./further-runs.ts";
import { measure, timed } from "./measure.ts";
import { report } from "./report.ts";

const scaleCounts = [100, 250, 500];

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<void> {
  const id = `bench-${process.pid}`;
  const image = await prepareRehearsal(say);
  const folder = await mkdtemp(join(tmpdir(), "provision-bench-"));
  let hosts: RehearsalHosts | undefined;
  let inventories: Inventories | undefined;
  try {
    hosts = await startHosts({ id, image, names, keep: false, onHost: (name) => say(`${name} is up`) });
    say("installing python3 on the hosts, for Ansible");
    await installPython(id);
    inventories = await makeInventories(hosts, folder);
    say("applying the playbook once");
    await timed(ours.command(inventories.near));
    const contenders = [nodeStart, await byHand(folder), ours, ...(await ansibles(folder, say))];
    const rows = await measure(contenders, inventories, say);
    say("a thousand files");
    const files = await measureFiles(id, inventories.near);
    say("loops of a thousand items");
    const loops = await measureLoops(id, inventories.near);
    say("everything to change");
    const change = await measureChange(id, inventories);
    say(`${scaleCounts.join(", ")} hosts`);
    const scale = await measureScale(inventories, folder, scaleCounts);
    const start = await measureStart();
    const { delayedBy } = inventories;
    process.stdout.write(`${await report({ rows, delayedBy, files, loops, change, scale, start })}\n`);
  } finally {
    inventories?.close();
    await hosts?.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

await main();

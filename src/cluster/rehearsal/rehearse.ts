/**
 * `provision rehearse`: the hosts of an inventory as Docker containers, provisioned over SSH for real, provisioned once
 * more (nothing may change), an app deployed and fetched through HAProxy, ZooKeeper restarted host by host, a slave
 * added. What is shown is what happened: every step fails the rehearsal when it does not hold.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { packageRoot } from "../../base/package-root.ts";
import type { PlaybookResult, RunPlaybook } from "../operations/run-playbook.ts";
import { runProgram } from "../runtime/run-program.ts";
import { ensureDockerEngine } from "./docker-engine.ts";
import { fetchText, fetchUntil } from "./fetch-text.ts";
import { type RehearsalHosts, startHosts, stateFolder } from "./hosts.ts";
import { ensureHelloImage, ensureHostImage, helloImage } from "./images.ts";
import { rehearsalError } from "./rehearsal-error.ts";
import type { Say } from "./say.ts";

export interface RehearsalRequest {
  readonly id: string;
  /** The inventory whose hosts are rehearsed, and what is in it. */
  readonly inventory: string;
  readonly masters: readonly string[];
  readonly slaves: readonly string[];
  readonly playbook: string;
  readonly keep: boolean;
  readonly say: Say;
  readonly runPlaybook: RunPlaybook;
  /** `provision restart SERVICE` with these inventories. */
  readonly restart: (service: string, inventories: readonly string[]) => Promise<number>;
}

export const www = {
  id: "www",
  cpus: ".25",
  mem: 64,
  instances: 4,
  ports: [0],
  uris: [],
  container: { image: "docker:///provision/hello" },
};

const appTimeoutMs = 60_000;
const requestCount = 40;

/** Engine and images, so that a later rehearsal (or test) starts at once. */
export async function prepareRehearsal(say: Say): Promise<string> {
  await ensureDockerEngine(say);
  const image = await ensureHostImage(say);
  await ensureHelloImage(image, say);
  return image;
}

export async function rehearse(request: RehearsalRequest): Promise<void> {
  const { say } = request;
  const image = await prepareRehearsal(say);
  const hosts = await startRehearsalHosts(request, image);
  let failed = true;
  try {
    await provisionTwice(request, hosts);
    await deploy(request, hosts);
    await restartZooKeeper(request, hosts);
    await addSlave(request, hosts);
    showAddresses(request, hosts);
    failed = false;
  } finally {
    if (request.keep) showHowToReach(request, hosts);
    else {
      say(
        failed
          ? "taking the hosts down (--keep leaves them, to look at what went wrong)"
          : "taking the hosts down",
      );
      await hosts.remove();
    }
  }
}

async function startRehearsalHosts(request: RehearsalRequest, image: string): Promise<RehearsalHosts> {
  const names = [...new Set([...request.masters, ...request.slaves])];
  request.say(`starting ${names.length} hosts as containers: ${names.join(", ")}`);
  return await startHosts({
    id: request.id,
    image,
    names,
    keep: request.keep,
    onHost: (name, address, elapsedMs) =>
      request.say(`${name} is up at ${address} (${(elapsedMs / 1000).toFixed(1)} s)`),
  });
}

/** The user's inventory first, then where the containers are. */
const inventories = (request: RehearsalRequest, hosts: RehearsalHosts): string[] => [
  request.inventory,
  hosts.inventoryFile,
];

async function provisionTwice(request: RehearsalRequest, hosts: RehearsalHosts): Promise<void> {
  const run = { inventories: inventories(request, hosts), playbooks: [request.playbook] };
  request.say("provisioning: bare hosts become a cluster");
  succeeded("provision the hosts", await request.runPlaybook(run));
  request.say("provisioning once more: nothing may change");
  const second = await request.runPlaybook(run);
  succeeded("provision the hosts a second time", second);
  refuseChanges("provision the hosts a second time", second.changes);
}

function succeeded(action: string, result: PlaybookResult): void {
  if (result.exitCode === 0) return;
  throw rehearsalError(action, `it ended with exit code ${result.exitCode} (what failed is shown above)`);
}

function refuseChanges(action: string, changes: PlaybookResult["changes"]): void {
  if (changes.length === 0) return;
  const list = changes.map(({ host, task }) => `${host}: ${task}`).join("; ");
  throw rehearsalError(action, `${changes.length} tasks changed something again: ${list}`);
}

export const addressOf = (hosts: RehearsalHosts, name: string | undefined): string => {
  const address = name === undefined ? undefined : hosts.addresses.get(name);
  if (address === undefined) throw new Error(`no rehearsal host ${name}`);
  return address;
};

/** Gets `provision/hello` onto every slave. */
async function loadHelloImage(request: RehearsalRequest, hosts: RehearsalHosts): Promise<void> {
  const archive = join(stateFolder(request.id), "hello-image.tar");
  await runProgram("docker", ["save", "--output", archive, `${helloImage}:latest`]);
  const loaded = await request.runPlaybook({
    inventories: inventories(request, hosts),
    playbooks: [join(packageRoot, "src", "cluster", "rehearsal", "playbooks", "load-hello.yml")],
    extraVars: { hello_archive: archive },
  });
  succeeded("load the app's image", loaded);
}

async function deploy(request: RehearsalRequest, hosts: RehearsalHosts): Promise<void> {
  await loadHelloImage(request, hosts);
  const master = addressOf(hosts, request.masters[0]);
  request.say(`posting the app "www" to Marathon at ${master}:8080`);
  const started = performance.now();
  await fetchUntil(
    { url: `http://${master}:8080/v2/info`, withinMs: appTimeoutMs, what: "Marathon finds its leader" },
    ({ status }) => status === 200,
  );
  const posted = await fetchText({ url: `http://${master}:8080/v2/apps`, json: www, timeoutMs: 15_000 });
  if (posted.status !== 201)
    throw rehearsalError("deploy www", `Marathon answered ${posted.status}: ${posted.body}`);
  const first = await fetchUntil(
    {
      url: `http://${master}/`,
      host: "www.example.com",
      withinMs: appTimeoutMs,
      what: "www answers through HAProxy",
    },
    ({ status }) => status === 200,
  );
  request.say(`www answered through HAProxy after ${seconds(started)}: ${first.body.trim()}`);
  await seeSeveralInstances(request, master);
}

async function seeSeveralInstances({ say }: RehearsalRequest, master: string): Promise<void> {
  const deadline = performance.now() + appTimeoutMs;
  for (;;) {
    const seen = new Set<string>();
    for (let n = 0; n < requestCount; n += 1) {
      const answer = await fetchText({ url: `http://${master}/`, host: "www.example.com" });
      if (answer.status === 200) seen.add(answer.body.trim());
    }
    if (seen.size >= 2) return say(`${requestCount} requests were answered by ${seen.size} instances`);
    if (performance.now() > deadline)
      throw rehearsalError("reach several instances", `saw ${[...seen].join(", ")}`);
    await sleep(500);
  }
}

async function restartZooKeeper(request: RehearsalRequest, hosts: RehearsalHosts): Promise<void> {
  request.say("restarting ZooKeeper: one host after another, the quorum stands throughout");
  const code = await request.restart("zookeeper", inventories(request, hosts));
  if (code !== 0) throw rehearsalError("restart ZooKeeper", `it ended with exit code ${code}`);
}

async function addSlave(request: RehearsalRequest, hosts: RehearsalHosts): Promise<void> {
  const name = nextName(request.slaves, [...hosts.addresses.keys()]);
  request.say(`adding capacity: one more line under [mesos_slaves], "${name}"`);
  await hosts.add([name]);
  const { writeFile } = await import("node:fs/promises");
  const added = join(stateFolder(request.id), "added.ini");
  await writeFile(added, `[mesos_slaves]\n${name}\n`);
  const before = await resourcesOf(request, hosts);
  const result = await request.runPlaybook({
    inventories: [request.inventory, added, hosts.inventoryFile],
    playbooks: [request.playbook],
  });
  succeeded("provision the added host", result);
  refuseChanges(
    "leave the other hosts alone",
    result.changes.filter(({ host }) => host !== name),
  );
  const leader = await leadingMaster(request, hosts);
  await fetchUntil(
    { url: `http://${leader}:5050/slaves`, withinMs: appTimeoutMs, what: `Mesos has ${name}` },
    ({ body }) => body.includes(`"${name}"`),
  );
  const after = await resourcesOf(request, hosts);
  request.say(`Mesos has ${name}: ${before} before, ${after} now; no other host changed`);
}

function nextName(slaves: readonly string[], taken: readonly string[]): string {
  const last = slaves.at(-1) ?? "slave0";
  const number = Number(/(\d+)$/.exec(last)?.[1] ?? "0");
  const stem = /\.|^\D*$/.test(last) ? "slave" : last.replace(/\d+$/, "");
  for (let n = number + 1; ; n += 1) if (!taken.includes(`${stem}${n}`)) return `${stem}${n}`;
}

interface SlaveSummary {
  readonly slaves?: readonly { readonly resources?: { readonly cpus?: number; readonly mem?: number } }[];
}

async function resourcesOf(request: RehearsalRequest, hosts: RehearsalHosts): Promise<string> {
  const leader = await leadingMaster(request, hosts);
  const { body } = await fetchText({ url: `http://${leader}:5050/slaves` });
  const { slaves = [] }: SlaveSummary = JSON.parse(body);
  const sum = (key: "cpus" | "mem"): number =>
    slaves.reduce((all, { resources }) => all + (resources?.[key] ?? 0), 0);
  return `${sum("cpus")} cpus and ${sum("mem")} MB on ${slaves.length} slaves`;
}

/** The address of the master that answers /state-summary itself instead of redirecting. */
export async function leadingMaster(
  request: Pick<RehearsalRequest, "masters">,
  hosts: RehearsalHosts,
): Promise<string> {
  const deadline = performance.now() + appTimeoutMs;
  while (performance.now() < deadline) {
    for (const name of request.masters) {
      const address = addressOf(hosts, name);
      const answer = await fetchText({ url: `http://${address}:5050/metrics/snapshot` }).catch(
        () => undefined,
      );
      if (answer?.status === 200 && /"master\/elected":\s*1/.test(answer.body)) return address;
    }
    await sleep(200);
  }
  throw rehearsalError("find the leading master", "no master says that it leads");
}

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;

function showAddresses({ say, masters }: RehearsalRequest, hosts: RehearsalHosts): void {
  const master = addressOf(hosts, masters[0]);
  say(`Mesos     http://${master}:5050/`);
  say(`Marathon  http://${master}:8080/`);
  say(`www       curl -H 'Host: www.example.com' http://${master}/`);
}

function showHowToReach({ say, id, inventory }: RehearsalRequest, hosts: RehearsalHosts): void {
  const [name, address] = [...hosts.addresses][0] ?? ["", ""];
  const folder = stateFolder(id);
  say("the hosts stay:");
  say(
    `  ssh -i ${hosts.privateKeyFile} -o UserKnownHostsFile=${folder}/known_hosts ubuntu@${address}   (${name})`,
  );
  say(`  provision run -i ${inventory} -i ${hosts.inventoryFile}`);
  say(`  provision rehearse --remove${id === "rehearsal" ? "" : ` --name ${id}`}`);
}

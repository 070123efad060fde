/**
 * The hosts of a rehearsal: one container for each host of an inventory, and a second inventory that says where they
 * are. All that a rehearsal makes carries its label, so that it can be found and removed later, by any process.
 */
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { runProgram } from "../runtime/run-program.ts";
import { registryImage } from "./images.ts";
import { createNetwork } from "./rehearsal-network.ts";

const label = "provision.rehearsal";

export interface RehearsalHosts {
  readonly id: string;
  /** By inventory name. */
  readonly addresses: ReadonlyMap<string, string>;
  /** An inventory to be read after the user's own: addresses, user and key of each host. */
  readonly inventoryFile: string;
  readonly privateKeyFile: string;
  /** Further hosts, as `add a line to the inventory` needs them. */
  add(names: readonly string[]): Promise<void>;
  stop(name: string): Promise<void>;
  /** As if its power failed: no process ends in order, no connection is closed. */
  kill(name: string): Promise<void>;
  start(name: string): Promise<void>;
  remove(): Promise<void>;
}

export interface StartRequest {
  readonly id: string;
  readonly image: string;
  readonly names: readonly string[];
  /** Leave them running when this process ends. */
  readonly keep: boolean;
  readonly onHost: (name: string, address: string, elapsedMs: number) => void;
}

export const stateFolder = (id: string): string =>
  join(process.env.XDG_STATE_HOME ?? join(homedir(), ".local", "state"), "provision", "rehearsal", id);

export const containerName = (id: string, name: string): string =>
  `provision-${id}-${name.replaceAll(/[^a-zA-Z0-9_.-]/g, "-")}`;

export async function startHosts(request: StartRequest): Promise<RehearsalHosts> {
  await removeRehearsal(request.id);
  const folder = stateFolder(request.id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const privateKeyFile = join(folder, "id_ed25519");
  await runProgram("ssh-keygen", [
    "-q",
    "-t",
    "ed25519",
    "-N",
    "",
    "-C",
    `rehearsal ${request.id}`,
    "-f",
    privateKeyFile,
  ]);
  const authorizedKey = (await readFile(`${privateKeyFile}.pub`, "utf8")).trim();
  const network = await createNetwork(`provision-${request.id}`, { [label]: request.id });
  const addresses = new Map<string, string>();
  await useOrDisableReaper(request.keep);
  const { HostContainer } = await import("./host-container.ts");

  const add = async (names: readonly string[]): Promise<void> => {
    for (const name of names) addresses.set(name, network.address(addresses.size));
    const started = performance.now();
    await Promise.all(
      names.map(async (name) => {
        const address = addresses.get(name) ?? "";
        await new HostContainer({
          image: request.image,
          name,
          network: network.name,
          address,
          containerName: containerName(request.id, name),
          labels: { [label]: request.id },
          authorizedKey,
        }).start();
        request.onHost(name, address, performance.now() - started);
      }),
    );
    await writeInventory({ folder, id: request.id, addresses, privateKeyFile });
  };
  try {
    await add(request.names);
  } catch (error) {
    if (!request.keep) await removeRehearsal(request.id);
    throw error;
  }
  return {
    id: request.id,
    addresses,
    inventoryFile: join(folder, "hosts.yml"),
    privateKeyFile,
    add,
    stop: async (name) => {
      await runProgram("docker", ["stop", "--time", "3", containerName(request.id, name)]);
    },
    kill: async (name) => {
      await runProgram("docker", ["kill", containerName(request.id, name)]);
    },
    start: async (name) => {
      await runProgram("docker", ["start", containerName(request.id, name)]);
    },
    remove: () => removeRehearsal(request.id),
  };
}

/**
 * The reaper removes containers when this process dies; it is an image of the registry, so it is kept where one answers
 * (the base image came from there), and it must not reap what is kept.
 */
async function useOrDisableReaper(keep: boolean): Promise<void> {
  const hasRegistry = (await runProgram("docker", ["image", "ls", "--quiet", registryImage])).trim() !== "";
  if (keep || !hasRegistry) process.env.TESTCONTAINERS_RYUK_DISABLED = "true";
}

interface InventoryParts {
  readonly folder: string;
  readonly id: string;
  readonly addresses: ReadonlyMap<string, string>;
  readonly privateKeyFile: string;
}

async function writeInventory({ folder, id, addresses, privateKeyFile }: InventoryParts): Promise<void> {
  const knownHostsFile = join(folder, "known_hosts");
  const hosts: Record<string, Record<string, string>> = {};
  const known: string[] = [];
  for (const [name, address] of addresses) {
    known.push(...(await hostKeys(containerName(id, name))).map((key) => `${address} ${key}`));
    hosts[name] = {
      ansible_host: address,
      ansible_connection: "ssh",
      ansible_user: "ubuntu",
      ansible_ssh_private_key_file: privateKeyFile,
      ansible_ssh_common_args: `-o UserKnownHostsFile=${knownHostsFile}`,
    };
  }
  await writeFile(knownHostsFile, `${known.join("\n")}\n`, { mode: 0o600 });
  await writeFile(join(folder, "hosts.yml"), stringify({ all: { hosts } }), { mode: 0o600 });
}

async function hostKeys(container: string): Promise<string[]> {
  const printed = await runProgram("docker", [
    "exec",
    container,
    "sh",
    "-c",
    "cat /etc/ssh/ssh_host_*_key.pub",
  ]);
  return printed
    .split("\n")
    .map((line) => line.split(" ").slice(0, 2).join(" "))
    .filter((line) => line !== "");
}

/** Takes down all that a rehearsal left: containers with their volumes, network, keys. */
export async function removeRehearsal(id: string): Promise<void> {
  const filter = `label=${label}=${id}`;
  const containers = await runProgram("docker", ["ps", "--all", "--quiet", "--filter", filter]);
  const ids = containers.split("\n").filter((line) => line !== "");
  if (ids.length > 0) await runProgram("docker", ["rm", "--force", "--volumes", ...ids]);
  const networks = await runProgram("docker", ["network", "ls", "--quiet", "--filter", filter]);
  for (const network of networks.split("\n").filter((line) => line !== "")) {
    await runProgram("docker", ["network", "rm", network]);
  }
  await rm(stateFolder(id), { recursive: true, force: true });
}

/** `provision rehearse [INVENTORY]`: reads which hosts to start, and hands over to cluster/rehearsal. */
import { resolve } from "node:path";
import type { RehearsalRequest } from "../cluster/rehearsal/rehearse.ts";
import type { Say } from "../cluster/rehearsal/say.ts";
import { loadInventory } from "../provisioning/inventory/load-inventory.ts";
import { matchPattern } from "../provisioning/inventory/match-pattern.ts";
import { clusterRestart } from "./cluster.ts";
import { type CliIo, exitCodes } from "./io.ts";
import {
  badUsage,
  describeOptions,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "./parse-options.ts";
import { playbookRunner } from "./playbook-runner.ts";
import { throughSudo } from "./through-sudo.ts";

const specs: readonly OptionSpec[] = [
  { long: "keep", help: "leave the hosts running, and print how to reach and how to remove them" },
  { long: "remove", help: "take down hosts that --keep left" },
  { long: "prepare", help: "only make Docker and the images ready" },
  { long: "name", takes: "NAME", help: "of the containers and their network (rehearsal)" },
  { long: "playbook", takes: "FILE", help: "what to provision with (site.yml)" },
  { long: "verbose", short: "v", repeat: true, help: "more of each run" },
  { long: "plain", help: "plain lines, on a terminal too" },
  { long: "help", short: "h", help: "show this" },
];

export async function rehearseCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const options = parseOptions(specs, argv);
  if (options.has("help")) {
    io.stdout(`provision rehearse [INVENTORY] [--keep]\n\n${describeOptions(specs, io.columns)}\n`);
    return exitCodes.fine;
  }
  if (await needsRoot()) return await throughSudo(["rehearse", ...argv], io);
  const say = timedSay(io);
  const id = options.value("name") ?? "rehearsal";
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(id))
    throw badUsage(`--name is "${id}"`, "it is made of a-z, 0-9 and -");
  if (options.has("prepare")) {
    const { prepareRehearsal } = await import("../cluster/rehearsal/rehearse.ts");
    await prepareRehearsal(say);
    return exitCodes.fine;
  }
  if (options.has("remove")) {
    const { removeRehearsal } = await import("../cluster/rehearsal/hosts.ts");
    await removeRehearsal(id);
    return exitCodes.fine;
  }
  const { rehearse } = await import("../cluster/rehearsal/rehearse.ts");
  await rehearse(await requestOf(options, io, { id, say }));
  say("the rehearsal held");
  return exitCodes.fine;
}

/** Installing, starting and using the Docker Engine takes root, or a user whom the engine knows. */
async function needsRoot(): Promise<boolean> {
  if (process.getuid?.() === 0) return false;
  const { engineAccess } = await import("../cluster/rehearsal/docker-engine.ts");
  return (await engineAccess()) !== "usable";
}

async function requestOf(
  options: ParsedOptions,
  io: CliIo,
  { id, say }: { readonly id: string; readonly say: Say },
): Promise<RehearsalRequest> {
  const [given, ...more] = options.rest;
  if (more.length > 0)
    throw badUsage(`"${more[0]}" stands after the inventory`, "a rehearsal takes one inventory");
  const inventory = resolve(io.cwd, given ?? `${io.packageRoot}/inventory/rehearsal.ini`);
  const loaded = await loadInventory([inventory], { cwd: io.cwd });
  const membersOf = (group: string): readonly string[] =>
    loaded.groups.has(group) ? matchPattern(group, loaded) : [];
  const passed = [...options.all("verbose").map(() => "-v"), ...(options.has("plain") ? ["--plain"] : [])];
  return {
    id,
    inventory,
    masters: membersOf("mesos_masters"),
    slaves: membersOf("mesos_slaves"),
    playbook: resolve(io.cwd, options.value("playbook") ?? `${io.packageRoot}/site.yml`),
    keep: options.has("keep"),
    say,
    runPlaybook: playbookRunner(passed, io),
    restart: (service, inventories) => clusterRestart({ service, inventories, argv: passed, io }),
  };
}

/** "[ 12.3 s] text" */
function timedSay(io: CliIo): Say {
  const started = performance.now();
  return (text) => {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    io.stdout(`[${seconds.padStart(6)} s] ${text}\n`);
  };
}

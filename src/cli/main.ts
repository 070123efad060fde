/** The dispatch table: the first word is the verb, and only that verb's file is loaded. */
import { ProvisionError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { CliIo, Command } from "./io.ts";
import { exitCodes } from "./io.ts";
import { processIo } from "./process-io.ts";

interface Verb {
  readonly usage: string;
  readonly summary: string;
  load(): Promise<Command>;
}

const service = (verb: string) => async (): Promise<Command> => {
  const { clusterCommand } = await import("./cluster.ts");
  return (argv, io) => clusterCommand([verb, ...argv], io);
};

const verbs: Readonly<Record<string, Verb>> = {
  run: {
    usage: "[run] INVENTORY [PLAYBOOK…]",
    summary: "run site.yml, or the playbooks, against the hosts of an inventory",
    load: async () => (await import("./run.ts")).runCommand,
  },
  plan: {
    usage: "plan INVENTORY [PLAYBOOK…]",
    summary: "the same, changing nothing: --check --diff",
    load: async () => (await import("./plan.ts")).planCommand,
  },
  inventory: {
    usage: "inventory INVENTORY --list | --graph | --host NAME",
    summary: "print hosts, groups and their variables",
    load: async () => (await import("./inventory.ts")).inventoryCommand,
  },
  exec: {
    usage: "exec PATTERN [-i INVENTORY] [-b] -- COMMAND…",
    summary: "run one command everywhere",
    load: async () => (await import("./exec.ts")).execCommand,
  },
  task: {
    usage: "task PATTERN [-i INVENTORY] -m MODULE -a ARGS",
    summary: "run one module everywhere",
    load: async () => (await import("./task.ts")).taskCommand,
  },
  forget: {
    usage: "forget INVENTORY [HANDLER…]",
    summary: "forget handlers that hosts still owe",
    load: async () => (await import("./forget.ts")).forgetCommand,
  },
  docs: {
    usage: "docs [MODULE]",
    summary: "arguments and examples of the modules",
    load: async () => (await import("./docs.ts")).docsCommand,
  },
  rehearse: {
    usage: "rehearse [INVENTORY] [--keep]",
    summary: "the same hosts as Docker containers, provisioned for real",
    load: async () => (await import("./rehearse.ts")).rehearseCommand,
  },
  restart: {
    usage: "restart SERVICE [-i INVENTORY] [-l LIMIT]",
    summary: "restart a service host by host, waiting for its health",
    load: service("restart"),
  },
  start: { usage: "start SERVICE", summary: "start a service on its hosts", load: service("start") },
  stop: { usage: "stop SERVICE", summary: "stop a service on its hosts", load: service("stop") },
  status: { usage: "status [SERVICE]", summary: "how the services fare", load: service("status") },
  logs: {
    usage: "logs SERVICE",
    summary: "the last lines of a service, from every host",
    load: service("logs"),
  },
  doctor: {
    usage: "doctor [-i INVENTORY]",
    summary: "what is wrong with this cluster, and what to do",
    load: service("doctor"),
  },
  runtime: {
    usage: "runtime CPU",
    summary: "make the daemons' archive for hosts of another CPU than this machine's",
    load: async () => (await import("./runtime.ts")).runtimeCommand,
  },
  vault: {
    usage: "vault encrypt | view | edit | … FILE",
    summary: "encrypted files and values, in ansible-vault's format",
    load: async () => (await import("./vault.ts")).vaultCommand,
  },
  standalone: {
    usage: "standalone",
    summary: "master, agent and Marathon on this machine, in one process",
    load: async () => (await import("./standalone.ts")).standaloneCommand,
  },
};

export async function runCommandLine(argv: readonly string[], io: CliIo = processIo()): Promise<number> {
  try {
    return await dispatch(argv, io);
  } catch (error) {
    if (io.signal.aborted) return exitCodes.interrupted;
    const { formatAnyError } = await import("../provisioning/reporting/format-error.ts");
    io.stderr(`${formatAnyError(error, { colour: io.colour, cwd: io.cwd })}\n`);
    return exitCodes.nothingRun;
  }
}

async function dispatch(argv: readonly string[], io: CliIo): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    io.stderr(overview(io.columns));
    return exitCodes.nothingRun;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    io.stdout(overview(io.columns));
    return exitCodes.fine;
  }
  if (first === "--version") {
    io.stdout(`provision ${await version(io)}\n`);
    return exitCodes.fine;
  }
  const verb = Object.hasOwn(verbs, first) ? verbs[first] : undefined;
  if (verb !== undefined) return (await verb.load())(rest, io);
  await refuseMisspeltVerb(first, argv, io);
  const run = verbs["run"];
  if (run === undefined) throw new Error("the verb run is gone");
  return (await run.load())(argv, io);
}

/** A first word that is neither a verb nor anything on disk nor an inventory list is most likely a misspelt verb. */
async function refuseMisspeltVerb(first: string, argv: readonly string[], io: CliIo): Promise<void> {
  if (first.startsWith("-") || /[/.,]/.test(first)) return;
  const { existsSync } = await import("node:fs");
  const { resolve } = await import("node:path");
  if (existsSync(resolve(io.cwd, first))) return;
  const near = argv.some((word) => /^-[ma]/.test(word))
    ? `task ${first}`
    : (otherVerbs[first.replace(/^ansible-/, "")] ?? nearest(first, Object.keys(verbs)));
  throw new ProvisionError({
    code: "bad-usage",
    action: "read the command line",
    state: `"${first}" is no command, and no inventory of that name is here`,
    why: "the first word is a command, or else the inventory to run site.yml against",
    fix:
      near === undefined
        ? `write "${first}," to mean a host of that name (provision --help lists the commands)`
        : `provision ${[near, ...argv.slice(1)].join(" ")}`,
  });
}

/** What other tools call it. */
const otherVerbs: Readonly<Record<string, string>> = {
  playbook: "run",
  apply: "run",
  deploy: "run",
  provision: "run",
  check: "plan",
  diff: "plan",
  "dry-run": "plan",
  ping: "task all -m ping",
  adhoc: "task",
  console: "exec",
  doc: "docs",
};

async function version(io: CliIo): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  const { join } = await import("node:path");
  const text: { readonly version?: unknown } = JSON.parse(
    await readFile(join(io.packageRoot, "package.json"), "utf8"),
  );
  return String(text.version);
}

const leftColumns = 48;

/** What a verb is for stands beside it, in a narrow window below. */
function overview(columns: number): string {
  const all = Object.values(verbs);
  const beside = all.map(({ usage, summary }) => `  provision ${usage.padEnd(leftColumns)} ${summary}`);
  const lines = beside.every((line) => line.length <= columns)
    ? beside
    : all.map(({ usage, summary }) => `  provision ${usage}\n      ${summary}`);
  return `${[
    "Turns bare hosts into what a playbook says, over SSH.",
    "",
    ...lines,
    "",
    "Without -i: $PROVISION_INVENTORY, else inventory.ini, else inventory/.",
    "Exit codes: 0 fine, 1 nothing was run, 2 a host failed,",
    "            4 a host could not be reached, 130 interrupted.",
    "provision VERB --help lists the options of a command.",
  ].join("\n")}\n`;
}

/** `provision restart | start | stop | status | logs SERVICE`, `provision doctor`: verbs that know the services. */
import { join } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { type Service, services } from "../cluster/services/services.ts";
import { type CliIo, exitCodes } from "./io.ts";
import {
  badUsage,
  describeOptions,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "./parse-options.ts";
import { playbookRunner } from "./playbook-runner.ts";
import {
  changeOptions,
  connectionOptions,
  inventoryOptions,
  outputOptions,
  variableOptions,
} from "./run-options.ts";

const specs: readonly OptionSpec[] = [
  ...inventoryOptions,
  ...variableOptions,
  ...changeOptions,
  ...connectionOptions,
  ...outputOptions,
  { long: "lines", short: "n", takes: "N", help: "how many lines of the log (50)" },
];

export async function clusterCommand([verb = "", ...argv]: readonly string[], io: CliIo): Promise<number> {
  const options = parseOptions(specs, argv);
  if (options.has("help")) {
    io.stdout(help(verb, io));
    return exitCodes.fine;
  }
  if (verb === "status" || verb === "doctor") {
    const { statusCommand } = await import("./status.ts");
    return statusCommand({
      verb,
      services: chosenServices(options, verb),
      argv: [...inventoryArgs(options), ...passedOn(options, argv)],
      io,
    });
  }
  const service = serviceNamed(options.rest[0], verb);
  if (verb === "logs") return await logs(service, options, argv, io);
  return await runVerb({
    verb,
    service,
    argv: passedOn(options, argv),
    inventories: options.all("inventory"),
    io,
  });
}

const inventoryArgs = (options: ParsedOptions): readonly string[] =>
  options.all("inventory").flatMap((inventory) => ["-i", inventory]);

const help = (verb: string, io: CliIo): string =>
  `${[
    `provision ${verb} ${verb === "status" || verb === "doctor" ? "[SERVICE…]" : "SERVICE"} [-i INVENTORY] [-l LIMIT]`,
    "",
    ...services.map(({ name, summary }) => `  ${name.padEnd(16)} ${summary}`),
    "",
    describeOptions(specs, io.columns),
  ].join("\n")}\n`;

/** The options as the user wrote them, without the inventories and what is no option. */
function passedOn(options: ParsedOptions, argv: readonly string[]): readonly string[] {
  const rest = new Set(options.rest);
  const kept: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? "";
    if (word === "-i" || word === "--inventory" || word === "-n" || word === "--lines") at += 1;
    else if (!/^(-i|--inventory=|-n\d|--lines=)/.test(word) && !rest.has(word)) kept.push(word);
  }
  return kept;
}

function serviceNamed(name: string | undefined, verb: string): Service {
  const found = services.find((service) => service.name === name);
  if (found !== undefined) return found;
  const names = services.map((service) => service.name);
  const near = name === undefined ? undefined : nearest(name, names);
  throw badUsage(
    name === undefined ? "no service is named" : `there is no service "${name}"`,
    `the services are ${names.join(", ")}`,
    name === undefined || near !== undefined ? `provision ${verb} ${near ?? names[0]}` : undefined,
  );
}

const chosenServices = (options: ParsedOptions, verb: string): readonly Service[] =>
  options.rest.length === 0 ? services : options.rest.map((name) => serviceNamed(name, verb));

interface VerbRun {
  readonly verb: string;
  readonly service: Service;
  readonly argv: readonly string[];
  readonly inventories: readonly string[];
  readonly io: CliIo;
}

async function runVerb(run: VerbRun): Promise<number> {
  try {
    return await runPlaybook(run);
  } catch (error) {
    throw error instanceof ProvisionError && error.code === "no-hosts" ? noGroup(run, error) : error;
  }
}

/** The place of the pattern is a file of ours: it is of no use to anybody. */
const noGroup = ({ verb, service }: VerbRun, { state, fix, cause }: ProvisionError): ProvisionError =>
  new ProvisionError({
    code: "no-hosts",
    action: `${verb} ${service.name}`,
    state,
    why: `${service.name} runs on the hosts of the group ${service.hosts}`,
    fix,
    cause,
  });

async function runPlaybook({ verb, service, argv, inventories, io }: VerbRun): Promise<number> {
  const { exitCode } = await playbookRunner(
    argv,
    io,
  )({
    inventories,
    playbooks: [join(io.packageRoot, "src", "cluster", "operations", "playbooks", `${verb}.yml`)],
    extraVars: {
      service_name: service.name,
      service_unit: service.unit,
      service_hosts: service.hosts,
      service_role: service.role,
      service_restart_tasks: service.restartTasks ?? "restart",
    },
  });
  return exitCode;
}

export interface RestartRequest {
  readonly service: string;
  readonly inventories: readonly string[];
  readonly argv: readonly string[];
  readonly io: CliIo;
}

/** What `provision restart SERVICE` does, for the rehearsal. */
export const clusterRestart = ({ service, ...rest }: RestartRequest): Promise<number> =>
  runVerb({ verb: "restart", service: serviceNamed(service, "restart"), ...rest });

async function logs(
  service: Service,
  options: ParsedOptions,
  argv: readonly string[],
  io: CliIo,
): Promise<number> {
  const { execCommand } = await import("./exec.ts");
  const lines = options.number("lines", 1) ?? 50;
  const passed = passedOn(options, argv);
  const command = ["journalctl", "--no-pager", "-u", service.unit, "-n", String(lines)];
  return await execCommand([service.hosts, ...inventoryArgs(options), ...passed, "-b", "--", ...command], io);
}

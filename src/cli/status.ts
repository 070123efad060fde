/** `provision status` and `provision doctor`: how each service fares on each host, what is wrong, and what to type. */
import { join } from "node:path";
import { isJsonObject } from "../base/json.ts";
import {
  type ClusterStatus,
  diagnose,
  readStatus,
  type StatusAnswer,
} from "../cluster/operations/read-status.ts";
import { services as allServices, type Service } from "../cluster/services/services.ts";
import type { EngineEvent } from "../provisioning/engine/events.ts";
import { runPlaybooks } from "../provisioning/engine/run-playbooks.ts";
import { type CliIo, exitCodes } from "./io.ts";
import { parseOptions } from "./parse-options.ts";
import { prepareRun } from "./prepare-run.ts";
import { allRunOptions } from "./run-options.ts";

export interface StatusRequest {
  readonly verb: string;
  readonly services: readonly Service[];
  /** The user's options. */
  readonly argv: readonly string[];
  readonly io: CliIo;
}

export async function statusCommand({ verb, services, argv, io }: StatusRequest): Promise<number> {
  const answers: StatusAnswer[] = [];
  const unreachable: string[] = [];
  const silent = new Map<string, string>();
  const vars = {
    status_hosts: "mesos_masters:mesos_slaves",
    status_units: services.map(({ unit }) => unit).join(" "),
    status_probes: services.flatMap(({ name, health }) =>
      health.by === "http" ? [{ name, port: health.port, path: health.path }] : [],
    ),
  };
  const options = parseOptions(allRunOptions, [...argv, "-e", JSON.stringify(vars)]);
  const playbook = join(io.packageRoot, "src", "cluster", "operations", "playbooks", "status.yml");
  const { request } = await prepareRun({ options, io, playbooks: (load) => [load(playbook)] });
  const summary = await runPlaybooks(request, collect({ answers, unreachable, silent }), io.signal);
  const status = readStatus(answers, services);
  io.stdout(table(status, [...new Set([...answers.map(({ host }) => host), ...unreachable])]));
  const findings = [
    ...unreachable.map((host) => ({
      what: `${host} cannot be reached`,
      fix: `provision exec ${host} -- true`,
    })),
    ...[...silent].map(([host, said]) => ({
      what: `${host} does not say how its services fare: ${said}`,
      fix: `provision exec ${host} -- systemctl --failed`,
    })),
    ...(services.length === allServices.length ? bareHosts(status, answers) : []).map((host) => ({
      what: `no service of the cluster is on ${host}`,
      fix: "provision INVENTORY",
    })),
    ...diagnose(status),
  ];
  if (verb === "doctor") for (const { what, fix } of findings) io.stdout(`${what}\n  fix: ${fix}\n`);
  if (verb === "doctor" && findings.length === 0) io.stdout("nothing is wrong\n");
  return summary.exitCode !== 0
    ? summary.exitCode
    : findings.length === 0
      ? exitCodes.fine
      : exitCodes.hostFailed;
}

interface Collected {
  readonly answers: StatusAnswer[];
  readonly unreachable: string[];
  /** Hosts that could not be asked, and what they said. */
  readonly silent: Map<string, string>;
}

function collect({ answers, unreachable, silent }: Collected): (event: EngineEvent) => void {
  const names = new Map<number, string>();
  return (event) => {
    if (event.type === "task-start") names.set(event.id, event.task);
    if (event.type !== "task-host" || event.status === "skipped") return;
    if (event.status === "unreachable") unreachable.push(event.host);
    if (event.status === "failed") silent.set(event.host, whyOf(event));
    answers.push({
      host: event.host,
      task: names.get(event.id) ?? "",
      item: event.item,
      result: event.result,
    });
  };
}

const whyOf = ({ failure }: Extract<EngineEvent, { type: "task-host" }>): string =>
  failure?.stderr?.trim().split("\n").at(-1) || (failure?.message ?? "it failed");

/** They were asked for their units, and have none of ours. */
const bareHosts = ({ services }: ClusterStatus, answers: readonly StatusAnswer[]): readonly string[] =>
  answers
    .filter(({ task, result }) => task === "units" && isJsonObject(result) && result["rc"] === 0)
    .map(({ host }) => host)
    .filter((host) => !services.some((service) => service.host === host));

/** Hosts down, services across; a service that a host does not have is a dash. */
function table({ services }: ClusterStatus, hosts: readonly string[]): string {
  const names = allServices
    .map(({ name }) => name)
    .filter((name) => services.some(({ service }) => service === name));
  const cell = (host: string, name: string): string =>
    services.find((status) => status.host === host && status.service === name)?.state ?? "-";
  const rows = [["host", ...names], ...hosts.map((host) => [host, ...names.map((name) => cell(host, name))])];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return `${rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")}\n`;
}

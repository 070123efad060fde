/** Runs playbooks for the cluster's verbs, with the options that the user gave the verb. */

import type { PlaybookRun, RunPlaybook } from "../cluster/operations/run-playbook.ts";
import type { EngineEvent } from "../provisioning/engine/events.ts";
import type { CliIo } from "./io.ts";
import { parseOptions } from "./parse-options.ts";
import { prepareRun } from "./prepare-run.ts";
import { runReported } from "./report-run.ts";
import { prepareVars } from "./run.ts";
import { allRunOptions } from "./run-options.ts";

/** `argv`: options only, without inventories. */
export const playbookRunner =
  (argv: readonly string[], io: CliIo): RunPlaybook =>
  async (run) => {
    const options = parseOptions(allRunOptions, [...argv, ...argvOf(run)]);
    const prepared = await prepareRun({ options, io, playbooks: (load) => run.playbooks.map(load) });
    const extraMagic = await prepareVars(prepared.request, io);
    const request = extraMagic === undefined ? prepared.request : { ...prepared.request, extraMagic };
    const changes: Changes = { names: new Map(), found: [] };
    const summary = await runReported({
      prepared: { ...prepared, request },
      options,
      io,
      watch: (event) => noteChange(changes, event),
    });
    return { exitCode: summary.exitCode, recap: summary.recap, changes: changes.found };
  };

const argvOf = ({ inventories, limit = [], extraVars = {} }: PlaybookRun): string[] => [
  ...inventories.flatMap((inventory) => ["-i", inventory]),
  ...limit.flatMap((pattern) => ["-l", pattern]),
  ...(Object.keys(extraVars).length === 0 ? [] : ["-e", JSON.stringify(extraVars)]),
];

interface Changes {
  readonly names: Map<number, string>;
  readonly found: { readonly host: string; readonly task: string }[];
}

function noteChange({ names, found }: Changes, event: EngineEvent): void {
  if (event.type === "task-start") names.set(event.id, event.task);
  if (event.type === "task-host" && event.status === "changed") {
    found.push({ host: event.host, task: names.get(event.id) ?? "" });
  }
}

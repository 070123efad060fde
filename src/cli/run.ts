/** `provision INVENTORY [PLAYBOOK…]`: load everything, then run it, or only say what would be run. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import type { JsonValue } from "../base/json.ts";
import type { RunRequest } from "../provisioning/engine/run-request.ts";
import type { Playbook } from "../provisioning/playbook/model.ts";
import { unknownTag } from "./check-tags.ts";
import { type CliIo, exitCodes } from "./io.ts";
import { badUsage, describeOptions, type ParsedOptions, parseOptions } from "./parse-options.ts";
import { defaultPlaybook, type Prepared, prepareRun } from "./prepare-run.ts";
import { reportRun } from "./report-run.ts";
import { allRunOptions } from "./run-options.ts";

export const runCommand = (argv: readonly string[], io: CliIo): Promise<number> =>
  runPlaybooksCommand(argv, io, {});

export interface RunKind {
  /** `provision plan`: nothing is changed, differences are shown. */
  readonly plan?: boolean;
}

export async function runPlaybooksCommand(
  argv: readonly string[],
  io: CliIo,
  kind: RunKind,
): Promise<number> {
  const options = parseOptions(allRunOptions, argv);
  if (options.has("help")) {
    io.stdout(help(io, kind));
    return exitCodes.fine;
  }
  const { inventory, files } = namedFiles(options, io);
  const prepared = await prepareRun({
    options,
    io,
    ...(inventory === undefined ? {} : { inventory }),
    playbooks: (load) => loadAll(files, load),
    ...(kind.plan === true ? { check: true, diff: true } : {}),
  });
  const { playbooks, tags } = prepared.request;
  const misspelt = unknownTag(tags.only, playbooks);
  if (misspelt !== undefined) throw misspelt;
  const listed = await listInstead(options, prepared, io);
  if (listed !== undefined) return listed;
  const extraMagic = await prepareVars(prepared.request, io);
  return reportRun(extraMagic === undefined ? prepared : withMagic(prepared, extraMagic), options, io);
}

const withMagic = (prepared: Prepared, extraMagic: Readonly<Record<string, JsonValue>>): Prepared => ({
  ...prepared,
  request: { ...prepared.request, extraMagic },
});

/** With -i every argument is a playbook; else the first one is the inventory, unless it holds plays. */
function namedFiles(options: ParsedOptions, io: CliIo): { inventory?: string; files: readonly string[] } {
  if (options.afterDashes !== undefined && options.afterDashes.length > 0) {
    throw badUsage(`"${options.afterDashes[0]}" stands after --`, "a run takes an inventory and playbooks");
  }
  const [first, ...others] = options.rest;
  const isPlaybook = first !== undefined && holdsPlays(resolve(io.cwd, first));
  const [second] = others;
  if (isPlaybook && !options.has("inventory") && second !== undefined && !holdsPlays(resolve(io.cwd, second)))
    throw badUsage(
      `"${first}" holds plays and stands first`,
      "the inventory comes first, the playbooks behind it",
      `provision ${[second, first, ...others.slice(1)].join(" ")}`,
    );
  const inventory = options.has("inventory") || isPlaybook ? undefined : first;
  const files = inventory === undefined ? options.rest : others;
  const chosen = files.length === 0 ? [defaultPlaybook(io)] : files.map((file) => resolve(io.cwd, file));
  return inventory === undefined ? { files: chosen } : { inventory, files: chosen };
}

/** A YAML inventory is a mapping, a playbook is a list. */
function holdsPlays(file: string): boolean {
  if (!/\.ya?ml$/.test(file) || !existsSync(file) || !statSync(file).isFile()) return false;
  return /^(?:\s*\n|#.*\n|---.*\n)*-\s/.test(readFileSync(file, "utf8"));
}

/** The errors of all playbooks, together. */
function loadAll(files: readonly string[], load: (file: string) => Playbook): readonly Playbook[] {
  const errors: ProvisionError[] = [];
  const loaded = files.flatMap((file) => {
    try {
      return [load(file)];
    } catch (error) {
      if (!(error instanceof ProvisionError)) throw error;
      errors.push(error, ...error.also);
      return [];
    }
  });
  const [first, ...also] = errors;
  if (first === undefined) return loaded;
  const { code, action, state, span, why, fix, cause } = first;
  throw new ProvisionError({ code, action, state, span, why, fix, cause }, also);
}

async function listInstead(
  options: ParsedOptions,
  prepared: Prepared,
  io: CliIo,
): Promise<number | undefined> {
  const kinds = ["list-hosts", "list-tasks", "list-tags", "syntax-check"] as const;
  const wanted = kinds.filter((kind) => options.has(kind));
  if (wanted.length === 0) return undefined;
  const { listRun } = await import("./list-run.ts");
  return listRun(prepared, wanted, io);
}

/** What roles of the toolkit are told by the controller: the place for src/cluster to add variables. */
export async function prepareVars(
  request: RunRequest,
  io: CliIo,
): Promise<Readonly<Record<string, JsonValue>> | undefined> {
  const roles = new Set(
    request.playbooks.flatMap(({ plays }) =>
      plays.flatMap((play) => play.roles.map(({ role }) => role.name)),
    ),
  );
  if (!roles.has("scheduler-runtime")) return undefined;
  const { runtimeVars } = await import("./runtime-vars.ts");
  return runtimeVars(request, io);
}

const help = (io: CliIo, kind: RunKind): string =>
  `${[
    kind.plan === true ? "provision plan INVENTORY [PLAYBOOK…]" : "provision INVENTORY [PLAYBOOK…]",
    "",
    kind.plan === true
      ? "Shows what would change on the hosts, and changes nothing."
      : "Runs the playbooks (site.yml, when none is named) against the hosts of the inventory.",
    "",
    describeOptions(allRunOptions, io.columns),
  ].join("\n")}\n`;

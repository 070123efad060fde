/** --list-hosts, --list-tasks, --list-tags, --syntax-check: what would be run, without a host being asked. */

import { relative } from "node:path";
import { ErrorCollector, ProvisionError } from "../base/errors.ts";
import { checkPlaybooks } from "../provisioning/engine/check-playbooks.ts";
import { enterBlock, enterRole, type Frame, tagsOf } from "../provisioning/engine/frame.ts";
import { importedRolesOf } from "../provisioning/engine/imported-roles.ts";
import { frameOf, hostsOf } from "../provisioning/engine/run-play.ts";
import { RunState } from "../provisioning/engine/run-state.ts";
import { TagNames } from "../provisioning/engine/tag-names.ts";
import { isChosen } from "../provisioning/engine/tags.ts";
import { dataVariable } from "../provisioning/engine/view.ts";
import { HostLayers } from "../provisioning/inventory/host-layers.ts";
import type { Play, Statement } from "../provisioning/playbook/model.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import type { Variable } from "../provisioning/vars/variable.ts";
import { type CliIo, exitCodes } from "./io.ts";
import type { Prepared } from "./prepare-run.ts";

export type Listing = "list-hosts" | "list-tasks" | "list-tags" | "syntax-check";

export async function listRun(prepared: Prepared, wanted: readonly Listing[], io: CliIo): Promise<number> {
  const { request } = prepared;
  const run = new RunState(request, () => undefined, new AbortController().signal);
  if (wanted.includes("syntax-check")) await checkAll(prepared);
  for (const playbook of request.playbooks) {
    io.stdout(`\nplaybook: ${asTyped(playbook.file, request.environment.cwd)}\n`);
    for (const [index, play] of playbook.plays.entries()) {
      if (wanted.some((kind) => kind !== "syntax-check")) io.stdout(playLines(run, play, index, wanted));
    }
  }
  return exitCodes.fine;
}

/** From here where it lies below, otherwise its whole path. */
const asTyped = (file: string, cwd: string): string => {
  const near = relative(cwd, file);
  return near.startsWith("..") ? file : near;
};

/** Playbooks, and the files of variables of all hosts; those that need a password which was not given are passed over. */
async function checkAll({ request, inventory, vaults }: Prepared): Promise<void> {
  const errors = new ErrorCollector();
  try {
    await checkPlaybooks(request);
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    errors.add(error);
  }
  const plays = request.playbooks.flatMap((playbook) => playbook.plays);
  const playbookDirs = [...new Set(plays.map(({ baseDir }) => baseDir))];
  const layers = new HostLayers(inventory, { playbookDirs, ...vaults.decrypt });
  const places = new Set<string>();
  const once = (work: () => unknown): void => {
    const found = new ErrorCollector();
    found.attempt(work);
    for (const error of found.errors) {
      const place = `${error.span?.file}:${error.span?.line} ${error.state}`;
      if (error.code !== "vault-locked" && !places.has(place)) errors.add(error);
      places.add(place);
    }
  };
  for (const host of inventory.hosts.values()) once(() => layers.ofHost(host));
  errors.throwIfAny();
}

function playLines(run: RunState, play: Play, index: number, wanted: readonly Listing[]): string {
  const pattern = [run.renderPlain(play.hosts, play)].flat().map(String).join(",");
  const frame = frameOf(play);
  const publicRoles = [...play.roles, ...importedRolesOf(play)];
  const tags = new TagNames(run, { play, playVars: unaskedVars(run, play), publicRoles });
  const lines = [
    "",
    `  play #${index + 1} (${pattern}): ${play.name.includes("{{") ? pattern : play.name}\tTAGS: [${[...tags.named(play.tags, frame)].sort().join(", ")}]`,
  ];
  if (wanted.includes("list-hosts")) {
    const hosts = hostsOf(run, play).map(({ name }) => name);
    lines.push(
      `    pattern: ${pattern}`,
      `    hosts (${hosts.length}):`,
      ...hosts.map((host) => `      ${host}`),
    );
  }
  if (!wanted.includes("list-tasks") && !wanted.includes("list-tags")) return `${lines.join("\n")}\n`;
  const tasks = [...tasksOf(play, frame, tags)].filter((task) => isChosen(task.tags, run.request.tags));
  if (wanted.includes("list-tasks")) {
    lines.push(
      "    tasks:",
      ...tasks.map(({ title, tags: own }) => `      ${title}\tTAGS: [${[...own].sort().join(", ")}]`),
    );
  }
  if (wanted.includes("list-tags")) {
    lines.push(`      TASK TAGS: [${[...new Set(tasks.flatMap((task) => task.tags))].sort().join(", ")}]`);
  }
  return `${lines.join("\n")}\n`;
}

/** Nobody is asked for a listing: the defaults of vars_prompt count. */
const unaskedVars = (run: RunState, play: Play): ReadonlyMap<string, Variable> =>
  new Map(
    play.varsPrompt.flatMap(({ name, default: answer }) =>
      answer === undefined ? [] : [[name, dataVariable(run.renderPlain(answer, play), "vars_prompt")]],
    ),
  );

const textOf = (node: SourceNode): string =>
  node.kind === "list" ? node.items.map(textOf).join(",") : node.kind === "scalar" ? String(node.value) : "";

interface Listed {
  readonly title: string;
  readonly tags: readonly string[];
}

function* tasksOf(play: Play, frame: Frame, tags: TagNames): Generator<Listed> {
  yield* listedIn(play.preTasks, frame, tags);
  for (const invocation of play.roles)
    yield* listedIn(invocation.role.tasks, enterRole(frame, invocation), tags);
  yield* listedIn(play.tasks, frame, tags);
  yield* listedIn(play.postTasks, frame, tags);
}

function* listedIn(statements: readonly Statement[], frame: Frame, tags: TagNames): Generator<Listed> {
  for (const statement of statements) {
    if (statement.kind === "block") {
      const inner = [...statement.block, ...statement.rescue, ...statement.always];
      yield* listedIn(inner, enterBlock(frame, statement), tags);
      continue;
    }
    if (statement.kind === "task" && statement.module === "meta") continue;
    const name = statement.name === undefined ? titleOf(statement) : textOf(statement.name);
    const { role } = statement;
    const title = role === undefined ? name : `${role.name} : ${name}`;
    yield { title, tags: tags.named(tagsOf(frame, statement), frame) };
  }
}

const titleOf = (statement: Exclude<Statement, { kind: "block" }>): string =>
  statement.kind === "task"
    ? statement.module
    : statement.kind === "include-tasks"
      ? "include_tasks"
      : "include_role";

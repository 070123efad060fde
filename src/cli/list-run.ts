/** --list-hosts, --list-tasks, --list-tags, --syntax-check: what would be run, without a host being asked. */

import { checkPlaybooks } from "../provisioning/engine/check-playbooks.ts";
import { isChosen, type TagChoice } from "../provisioning/engine/tags.ts";
import { matchPattern } from "../provisioning/inventory/match-pattern.ts";
import type { Inherited, Play, Statement } from "../provisioning/playbook/model.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import { type CliIo, exitCodes } from "./io.ts";
import type { Prepared } from "./prepare-run.ts";

export type Listing = "list-hosts" | "list-tasks" | "list-tags" | "syntax-check";

export async function listRun(prepared: Prepared, wanted: readonly Listing[], io: CliIo): Promise<number> {
  const { request } = prepared;
  if (wanted.includes("syntax-check")) await checkPlaybooks(request);
  for (const playbook of request.playbooks) {
    io.stdout(`\nplaybook: ${playbook.file}\n`);
    for (const [index, play] of playbook.plays.entries()) {
      if (wanted.some((kind) => kind !== "syntax-check")) io.stdout(playLines(prepared, play, index, wanted));
    }
  }
  return exitCodes.fine;
}

function playLines(prepared: Prepared, play: Play, index: number, wanted: readonly Listing[]): string {
  const { tags } = prepared.request;
  const lines = [
    "",
    `  play #${index + 1} (${textOf(play.hosts)}): ${play.name}\tTAGS: [${play.tags.join(", ")}]`,
  ];
  if (wanted.includes("list-hosts")) {
    const hosts = hostsOf(prepared, play);
    lines.push(
      `    pattern: ${textOf(play.hosts)}`,
      `    hosts (${hosts.length}):`,
      ...hosts.map((host) => `      ${host}`),
    );
  }
  const tasks = [...tasksOf(play, tags)];
  if (wanted.includes("list-tasks")) {
    lines.push(
      "    tasks:",
      ...tasks.map(({ title, tags: own }) => `      ${title}\tTAGS: [${own.join(", ")}]`),
    );
  }
  if (wanted.includes("list-tags")) {
    lines.push(`      TASK TAGS: [${[...new Set(tasks.flatMap((task) => task.tags))].sort().join(", ")}]`);
  }
  return `${lines.join("\n")}\n`;
}

function hostsOf({ request, inventory }: Prepared, play: Play): readonly string[] {
  const names = matchPattern(textOf(play.hosts), inventory, {
    span: play.hosts.span,
    cwd: request.environment.cwd,
  });
  if (request.limit === undefined) return names;
  const kept = new Set(
    matchPattern(request.limit, inventory, { action: "read --limit", cwd: request.environment.cwd }),
  );
  return names.filter((name) => kept.has(name));
}

const textOf = (node: SourceNode): string =>
  node.kind === "list" ? node.items.map(textOf).join(",") : node.kind === "scalar" ? String(node.value) : "";

interface Listed {
  readonly title: string;
  readonly tags: readonly string[];
}

function* tasksOf(play: Play, choice: TagChoice): Generator<Listed> {
  yield* listedIn(play.preTasks, [play], choice);
  for (const invocation of play.roles) yield* listedIn(invocation.role.tasks, [play, invocation], choice);
  yield* listedIn(play.tasks, [play], choice);
  yield* listedIn(play.postTasks, [play], choice);
}

function* listedIn(
  statements: readonly Statement[],
  around: readonly Inherited[],
  choice: TagChoice,
): Generator<Listed> {
  for (const statement of statements) {
    if (statement.kind === "block") {
      const inner = [...around, statement];
      yield* listedIn([...statement.block, ...statement.rescue, ...statement.always], inner, choice);
      continue;
    }
    const tags = [...new Set([...around, statement].flatMap((each) => each.tags))];
    if (!isChosen(tags, choice) || (statement.kind === "task" && statement.module === "meta")) continue;
    const name = statement.name === undefined ? titleOf(statement) : textOf(statement.name);
    const { role } = statement;
    yield { title: role === undefined ? name : `${role.name} : ${name}`, tags };
  }
}

const titleOf = (statement: Exclude<Statement, { kind: "block" }>): string =>
  statement.kind === "task"
    ? statement.module
    : statement.kind === "include-tasks"
      ? "include_tasks"
      : "include_role";
